from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from pose_files import COCO, deeplabcut_csv, poses
from pose_files import write_deeplabcut_h5 as write_h5

from bmoe_ground.errors import UserError
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.convert.deeplabcut import read_deeplabcut
from pose_extract.convert.sniff import kind_of

SIZED = ReadOptions(image_size=(480, 640))

# The first lines of a file as DeepLabCut writes it, with names of a person's points.
BY_HAND = """scorer,DLC_resnet50,DLC_resnet50,DLC_resnet50,DLC_resnet50,DLC_resnet50,DLC_resnet50
bodyparts,Left Shoulder,Left Shoulder,Left Shoulder,head,head,head
coords,x,y,likelihood,x,y,likelihood
0,10.5,20.5,0.99,30.0,40.0,0.5
1,11.5,21.5,0.98,,,
"""


def test_an_example_by_hand(tmp_path: Path) -> None:
    (tmp_path / 'nodDLC_resnet50_demoshuffle1_100.csv').write_text(BY_HAND)
    assert kind_of(tmp_path) == 'deeplabcut'
    done = read_deeplabcut(tmp_path, ReadOptions('penn13', (480, 640), 25))
    assert done.failures == []
    assert done.clips[0].name == 'nod'
    tracks = done.clips[0].tracks
    np.testing.assert_allclose(tracks.keypoints[0, :, 1], [[10.5, 20.5], [11.5, 21.5]])
    np.testing.assert_allclose(tracks.scores[0, :, :2], [[0.5, 0.99], [0, 0.98]], rtol=1e-6)
    assert np.isnan(tracks.keypoints[0, 1, 0]).all()
    assert any('absent in every frame: right_shoulder' in note for note in done.notes)
    refused = read_deeplabcut(tmp_path, SIZED).failures[0]
    assert 'With --skeleton' in refused


@pytest.mark.parametrize(('separator', 'encoding'), [(';', 'utf-8'), ('\t', 'utf-16'), (',', 'utf-16-le')])
def test_tables_that_a_spreadsheet_saved(tmp_path: Path, separator: str, encoding: str) -> None:
    text = BY_HAND.replace(',', separator).replace('\n', '\r\n')
    path = tmp_path / 'nodDLC_net.csv'
    path.write_bytes(text.encode(encoding))
    assert kind_of(path) == 'deeplabcut'
    (clip,) = read_deeplabcut(path, ReadOptions('penn13', (480, 640), 25)).clips
    np.testing.assert_allclose(clip.tracks.keypoints[0, :, 1], [[10.5, 20.5], [11.5, 21.5]])
    path.write_bytes(text.replace('11.5', '11,5').encode(encoding))
    (failure,) = read_deeplabcut(path, ReadOptions('penn13', (480, 640), 25)).failures
    assert failure.startswith(f'{path}:5: ')
    assert ('8 cells, the header 7' if separator == ',' else 'a decimal comma; write 11.5') in failure


@pytest.mark.parametrize('individuals', [False, True])
def test_tables_with_and_without_individuals(tmp_path: Path, individuals: bool) -> None:
    truth = poses(2 if individuals else 1, 5, 17)
    (tmp_path / 'nod').mkdir()
    (tmp_path / 'nod' / 'v1DLC_net.csv').write_text('\ufeff' + deeplabcut_csv(truth, individuals), encoding='utf-8')
    done = convert_poses(tmp_path / 'nod', tmp_path / 'out', ConvertSettings(read=SIZED))
    tracks = done.clips[0].tracks
    assert (done.failures, tracks.skeleton, tracks.provenance['identities']) == ([], 'coco17', 'of the file')
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], truth[..., :2], rtol=1e-6)
    np.testing.assert_allclose(tracks.scores[order], truth[..., 2], rtol=1e-6)


def test_labelled_pictures(tmp_path: Path) -> None:
    lines = (
        BY_HAND.replace('scorer,', 'scorer,,,').replace('bodyparts,', 'bodyparts,,,').replace('coords,', 'coords,,,')
    )
    lines = lines.replace('\n0,', '\nlabeled-data,v1,img0030.png,').replace('\n1,', '\nlabeled-data,v1,img0031.png,')
    (tmp_path / 'CollectedData_me.csv').write_text(lines)
    tracks = read_deeplabcut(tmp_path, ReadOptions('penn13', (480, 640))).clips[0].tracks
    assert tracks.num_frames == 2
    np.testing.assert_allclose(tracks.keypoints[0, 1, 1], [11.5, 21.5])


def test_faults(tmp_path: Path) -> None:
    bad = {
        'cells': BY_HAND + '2,1,2\n',
        'text': BY_HAND + '2,a,b,c,d,e,f\n',
        'twice': BY_HAND + '1,1,2,1,1,2,1\n',
        'far': BY_HAND + '99999999999,1,2,1,1,2,1\n',
        'other': 'video,label\na,b\n',
        'empty': 'scorer,x\nbodyparts,nose\ncoords,x\n',
        'nul': 'scorer,\0\n',
        'long': 'scorer,' + 'x' * 200_000,
    }
    for name, text in bad.items():
        (tmp_path / f'{name}.csv').write_text(text)
    (tmp_path / 'bytes.csv').write_bytes(b'scorer,\xff\xfe')
    done = read_deeplabcut(tmp_path, ReadOptions('penn13', (480, 640)))
    assert done.clips == []
    assert len(done.failures) == len(bad) + 1
    with pytest.raises(UserError, match='--image-size'):
        read_deeplabcut(tmp_path, ReadOptions())


def test_hdf5_is_the_same_table(tmp_path: Path) -> None:
    truth = poses(2, 5, 17)
    write_h5(tmp_path / 'v1DLC_net.h5', truth)
    assert kind_of(tmp_path / 'v1DLC_net.h5') == 'deeplabcut'
    tracks = read_deeplabcut(tmp_path, SIZED).clips[0].tracks
    order = np.argsort(tracks.keypoints[:, 0, 0, 0])
    np.testing.assert_allclose(tracks.keypoints[order], truth[..., :2], rtol=1e-6)


class Command:
    """Pickles as a call of a command."""

    def __reduce__(self) -> tuple:
        return os.system, ('touch executed',)


def test_hostile_hdf5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in it is run, and no other file is opened."""
    h5py = pytest.importorskip('h5py')
    monkeypatch.chdir(tmp_path)
    truth = poses(1, 5, 17)
    write_h5(tmp_path / 'secret.bin', truth)
    layout = h5py.VirtualLayout((5,), 'f8')
    layout[:] = h5py.VirtualSource('secret.bin', 'x', (5,))
    (tmp_path / 'h5').mkdir()
    write_h5(tmp_path / 'h5/command.h5', truth, axes=pickle.dumps([Command()], protocol=0))
    tables = {
        'link': lambda group: group.__setitem__('table', h5py.ExternalLink('secret.bin', 'df_with_missing/table')),
        'soft': lambda group: group.__setitem__('table', h5py.SoftLink('/nowhere')),
        'virtual': lambda group: group.create_virtual_dataset('table', layout),
        'external': lambda group: group.create_dataset('table', (5,), 'f8', external=[('secret.bin', 0, 40)]),
        'huge': lambda group: group.create_dataset('table', (10**12,), 'f8', chunks=(1024,)),
        'text': lambda group: group.create_dataset('table', data='hello'),
        'group': lambda group: group.create_group('table'),
    }
    for name, table in tables.items():
        write_h5(tmp_path / f'h5/{name}.h5', truth, table=table)
    (tmp_path / 'h5/cut.h5').write_bytes((tmp_path / 'h5/text.h5').read_bytes()[:700])
    done = read_deeplabcut(tmp_path / 'h5', SIZED)
    assert done.clips == []
    reasons = {Path(line.split(': ')[0]).stem: line for line in done.failures}
    assert sorted(reasons) == sorted(['command', 'cut', *tables])
    assert 'asks for' in reasons['command'] or 'system' in reasons['command']
    for name in ('link', 'soft'):
        assert 'not followed' in reasons[name]
    for name in ('virtual', 'external'):
        assert 'not opened' in reasons[name]
    assert not (tmp_path / 'executed').exists()


def test_reads_what_pandas_writes(tmp_path: Path) -> None:
    pandas, _ = pytest.importorskip('pandas'), pytest.importorskip('tables')
    truth = poses(2, 5, 17)
    levels = [['DLC_net'], ['a', 'b'], COCO, ['x', 'y', 'likelihood']]
    columns = pandas.MultiIndex.from_product(levels, names=['scorer', 'individuals', 'bodyparts', 'coords'])
    frame = pandas.DataFrame(truth.transpose(1, 0, 2, 3).reshape(5, -1), columns=columns)
    frame.to_hdf(tmp_path / 'v1DLC_net.h5', key='df_with_missing', format='table', mode='w')
    frame.to_csv(tmp_path / 'v2DLC_net.csv')
    for clip in read_deeplabcut(tmp_path, SIZED).clips:
        order = np.argsort(clip.tracks.keypoints[:, 0, 0, 0])
        np.testing.assert_allclose(clip.tracks.keypoints[order], truth[..., :2], rtol=1e-6)
