from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bmoe_ground.errors import UserError
from face_aux.detection import CropSettings, Face, build_detector, crop_face
from face_aux.detection.alignment import Crop, cut
from face_aux.detection.detectors import DETECTORS
from face_aux.detection.faces import overlap, suppress_doubles
from face_aux.detection.tracks import FaceTrack, link_faces, smooth_crops

skimage_data = pytest.importorskip('skimage.data')


@pytest.fixture(scope='module')
def astronaut() -> np.ndarray:
    return skimage_data.astronaut()


@pytest.fixture(scope='module', params=['mediapipe', 'haar'])
def detector(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    if request.param == 'mediapipe':
        pytest.importorskip('mediapipe')
    return build_detector(request.param)


def test_finds_the_face_of_the_portrait(detector, astronaut: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    found = detector.detect(astronaut)
    assert len(found) == 1
    assert abs(found[0].center[0] - 224) < 15
    assert abs(found[0].center[1] - 125) < 25
    assert 70 < found[0].side < 130


def test_finds_nothing_where_there_is_nobody(detector) -> None:  # type: ignore[no-untyped-def]
    for name in ('brick', 'grass', 'chelsea', 'rocket'):  # the heads on the coins are faces to a cascade
        picture = getattr(skimage_data, name)()
        image = np.ascontiguousarray(np.stack([picture] * 3, axis=2) if picture.ndim == 2 else picture)
        assert detector.detect(image) == [], name
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []


def test_two_faces_and_a_far_one(astronaut: np.ndarray) -> None:
    pytest.importorskip('mediapipe')
    detector = build_detector('mediapipe')
    large = astronaut[20:260, 100:340]
    small = cv2.resize(large, (160, 160), interpolation=cv2.INTER_AREA)
    both = np.full((260, 480, 3), 128, np.uint8)
    both[10:250, 10:250], both[50:210, 300:460] = large, small
    found = detector.detect(both)
    assert len(found) == 2
    assert found[0].side > found[1].side
    assert found[0].center[0] < 250 < found[1].center[0]
    far = np.full((540, 1400, 3), 90, np.uint8)
    far[300:400, 1200:1300] = cv2.resize(large, (100, 100), interpolation=cv2.INTER_AREA)
    assert build_detector('mediapipe', tiles=False).detect(far) == []
    (face,) = detector.detect(far)
    assert abs(face.center[0] - 1252) < 12
    assert abs(face.center[1] - 344) < 12


def test_cropped_images_and_unknown_names() -> None:
    (face,) = build_detector('none').detect(np.zeros((30, 40, 3), np.uint8))
    assert face == Face((0.0, 0.0, 40.0, 30.0))
    assert set(DETECTORS) == {'mediapipe', 'haar', 'none'}
    with pytest.raises(UserError, match="unknown face detector 'yolo'; choose one of mediapipe, haar, none"):
        build_detector('yolo')


def test_missing_mediapipe_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(UserError, match=r"needs the package mediapipe==0.10.21 .* or choose 'haar'"):
        build_detector('mediapipe')


def test_real_chips_are_all_faces(shared_data: Path) -> None:
    pytest.importorskip('mediapipe')
    from face_aux.images import read_image

    detector = build_detector('mediapipe')
    chips = sorted((shared_data / 'faces' / 'utkface').glob('*.jpg'))[::40]
    found = [len(detector.detect(read_image(path))) for path in chips]
    assert np.mean([n >= 1 for n in found]) > 0.97
    assert np.mean([n == 1 for n in found]) > 0.95


def test_doubles_are_suppressed() -> None:
    big, inner, other = Face((0, 0, 100, 100), 0.9), Face((20, 20, 70, 70), 0.8), Face((200, 0, 260, 60), 0.5)
    assert overlap(big, inner) == 1.0
    assert overlap(big, other) == 0.0
    assert suppress_doubles([other, inner, big]) == [big, other]


def pattern(size: int = 200) -> np.ndarray:
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return np.stack([x, y, 255 * (((x // 20) + (y // 20)) % 2)], axis=2).astype(np.uint8)


def test_a_level_crop_is_a_plain_slice() -> None:
    image = pattern()
    face = Face((50, 60, 110, 120))
    np.testing.assert_array_equal(crop_face(image, face, CropSettings()), image[60:120, 50:110])
    np.testing.assert_array_equal(crop_face(image, face, CropSettings(margin=0.5)), image[30:150, 20:140])
    np.testing.assert_array_equal(crop_face(image, face, CropSettings(shift=0.5)), image[30:90, 50:110])


def test_outside_the_image_the_border_is_mirrored() -> None:
    image = pattern()
    crop = crop_face(image, Face((-20, 150, 40, 210)), CropSettings())
    padded = np.pad(image, ((30, 30), (30, 30), (0, 0)), mode='reflect')
    np.testing.assert_array_equal(crop, padded[180:240, 10:70])


@pytest.mark.parametrize('angle', [-70, -20, 15, 90])
def test_eyes_end_level_and_in_place(angle: float) -> None:
    turn = np.radians(angle)
    centre, away = np.array([150.0, 140.0]), 30 * np.array([np.cos(turn), np.sin(turn)])
    eyes = [centre - away, centre + away]
    image = np.zeros((300, 300, 3), np.uint8)
    for eye, channel in zip(eyes, (0, 1), strict=True):
        cv2.circle(image, np.round(eye - 0.5).astype(int).tolist(), 4, [255 * (c == channel) for c in range(3)], -1)
    face = Face((100, 90, 200, 190), 1.0, ((eyes[0][0], eyes[0][1]), (eyes[1][0], eyes[1][1])))
    assert face.angle == pytest.approx(angle)
    crop = crop_face(image, face, CropSettings())
    assert crop.shape == (100, 100, 3)
    for channel, x in ((0, 20), (1, 80)):
        rows, columns = np.nonzero(crop[..., channel] > 128)
        assert columns.mean() + 0.5 == pytest.approx(x, abs=1)
        assert rows.mean() + 0.5 == pytest.approx(50, abs=1)


def test_shift_follows_the_tilt() -> None:
    face = Face((100, 100, 200, 200), 1.0, ((150, 100), (150, 200)))  # turned by 90 degrees: up is to the right
    crop = Crop.of(face, CropSettings(shift=0.2))
    assert (crop.x, crop.y, crop.angle) == pytest.approx((170, 150, 90))


def test_large_faces_are_averaged_down() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[::2] = 255  # lines that plain sampling would turn into black or white
    small = cut(image, Crop(200, 200, 320), size=40)
    assert np.abs(small.astype(int) - 128).max() <= 2


def test_crop_settings_from_a_config() -> None:
    assert CropSettings.from_config({'margin': 0.2}, 'x') == CropSettings(0.2)
    with pytest.raises(UserError, match=r"x: face_crop has unknown keys \['margins'\]"):
        CropSettings.from_config({'margins': 0.2}, 'x')
    with pytest.raises(UserError, match='margin must lie in'):
        CropSettings.from_config({'margin': 20}, 'x')


def box(x: float, y: float, side: float = 50) -> Face:
    return Face((x, y, x + side, y + side), 0.9)


def test_two_people_keep_their_tracks() -> None:
    times = [t / 25 for t in range(40)]
    frames = []
    for t in range(40):
        faces = [box(20 + 3 * t, 50), box(300 - 3 * t, 50 if t < 15 else 60 + t, 80)]
        frames.append(faces if t % 2 else faces[::-1])
    frames[10] = frames[10][:1]
    tracks = link_faces(frames, times)
    assert len(tracks) == 2
    assert len(tracks[0].faces) + len(tracks[1].faces) == 79
    assert all(face.side == 80 for face in tracks[0].faces.values())
    assert all(face.side == 50 for face in tracks[1].faces.values())


def test_a_cut_ends_a_track_and_sparse_frames_link() -> None:
    dense = [t / 25 for t in range(10)]
    frames = [[box(10, 10)] if t < 5 else [box(600, 300)] for t in range(10)]
    assert len(link_faces(frames, dense)) == 2
    sparse = [2.0 * t for t in range(10)]
    moving = [[box(10 + 40 * (t % 3), 10)] for t in range(10)]
    assert len(link_faces(moving, sparse)) == 1
    assert link_faces([[], [], []], [0, 1, 2]) == []


def test_smoothing_removes_tremble_and_keeps_motion() -> None:
    rng = np.random.default_rng(0)
    times = [t / 25 for t in range(100)]
    truth = np.array([100 + 2.0 * t for t in range(100)])
    noise = rng.normal(0, 2, size=(100, 2))
    track = FaceTrack({t: box(truth[t] + noise[t, 0], 80 + noise[t, 1], 60 + noise[t, 0]) for t in range(100)})
    crops = smooth_crops(track, times, CropSettings())
    raw = np.array([track.faces[t].center for t in range(100)])
    smooth = np.array([(crops[t].x, crops[t].y) for t in range(100)])
    tremble = [np.abs(np.diff(values[:, 1], n=2)).mean() for values in (raw, smooth)]
    assert tremble[1] < tremble[0] / 5
    middle = slice(10, 90)
    assert np.abs(smooth[middle, 0] - (truth + 30)[middle]).max() < 3
    assert np.std([crops[t].side for t in range(10, 90)]) < 0.7


def test_gaps_are_bridged_or_not() -> None:
    times = [t / 10 for t in range(30)]
    track = FaceTrack({t: box(10.0 * t, 0) for t in [0, 1, 2, 6, 7, 8, 25, 26]})
    crops = smooth_crops(track, times, CropSettings(), max_gap=1.0)
    assert sorted(crops) == [*range(9), 25, 26]
    assert crops[4].x == pytest.approx(40 + 25, abs=2)


def test_sparse_crops_are_left_alone() -> None:
    track = FaceTrack({t: box(37.0 * (t % 2), 5.0 * t, 40 + t) for t in range(5)})
    crops = smooth_crops(track, [3.0 * t for t in range(5)], CropSettings())
    for t, crop in crops.items():
        assert (crop.x, crop.y, crop.side) == pytest.approx((*track.faces[t].center, 40 + t))


def test_tilt_across_the_half_turn_does_not_spin() -> None:
    eyes = [((10.0, 10.0), (10 + np.cos(a), 10 + np.sin(a))) for a in np.radians([175, 179, -177, -173])]
    track = FaceTrack({t: Face((0, 0, 20, 20), 1.0, e) for t, e in enumerate(eyes)})
    crops = smooth_crops(track, [0.0, 0.04, 0.08, 0.12], CropSettings())
    assert all(170 < crop.angle % 360 < 190 for crop in crops.values())
