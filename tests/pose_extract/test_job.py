from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from pose_extract import job
from pose_extract.job import run_job
from pose_extract.manifest import Manifest, read_manifest
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks

SETTINGS = ExtractSettings(backend='mediapipe')


@pytest.fixture
def folder(make_video: Callable[..., Path], tmp_path: Path, block_backend: type) -> Path:
    make_video('videos/nod/a.mp4', frames=9)
    make_video('videos/nod/a.avi', frames=5)
    make_video('videos/still/b.mp4', frames=7, block=False)
    (tmp_path / 'videos/still/empty.mp4').write_bytes(b'')
    (tmp_path / 'videos/still/text.mp4').write_text('this is no video\n' * 50)
    cut = make_video('videos/cut.mp4', frames=30)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    return tmp_path / 'videos'


def extract(folder: Path, **options):
    return run_job(folder, folder.parent / 'poses', SETTINGS, jobs=0, show_progress=False, **options)


def test_every_video_ends_in_the_manifest_with_its_status_and_reason(folder: Path) -> None:
    summary = extract(folder)
    records = read_manifest(folder.parent / 'poses/manifest.json')
    assert {name: record['status'] for name, record in records.items()} == {
        'cut.mp4': 'failed',
        'nod/a.avi': 'ok',
        'nod/a.mp4': 'ok',
        'still/b.mp4': 'nobody',
        'still/empty.mp4': 'failed',
        'still/text.mp4': 'failed',
    }
    assert 'cut off' in records['cut.mp4']['error']
    assert '0 bytes' in records['still/empty.mp4']['error']
    assert 'not a video' in records['still/text.mp4']['error']
    assert records['still/b.mp4']['error'] == 'nobody is seen in any of 7 frames'
    assert (records['nod/a.mp4']['frames'], records['nod/a.mp4']['persons']) == (9, 1)
    assert summary.exit_code == 1
    assert summary.frames == 9 + 5 + 7


def test_track_files_lie_beside_the_manifest_under_the_video_s_path(folder: Path) -> None:
    extract(folder)
    out = folder.parent / 'poses'
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob('*.npz'))
    assert found == ['nod/a.avi.npz', 'nod/a.mp4.npz', 'still/b.mp4.npz']
    tracks = load_tracks(out / 'nod/a.mp4.npz')
    assert tracks.keypoints.shape == (1, 9, 17, 2)
    np.testing.assert_allclose(
        tracks.keypoints[0, :, 0, 0], 10 + np.arange(9), atol=2
    )  # the block moves a pixel a frame
    np.testing.assert_allclose(tracks.frame_times, np.arange(9) / 25, atol=1e-3)
    assert tracks.image_size == (48, 64)
    assert tracks.provenance['status'] == 'ok'
    assert tracks.provenance['settings']['model'] == 'block'
    nobody = load_tracks(out / 'still/b.mp4.npz')
    assert nobody.keypoints.shape == (0, 7, 17, 2)


def test_a_second_run_does_only_what_is_missing(folder: Path) -> None:
    extract(folder)
    out = folder.parent / 'poses'
    before = json.loads((out / 'manifest.json').read_text())
    (out / 'nod/a.avi.npz').unlink()
    summary = extract(folder)
    assert (summary.skipped, summary.frames) == (2, 5)
    after = json.loads((out / 'manifest.json').read_text())
    drop = ('seconds', 'finished')
    strip = [[{k: v for k, v in r.items() if k not in drop} for r in m['videos']] for m in (before, after)]
    assert strip[0] == strip[1]


def test_a_lost_manifest_is_made_again_from_the_tracks(folder: Path) -> None:
    extract(folder)
    path = folder.parent / 'poses/manifest.json'
    before = read_manifest(path)
    path.unlink()
    assert extract(folder).skipped == 3
    for name, record in read_manifest(path).items():
        assert {**record, 'seconds': 0, 'finished': 0} == {**before[name], 'seconds': 0, 'finished': 0}


def test_changed_settings_are_named_and_done_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extract(folder)
    changed = ExtractSettings(backend='mediapipe', stride=2)
    summary = run_job(folder, folder.parent / 'poses', changed, jobs=0, show_progress=False)
    assert summary.skipped == 0
    assert 'stride (3)' in capsys.readouterr().err
    assert load_tracks(folder.parent / 'poses/nod/a.mp4.npz').extras['frame_indices'].tolist() == [0, 2, 4, 6, 8]


def test_no_folder_and_no_videos_are_errors(tmp_path: Path, block_backend: type) -> None:
    with pytest.raises(UserError, match='no such folder'):
        run_job(tmp_path / 'missing', tmp_path / 'poses', SETTINGS, jobs=0)
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'videos/notes.txt').write_text('nothing here')
    with pytest.raises(UserError, match='no videos'):
        run_job(tmp_path / 'videos', tmp_path / 'poses', SETTINGS, jobs=0)
    assert not (tmp_path / 'poses').exists()


def test_an_output_that_is_a_file_is_an_error(folder: Path) -> None:
    (folder.parent / 'poses').write_text('in the way')
    with pytest.raises(UserError, match='cannot be written'):
        extract(folder)


def rewrite(path: Path, **changes: np.ndarray) -> None:
    """Replace arrays of a track file."""
    with np.load(path) as stored:
        arrays = {**stored, **changes}
    with path.open('wb') as file:
        np.savez_compressed(file, **arrays)


def test_hostile_tracks_and_entries_are_done_again_and_the_rest_is_kept(folder: Path) -> None:
    extract(folder)
    out = folder.parent / 'poses'
    with np.load(out / 'nod/a.mp4.npz') as stored:
        provenance = json.loads(str(stored['provenance']))
    odd = {
        'source': {'source': [1]},
        'status': {'status': {'a': 1}},
        'error': {'error': 5},
        'settings': {'settings': 'x'},
        'missing': {'status': None},
    }
    for number, (name, change) in enumerate(odd.items()):
        (out / 'manifest.json').unlink()
        rewrite(out / 'nod/a.mp4.npz', provenance=np.array(json.dumps({**provenance, **change})))
        header = b'\x93NUMPY\x01\x00\x10\x00' + b"{'descr': '''   "
        with zipfile.ZipFile(out / 'nod/a.avi.npz', 'w') as archive:
            archive.writestr('keypoints.npy', header)  # numpy's tokenizer runs out of text
        summary = extract(folder)
        assert summary.skipped == 1, (number, name)
        assert read_manifest(out / 'manifest.json')['nod/a.mp4']['status'] == 'ok'
        assert load_tracks(out / 'nod/a.avi.npz').num_frames == 5
    entries = json.loads((out / 'manifest.json').read_text())
    for entry in entries['videos']:
        if entry['video'] == 'nod/a.mp4':
            entry['frames'] = 'many'
    (out / 'manifest.json').write_text(json.dumps(entries))
    assert extract(folder).skipped == 3
    assert read_manifest(out / 'manifest.json')['nod/a.mp4']['frames'] == 9


def test_a_process_that_died_after_its_track_was_written(folder: Path) -> None:
    extract(folder)
    path = folder.parent / 'poses/manifest.json'
    content = json.loads(path.read_text())
    for entry in content['videos']:
        if entry['video'] == 'nod/a.mp4':
            entry.update(status='failed', track=None, error='it died', finished=entry['finished'] + 100)
    path.write_text(json.dumps(content))
    assert extract(folder).skipped == 3
    assert read_manifest(path)['nod/a.mp4']['status'] == 'ok'


def test_a_slow_manifest_is_merged_rarely(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_backend: type
) -> None:
    for number in range(12):
        make_video(f'videos/{number:02d}.avi', frames=1)
    clock, merged, merge, add = [0.0], [], Manifest.merge, Manifest.add

    def slow_merge(self: Manifest, last: bool = False) -> dict:
        clock[0] += 10
        merged.append(clock[0])
        return merge(self, last)

    def slow_add(self: Manifest, record: dict) -> None:
        clock[0] += 30  # what the video took
        add(self, record)

    monkeypatch.setattr(Manifest, 'merge', slow_merge)
    monkeypatch.setattr(Manifest, 'add', slow_add)
    monkeypatch.setattr(job, 'time', SimpleNamespace(monotonic=lambda: clock[0], time=time.time))
    assert len(extract(tmp_path / 'videos').records) == 12
    # at the beginning, after the first video, then once 19 times as long has passed as that took, and at the end
    assert merged == [10, 50, 270, 400]
