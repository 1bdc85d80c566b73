from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bmoe_ground.npz as npz_module
from bmoe_ground.errors import UserError
from pose_extract.tracks import PoseTracks, load_tracks, save_tracks


def make_tracks(persons: int = 2, frames: int = 7, skeleton: str = 'coco17', keypoints: int = 17) -> PoseTracks:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (persons, frames, keypoints, 2)).astype(np.float32)
    scores = rng.uniform(0.1, 1, (persons, frames, keypoints)).astype(np.float32)
    corner = rng.uniform(0, 50, (persons, frames, 2))
    boxes = np.concatenate([corner, corner + 40], -1).astype(np.float32)
    if persons:
        points[0, 2], scores[0, 2], boxes[0, 2] = np.nan, 0, np.nan
    return PoseTracks(
        keypoints=points,
        scores=scores,
        boxes=boxes,
        frame_times=np.arange(frames) / 30,
        image_size=(480, 640),
        skeleton=skeleton,
        provenance={'backend': 'none', 'settings': {'flip': True, 'name': 'ü "x"'}, 'list': [1, 2.5, None]},
        extras={'interpolated': np.zeros((persons, frames, keypoints), bool)},
    )


def assert_same(a: PoseTracks, b: PoseTracks) -> None:
    for name in ('keypoints', 'scores', 'boxes', 'frame_times'):
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    assert (a.image_size, a.skeleton, a.provenance) == (b.image_size, b.skeleton, b.provenance)
    assert a.extras.keys() == b.extras.keys()
    for name in a.extras:
        np.testing.assert_array_equal(a.extras[name], b.extras[name])


@pytest.mark.parametrize(('persons', 'frames'), [(2, 7), (0, 5), (1, 1)])
def test_round_trip(tmp_path: Path, persons: int, frames: int) -> None:
    tracks = make_tracks(persons, frames) if frames > 2 else make_tracks(0, frames)
    path = tmp_path / 'a folder' / "it's ü.mp4.npz"
    save_tracks(path, tracks)
    assert_same(load_tracks(path), tracks)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with np.load(path, allow_pickle=False) as plain:
        assert set(plain) == {
            *('keypoints', 'scores', 'boxes', 'frame_times', 'image_size', 'skeleton', 'provenance'),
            'interpolated',
        }
        assert plain['keypoints'].dtype == np.float32
        assert tuple(plain['image_size']) == (480, 640)
        assert str(plain['skeleton']) == 'coco17'


def test_same_tracks_give_the_same_bytes(tmp_path: Path) -> None:
    save_tracks(tmp_path / 'a.npz', make_tracks())
    save_tracks(tmp_path / 'b.npz', make_tracks())
    assert (tmp_path / 'a.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()


def test_visibility() -> None:
    tracks = make_tracks()
    assert tracks.person_visible.sum() == 2 * 7 - 1
    assert not tracks.person_visible[0, 2]
    assert tracks.keypoint_visible.shape == (2, 7, 17)
    assert (tracks.num_persons, tracks.num_frames, tracks.num_keypoints) == (2, 7, 17)


def test_float64_is_converted() -> None:
    tracks = make_tracks()
    again = PoseTracks(
        tracks.keypoints.astype(np.float64), tracks.scores, tracks.boxes, tracks.frame_times, (480, 640), 'coco17'
    )
    assert again.keypoints.dtype == np.float32


def change(**changes: object) -> PoseTracks:
    tracks = make_tracks()
    return PoseTracks(**{**vars(tracks), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'keypoints': np.zeros((2, 7, 17, 3))}, r'keypoints: expected shape'),
        ({'keypoints': np.zeros((2, 0, 17, 2))}, r'keypoints: expected shape'),
        ({'keypoints': np.zeros((2, 7, 16, 2))}, r'keypoints: skeleton coco17 has 17, got 16'),
        ({'keypoints': np.full((2, 7, 17, 2), np.inf)}, r'keypoints: infinite'),
        ({'keypoints': np.array([['a']])}, r'keypoints: expected floating'),
        ({'keypoints': np.full((2, 7, 17, 2), np.nan)}, r'scores: must be 0 where'),
        ({'scores': np.full((2, 7, 17), 1.5)}, r'scores: must be within'),
        ({'scores': np.full((2, 7, 17), np.nan)}, r'scores: must be within'),
        ({'scores': np.zeros((2, 7))}, r'scores: expected shape \(2, 7, 17\)'),
        ({'boxes': np.zeros((2, 7, 5))}, r'boxes: expected shape'),
        ({'boxes': np.tile([5.0, 5, 1, 9], (2, 7, 1))}, r'x1 <= x2'),
        ({'boxes': np.tile([5.0, np.nan, 9, 9], (2, 7, 1))}, r'boxes: each must be'),
        ({'frame_times': np.zeros(6)}, r'frame_times: expected shape'),
        ({'frame_times': -np.arange(7.0)}, r'frame_times: must be finite'),
        ({'image_size': (0, 5)}, r'image_size'),
        ({'skeleton': 'coco18'}, r'coco18.*coco17'),
        ({'provenance': {'x': object()}}, r'provenance'),
        ({'provenance': {'x': float('nan')}}, r'provenance'),
        ({'extras': {'keypoints': np.zeros(1)}}, r'extras'),
        ({'extras': {'../x': np.zeros(1)}}, r'extras'),
        ({'extras': {'x': np.array([object()])}}, r'extras: x'),
    ],
)
def test_faults_name_the_part(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(**changes)


def test_one_coordinate_alone_cannot_be_absent() -> None:
    tracks = make_tracks()
    tracks.keypoints[1, 1, 1, 0] = np.nan
    with pytest.raises(ValueError, match='NaN together'):
        save_tracks('/nowhere.npz', tracks)


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def good_arrays(tmp_path: Path) -> dict[str, np.ndarray]:
    save_tracks(tmp_path / 'good.npz', make_tracks())
    with np.load(tmp_path / 'good.npz') as plain:
        return dict(plain)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('keypoints', None),
        ('provenance', None),
        ('keypoints', np.zeros((2, 7, 17, 2), int)),
        ('keypoints', np.zeros((2, 7, 16, 2))),
        ('keypoints', np.array(3.0)),
        ('scores', np.full((2, 7, 17), 2.0)),
        ('frame_times', np.full(7, np.nan)),
        ('frame_times', np.array(['x'])),
        ('image_size', np.array([3])),
        ('image_size', np.array([0, 3])),
        ('skeleton', np.array('none')),
        ('skeleton', np.array(['coco17', 'coco17'])),
        ('skeleton', np.array(17)),
        ('provenance', np.array('{')),
        ('provenance', np.array('[1]')),
        ('provenance', np.array('[' * 100_000)),
        ('extra', np.array([{'a': 1}], dtype=object)),
        ('boxes', np.array([object()], dtype=object)),
    ],
)
def test_bad_content_names_file_and_key(tmp_path: Path, key: str, value: np.ndarray | None) -> None:
    arrays = good_arrays(tmp_path)
    arrays.pop(key, None)
    if value is not None:
        arrays[key] = value
    path = tmp_path / 'bad.npz'
    path.write_bytes(npz(**arrays))
    with pytest.raises(UserError) as caught:
        load_tracks(path)
    assert str(path) in str(caught.value)
    # a count that contradicts another array is reported at either of the two
    assert key in str(caught.value) or (key == 'keypoints' and 'scores' in str(caught.value))


def test_a_small_frame_and_a_long_provenance_are_in_order(tmp_path: Path) -> None:
    save_tracks(tmp_path / 'a.npz', change(image_size=(1, 1), provenance={'files': ['x' * 90] * 1000}))
    again = load_tracks(tmp_path / 'a.npz')
    assert again.image_size == (1, 1) and len(again.provenance['files']) == 1000


def test_a_long_name_of_a_layout_is_refused_with_the_bound(tmp_path: Path) -> None:
    path = tmp_path / 'bad.npz'
    path.write_bytes(npz(**{**good_arrays(tmp_path), 'skeleton': np.array('x' * 101)}))
    with pytest.raises(UserError, match='skeleton: expected a text of at most 100 characters'):
        load_tracks(path)


def test_missing_folder_and_other_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no such track file'):
        load_tracks(tmp_path / 'none.npz')
    with pytest.raises(UserError, match='cannot be read'):
        load_tracks(tmp_path)
    for name, content in {'empty': b'', 'text': b'hello', 'npy': b'\x93NUMPY\x01\x00', 'zip': npz()}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            load_tracks(tmp_path / name)
    with zipfile.ZipFile(tmp_path / 'other.zip', 'w') as archive:
        archive.writestr('readme.txt', 'hello')
        archive.writestr('keypoints.npy', 'hello')
    with pytest.raises(UserError, match='readme.txt'):
        load_tracks(tmp_path / 'other.zip')


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    save_tracks(tmp_path / 'whole.npz', make_tracks(1, 4))
    whole = (tmp_path / 'whole.npz').read_bytes()
    path = tmp_path / 'cut.npz'
    for length in range(0, len(whole), 61):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match='cut.npz'):
            load_tracks(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_never_give_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / 'damaged.npz'
    save_tracks(path, make_tracks(1, 3))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        load_tracks(path)
    except UserError as error:
        assert 'damaged.npz' in str(error)


def zip_with_header(path: Path, shape: str, payload: bytes) -> None:
    """A track file whose keypoints claim ``shape``."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b' ' * (-(len(text) + 11) % 64) + b'\n'
    header = b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('keypoints.npy', header + payload)


@pytest.mark.parametrize('shape', ['(1000000000, 1000000, 17, 2)', '(-1, 5, 17, 2)', '(5,)', '(2, 7, 17, 2)'])
def test_absurd_shapes_are_refused_from_the_header(tmp_path: Path, shape: str) -> None:
    path = tmp_path / 'absurd.npz'
    zip_with_header(path, shape, b'\0' * 64)
    with pytest.raises(UserError, match=r'absurd.npz: keypoints: damaged'):
        load_tracks(path)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz_module, 'MAX_BYTES', 10_000)
    path = tmp_path / 'bomb.npz'
    zip_with_header(path, '(1, 1000, 17, 2)', b'\0' * (1000 * 17 * 2 * 4))
    with pytest.raises(UserError, match='more than'):
        load_tracks(path)


KILLED_WRITER = """
import os, sys
import numpy as np
from pose_extract.tracks import load_tracks, save_tracks
tracks = load_tracks(sys.argv[1])
write = np.savez_compressed
def die(file, **arrays):
    write(file, **arrays)
    file.flush()
    os._exit(9)
np.savez_compressed = die
tracks.provenance = {'new': True}
save_tracks(sys.argv[1], tracks)
"""


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / 'tracks.npz'
    save_tracks(path, make_tracks())
    before = path.read_bytes()
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, '-c', KILLED_WRITER, str(path)], env=environment, check=False)
    assert done.returncode == 9
    assert path.read_bytes() == before


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'tracks.npz'
    save_tracks(path, make_tracks())
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(np, 'savez_compressed', full)
    with pytest.raises(UserError, match='tracks.npz: cannot be written: No space left on device'):
        save_tracks(path, make_tracks(1))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ['tracks.npz']
