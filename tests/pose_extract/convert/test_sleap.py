from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_files import COCO, poses
from pose_files import write_sleap_analysis as write_analysis
from pose_files import write_sleap_project as write_project

from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.convert.sleap import read_sleap
from pose_extract.convert.sniff import kind_of

h5py = pytest.importorskip('h5py')
SIZED = ReadOptions(image_size=(480, 640))


@pytest.mark.parametrize('transposed', [True, False])
def test_analysis_files(tmp_path: Path, transposed: bool) -> None:
    truth = poses(2, 5, 17)
    truth[1, 2] = np.nan
    write_analysis(tmp_path / 'v1.analysis.h5', truth, transposed)
    assert kind_of(tmp_path / 'v1.analysis.h5') == 'sleap'
    done = convert_poses(tmp_path / 'v1.analysis.h5', tmp_path / 'out', ConvertSettings(read=SIZED))
    assert (done.failures, done.clips[0].name) == ([], 'v1')
    tracks = done.clips[0].tracks
    np.testing.assert_allclose(tracks.keypoints[0], truth[0, ..., :2], rtol=1e-6)  # seen longest, so first
    np.testing.assert_allclose(tracks.keypoints[1], truth[1, ..., :2], rtol=1e-6)
    np.testing.assert_allclose(tracks.scores[0], truth[0, ..., 2], rtol=1e-6)


@pytest.mark.parametrize(('version', 'shift'), [(1.0, 0.5), (1.2, 0)])
def test_projects(tmp_path: Path, version: float, shift: float) -> None:
    truth = poses(2, 5, 17)
    write_project(tmp_path / 'v1.slp', truth, version)
    assert kind_of(tmp_path) == 'sleap'
    tracks = read_sleap(tmp_path, SIZED).clips[0].tracks
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    keypoints = tracks.keypoints[order]
    np.testing.assert_allclose(keypoints[:, :4], truth[:, :4, :, :2] - shift, rtol=1e-5)
    np.testing.assert_allclose(keypoints[1, 4], truth[1, 4, :, :2] - shift, rtol=1e-5)
    np.testing.assert_allclose(keypoints[0, 4, :3], np.tile([7 - shift, 8 - shift], (3, 1)))  # corrected by hand
    assert np.isnan(keypoints[0, 4, 3]).all()


def test_faults(tmp_path: Path) -> None:
    truth = poses(1, 3, 17)
    with h5py.File(tmp_path / 'no.h5', 'w') as file:
        file['x'] = 3
    write_analysis(tmp_path / 'shape.h5', truth)
    with h5py.File(tmp_path / 'shape.h5', 'a') as file:
        del file['tracks']
        file['tracks'] = np.zeros((3, 3))
    write_project(tmp_path / 'points.slp', truth)
    with h5py.File(tmp_path / 'points.slp', 'a') as file:
        del file['pred_points']
        file['pred_points'] = np.zeros(5)
    write_project(tmp_path / 'names.slp', truth)
    with h5py.File(tmp_path / 'names.slp', 'a') as file:
        file['metadata'].attrs['json'] = np.bytes_('[1]')
    (tmp_path / 'text.slp').write_text('hello')
    done = read_sleap(tmp_path, SIZED)
    assert (done.clips, len(done.failures)) == ([], 5)


def test_reads_what_sleap_io_writes(tmp_path: Path) -> None:
    sio = pytest.importorskip('sleap_io')
    truth = poses(2, 4, 17)
    skeleton, tracks = sio.Skeleton(nodes=COCO), [sio.Track('a'), sio.Track('b')]
    video = sio.Video(filename='wave.mp4', open_backend=False)
    frames = []
    for t in range(4):
        instances = [
            sio.PredictedInstance.from_numpy(
                truth[m, t, :, :2], skeleton=skeleton, point_scores=truth[m, t, :, 2], score=0.9, track=tracks[m]
            )
            for m in range(2)
        ]
        frames.append(sio.LabeledFrame(video=video, frame_idx=t, instances=instances))
    sio.save_slp(sio.Labels(frames), str(tmp_path / 'wave.slp'), embed=False)
    found = read_sleap(tmp_path / 'wave.slp', SIZED).clips[0].tracks
    order = np.argsort(found.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(found.keypoints[order], truth[..., :2], rtol=1e-6)
    np.testing.assert_allclose(found.scores[order], truth[..., 2], rtol=1e-6)
