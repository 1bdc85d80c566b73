from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_files import damage_frames, encode, write_video

from pose_extract.discovery import find_videos
from pose_extract.job import run_job
from pose_extract.manifest import read_manifest
from pose_extract.settings import ExtractSettings
from pose_extract.summary import Summary
from pose_extract.tracks import load_tracks

SETTINGS = ExtractSettings(backend='mediapipe')


def block(t: int) -> np.ndarray:
    image = np.full((48, 64, 3), 60, np.uint8)
    image[10:30, 10 + t : 30 + t] = 250
    return image


def extract(folder: Path, settings: ExtractSettings = SETTINGS) -> tuple[Summary, dict]:
    out = folder.parent / 'poses'
    summary = run_job(folder, out, settings, jobs=0, show_progress=False)
    return summary, read_manifest(out / 'manifest.json')


def test_damaged_frames_are_empty_in_the_track_and_make_it_partial(tmp_path: Path, block_backend: type) -> None:
    path = write_video(tmp_path / 'in/v.avi', pictures=[block(t) for t in range(20)])
    damage_frames(path, [0, 7, 8, 19])
    summary, records = extract(path.parent)
    assert records['v.avi']['status'] == 'partial'
    assert records['v.avi']['error'] == '4 of 20 frames (0, 7, 8, 19) cannot be decoded and are empty'
    assert (records['v.avi']['frames'], records['v.avi']['frames_with_person']) == (20, 16)
    tracks = load_tracks(tmp_path / 'poses/v.avi.npz')
    assert np.flatnonzero(~tracks.person_visible[0]).tolist() == [0, 7, 8, 19]
    assert np.flatnonzero(tracks.extras['frame_lost']).tolist() == [0, 7, 8, 19]
    np.testing.assert_allclose(tracks.frame_times, np.arange(20) / 25, atol=1e-3)
    assert tracks.extras['frame_indices'].tolist() == list(range(20))
    assert summary.exit_code == 1
    assert '20 frames, 16 of them (80.0 %) with a person that was kept' in summary.lines()
    assert extract(path.parent)[0].skipped == 1  # what is there is kept


def test_crops_of_a_damaged_video_and_of_shared_rows(tmp_path: Path, block_backend: type) -> None:
    from pose_extract.crops import load_crops

    pictures = [block(0 if t < 12 else 30) for t in range(24)]  # a cut: somebody else, too far to be the same
    path = damage_frames(write_video(tmp_path / 'in/v.avi', pictures=pictures), [5])
    extract(path.parent, ExtractSettings(backend='mediapipe', save_rgb=32, max_persons=1))
    tracks = load_tracks(tmp_path / 'poses/v.avi.npz')
    crops = load_crops(tmp_path / 'poses/v.avi.rgb')
    assert len(set(tracks.extras['identities'][0].tolist()) - {-1}) == 2
    assert crops.present[0].tolist() == [t != 5 for t in range(24)] == tracks.person_visible[0].tolist()


@pytest.mark.parametrize('kind', ['no archive', 'a picture of another size', 'gone'])
def test_damaged_crops_are_made_again(
    tmp_path: Path, block_backend: type, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    for name in 'ab':
        write_video(tmp_path / f'in/{name}.avi', pictures=[block(t) for t in range(6)])
    settings = ExtractSettings(backend='mediapipe', save_rgb=32)
    extract(tmp_path / 'in', settings)
    path = tmp_path / 'poses/b.avi.rgb'
    whole = path.read_bytes()
    if kind == 'gone':
        path.unlink()
    elif kind == 'no archive':
        path.write_bytes(whole[: len(whole) // 2])
    else:
        with np.load(path) as file:
            arrays = dict(file)
        arrays['size'] = np.array(31)
        with path.open('wb') as file:
            np.savez(file, **arrays)
    assert extract(tmp_path / 'in', settings)[0].skipped == 1
    assert f'{"missing" if kind == "gone" else "damaged"} crops (1)' in ''.join(capsys.readouterr())
    assert path.read_bytes() == whole
    assert extract(tmp_path / 'in', settings)[0].skipped == 2


def test_every_name_is_read_or_is_a_record_of_its_own(tmp_path: Path, block_backend: type) -> None:
    plain = write_video(tmp_path / 'plain.avi', pictures=[block(t) for t in range(5)]).read_bytes()
    folder = tmp_path / 'in'
    folder.mkdir()
    names = [b'\xff\xfe.avi', b'a\nb.avi', b'blank.avi ', b'dot.AVI.', b'%02d.avi', b'n' * 247 + b'.avi']
    for name in [*names, b'x' * 251 + b'.avi']:
        (folder / os.fsdecode(name)).write_bytes(plain)
    summary, records = extract(folder)
    assert {name: record['status'] for name, record in records.items()} == {
        **{os.fsdecode(name): 'ok' for name in names},
        'x' * 251 + '.avi': 'failed',
    }
    assert 'too long' in records['x' * 251 + '.avi']['error']
    for name in names:
        assert load_tracks(tmp_path / 'poses' / f'{os.fsdecode(name)}.npz').num_frames == 5
    for line in summary.lines():
        line.encode()  # the screen can take it
        assert '\n' not in line
    again, _ = extract(folder)
    assert (again.skipped, len(again.records)) == (6, 7)


def test_the_screen_says_who_was_left_out_and_which_library_read(tmp_path: Path, block_backend: type) -> None:
    pytest.importorskip('av')
    write_video(tmp_path / 'in/w.avi', pictures=[block(t) for t in range(5)])
    encode(tmp_path / 'in/v.mp4', 'libsvtav1')
    summary, records = extract(tmp_path / 'in')
    if records['v.mp4']['decoder'].startswith('PyAV'):
        assert any('1 videos read by PyAV' in line for line in summary.lines())
    assert records['w.avi']['decoder'].startswith('OpenCV')
    assert load_tracks(tmp_path / 'poses/w.avi.npz').provenance['decoder'] == records['w.avi']['decoder']
    records['w.avi']['persons_left_out'] = 3
    lines = Summary(records=list(records.values())).lines()
    assert '3 persons left out in part or whole, in 1 videos (--max-persons)' in lines


@pytest.fixture
def frames(tmp_path: Path) -> Callable[[str, list[str]], Path]:
    def make(folder: str, names: list[str]) -> Path:
        (tmp_path / folder).mkdir(parents=True)
        for t, name in enumerate(names):
            cv2.imwrite(str(tmp_path / folder / name), block(t))
        return tmp_path / folder

    return make


def test_a_folder_of_images_itself_is_the_clip(frames: Callable, tmp_path: Path, block_backend: type) -> None:
    folder = frames('clip_7', [f'{t:04d}.jpg' for t in range(1, 9)])
    summary, records = extract(folder)
    assert list(records) == ['clip_7']
    assert (records['clip_7']['status'], records['clip_7']['frames']) == ('ok', 8)
    assert (tmp_path / 'poses/clip_7.npz').is_file()
    assert summary.exit_code == 0
    assert [item.name for item in find_videos(Path(os.path.relpath(folder)), tmp_path / 'poses')] == ['clip_7']


def test_images_beside_videos_are_no_clip(frames: Callable, tmp_path: Path) -> None:
    folder = frames('in', ['thumb1.jpg', 'thumb2.jpg'])
    write_video(folder / 'nod/a.avi', 5)
    assert [item.name for item in find_videos(folder, tmp_path / 'poses')] == ['nod/a.avi']


def test_notes_on_images_reach_the_screen_and_two_sequences_fail_alone(
    frames: Callable, tmp_path: Path, block_backend: type
) -> None:
    frames('in/a', [f'img_{t}.jpg' for t in range(4)] + [f'flow_x_{t}.jpg' for t in range(3)])
    frames('in/b', [f'left_{t}.jpg' for t in range(4)] + [f'right_{t}.jpg' for t in range(4)])
    frames('in/c', [f'{t}.jpg' for t in (1, 2, 6)])
    summary, records = extract(tmp_path / 'in')
    assert [records[name]['status'] for name in 'abc'] == ['ok', 'failed', 'ok']
    assert "'left_#.jpg' (4), 'right_#.jpg' (4)" in records['b']['error']
    text = '\n'.join(summary.lines())
    assert "note: a: the images 'img_#.jpg' are read" in text
    assert 'note: c: 3 of 6 numbers are missing' in text
    again = extract(tmp_path / 'in')[1]
    assert [again[name] for name in 'ac'] == [records[name] for name in 'ac']
