from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import TrackDataset
from bmoe_skel.transforms import LoadCrops, LoadFeature, PackPose, RandomFlip, SampleFrames
from bmoe_skel.transforms.side_inputs import feature_path, random_square, resize, sample_segments
from pose_extract.crops import CropRecorder
from pose_extract.tracks import crops_path

SIZE, FRAMES = 32, 24


def write_crops(track: Path, frames: int = FRAMES, persons: int = 1, hidden: tuple[int, ...] = ()) -> None:
    """Crops whose left half has the brightness 10 * frame and whose right half is black."""
    recorder = CropRecorder(SIZE)
    for t in range(frames):
        image = np.zeros((SIZE, SIZE, 3), np.uint8)
        image[:, : SIZE // 2] = 10 * t
        boxes = np.tile(np.array([[3.2, 3.2, 28.8, 28.8]]), (persons, 1))
        if t not in hidden:
            recorder.add(t, image, np.arange(persons), boxes)
    recorder.write(crops_path(track), list(range(persons)), np.arange(frames))
    recorder.close()


def clip(tmp_path: Path, **kwargs) -> dict:
    track = tmp_path / 'nod' / 'a.mp4.npz'
    track.parent.mkdir(exist_ok=True)
    write_crops(track, **kwargs)
    return {
        'frame_dir': 'nod/a.mp4',
        'track': str(track),
        'crops': str(crops_path(track)),
        'total_frames': FRAMES,
        'rng': np.random.default_rng(0),
    }


def frame_numbers(rgb: np.ndarray) -> list[int]:
    """Which frames were read, from their brightness."""
    return np.round(rgb.max((1, 3)).mean(1) / 10).astype(int).tolist()


class TestLoadCrops:
    def test_takes_the_middle_of_each_segment_in_a_test(self, tmp_path) -> None:
        out = LoadCrops(frames=4, random=False)(clip(tmp_path))
        assert out['rgb'].shape == (4, 3, SIZE, SIZE)
        assert out['rgb'].dtype == np.uint8
        assert frame_numbers(out['rgb']) == [3, 9, 15, 21]
        assert out['rgb_seen'].all()

    def test_takes_one_frame_of_each_segment_in_training(self, tmp_path) -> None:
        one = clip(tmp_path)
        drawn = np.array([frame_numbers(LoadCrops(frames=4, crop=None)({**one})['rgb']) for _ in range(30)])
        assert (drawn // 6 == np.arange(4)).all()
        assert (drawn.std(0) > 0).all()

    def test_follows_the_cut_in_time(self, tmp_path) -> None:
        out = LoadCrops(frames=4, random=False)({**clip(tmp_path), 'span': (0.5, 0.75)})
        assert frame_numbers(out['rgb']) == [12, 14, 15, 17]

    def test_follows_a_window_of_a_longer_video(self, tmp_path) -> None:
        part = {**clip(tmp_path), 'window': (12, 24), 'span': (0.5, 1.0)}
        assert frame_numbers(LoadCrops(frames=3, random=False)(part)['rgb']) == [19, 21, 23]

    def test_takes_the_person_asked_for(self, tmp_path) -> None:
        two = {**clip(tmp_path, persons=2), 'person': 1}
        assert LoadCrops(frames=2, random=False)({**two})['rgb_seen'].all()
        with pytest.raises(UserError, match='holds 2 persons'):
            LoadCrops(frames=2)({**two, 'person': 2})

    def test_sampling_names_the_cut_it_made(self, tmp_path) -> None:
        one = {
            **clip(tmp_path),
            'keypoint': np.zeros((1, FRAMES, 17, 2), np.float32),
            'visible': np.ones((1, FRAMES, 17), bool),
        }
        sampled = SampleFrames(8, random=False)({**one})
        assert sampled['span'] == (0, 1)
        low, high = SampleFrames(8, crop=(0.5, 0.5))({**one})['span']
        assert 0 <= low < high <= 1
        assert high - low == pytest.approx(0.5)

    def test_mirrors_with_the_skeleton_and_only_then(self, tmp_path) -> None:
        one = clip(tmp_path)
        one['keypoint'] = np.random.default_rng(1).normal(size=(1, FRAMES, 17, 2)).astype(np.float32)
        one['visible'] = np.ones((1, FRAMES, 17), bool)
        one['skeleton'] = 'coco17'
        load = LoadCrops(frames=4, random=False)
        plain, mirrored = (load(RandomFlip(prob)({**one})) for prob in (0.0, 1.0))
        np.testing.assert_array_equal(mirrored['rgb'], plain['rgb'][..., ::-1])
        assert plain['rgb'][..., : SIZE // 4].mean() > 50
        assert mirrored['rgb'][..., : SIZE // 4].mean() < 5
        nose_plain, nose_mirrored = plain['keypoint'][0, :, 0], mirrored['keypoint'][0, :, 0]
        np.testing.assert_array_equal(nose_mirrored[:, 0], -nose_plain[:, 0])

    def test_one_random_square_for_all_frames(self, tmp_path) -> None:
        out = LoadCrops(frames=6, size=20, crop=(0.4, 0.5))(clip(tmp_path))['rgb'].astype(float)
        assert out.shape == (6, 3, 20, 20)
        bright = out[1:].mean(1) / out[1:].max((1, 2, 3))[:, None, None]
        np.testing.assert_allclose(bright, np.broadcast_to(bright[-1], bright.shape), atol=0.12)

    def test_frames_without_the_person_are_black_and_not_seen(self, tmp_path) -> None:
        out = LoadCrops(frames=4, random=False)(clip(tmp_path, hidden=(9, 15)))
        assert out['rgb_seen'].tolist() == [True, False, False, True]
        assert not out['rgb'][1:3].any()
        assert out['rgb'][0].any()

    def test_packs(self, tmp_path) -> None:
        one = LoadCrops(frames=4, random=False)(clip(tmp_path))
        one |= {'keypoint': np.zeros((1, 1, 8, 17, 2)), 'visible': np.ones((1, 1, 8, 17), bool), 'flipped': True}
        one['pace'] = np.ones((1, 8), np.float32)
        inputs = PackPose()(one)['inputs']
        assert inputs['rgb'].shape == (4, 3, SIZE, SIZE)
        assert inputs['rgb_seen'].tolist() == [True] * 4

    def test_mistakes_are_named(self, tmp_path) -> None:
        one = clip(tmp_path)
        with pytest.raises(UserError, match=r"'nod/a\.mp4' has no RGB crops .*--save-rgb"):
            LoadCrops()({key: value for key, value in one.items() if key != 'crops'})
        bare = {'frame_dir': 'x'}
        assert LoadCrops(optional=True)(bare) is bare
        with pytest.raises(UserError, match=r'a\.mp4\.rgb: crops of another track: it has 12 frames'):
            LoadCrops()({**one, 'total_frames': 12})
        write_crops(Path(one['track']), persons=0)
        with pytest.raises(UserError, match=r'a\.mp4\.rgb: holds 0 persons, but'):
            LoadCrops()(one)
        Path(one['crops']).write_bytes(b'junk')
        with pytest.raises(UserError, match=r'a\.mp4\.rgb: not a readable file of crops'):
            LoadCrops()(one)
        with pytest.raises(ValueError, match='crop must satisfy'):
            LoadCrops(crop=(0.8, 0.2))


def test_segments_of_short_and_thinned_clips() -> None:
    assert sample_segments(np.arange(2), 0, 2, 4, None).tolist() == [0, 0, 1, 1]
    thinned = np.array([2, 7, 12, 17])
    assert sample_segments(thinned, 10, 20, 2, None).tolist() == [2, 3]
    assert sample_segments(thinned, 8, 9, 2, None).tolist() == [2, 2]  # no stored frame inside: the next one
    assert sample_segments(thinned, 18, 20, 2, None).tolist() == [3, 3]
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, high = np.sort(rng.uniform(0, 30, 2))
        places = sample_segments(thinned, low, high, 5, rng)
        assert places.min() >= 0
        assert places.max() < 4
        assert (np.diff(places) >= 0).all()


def test_random_squares_stay_inside_and_have_the_share() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        top, left, height, width = random_square(rng, 100, (0.4, 0.9))
        assert 0 <= top <= 100 - height
        assert 0 <= left <= 100 - width
        assert 0.38 <= height * width / 1e4 <= 0.92 or (height, width) == (100, 100)


def test_resize_keeps_a_linear_ramp() -> None:
    ramp = np.broadcast_to(np.arange(0, 200, 5, dtype=np.uint8)[None, None, :, None], (2, 40, 40, 3))
    assert resize(ramp, 40) is ramp
    half = resize(ramp, 20)
    np.testing.assert_allclose(half[0, :, :, 0], np.tile((ramp[0, 0, ::2, 0] + 2.5), (20, 1)), atol=0.6)


class TestLoadFeature:
    def read(self, tmp_path, array, **kwargs) -> np.ndarray:
        (tmp_path / 'nod').mkdir(exist_ok=True)
        np.save(tmp_path / 'nod' / 'a.mp4.npy', array)
        return LoadFeature(tmp_path, **kwargs)({'frame_dir': 'nod/a.mp4'})['feature']

    @pytest.mark.parametrize('dtype', ['float16', 'float32', 'float64'])
    def test_reads_both_shapes(self, tmp_path, dtype) -> None:
        wanted = np.random.default_rng(0).normal(size=(5, 7)).astype(dtype)
        for array in (wanted, wanted[:, None]):
            got = self.read(tmp_path, array, channels=7, expected_steps=5)
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, wanted, rtol=1e-6)

    def test_name_without_the_extension_of_the_video(self, tmp_path) -> None:
        np.save(tmp_path / 'a.npy', np.ones((2, 3), np.float32))
        assert feature_path(tmp_path, 'a.mp4') == tmp_path / 'a.npy'

    def test_keeps_the_windows_of_the_cut(self, tmp_path) -> None:
        rows = np.arange(8, dtype=np.float32)[:, None]
        np.save(tmp_path / 'a.npy', rows)
        for span, wanted in [((0, 1), range(8)), ((0.25, 0.75), range(2, 6)), ((0.49, 0.51), [3])]:
            got = LoadFeature(tmp_path)({'frame_dir': 'a', 'span': span})['feature'][:, 0]
            assert got.tolist() == list(wanted)

    @pytest.mark.parametrize(
        ('array', 'kwargs', 'message'),
        [
            (np.ones((2, 3, 4)), {}, r'expected features of shape .* found \(2, 3, 4\)'),
            (np.ones(3), {}, r'found \(3,\)'),
            (np.ones((0, 3)), {}, r'found \(0, 3\)'),
            (np.ones((2, 3), int), {}, 'expected floating point features, found int64'),
            (np.ones((2, 3)), {'channels': 4}, 'expected 4 channels, found 3'),
            (np.ones((2, 3)), {'expected_steps': 8}, 'expected 8 time steps, found 2'),
            (np.full((2, 3), np.nan), {}, 'NaN or infinite'),
            (np.full((2, 3), np.inf), {}, 'NaN or infinite'),
            (np.array([[None]]), {}, 'not a readable .npy file'),
        ],
    )
    def test_mistakes_name_the_file(self, tmp_path, array, kwargs, message) -> None:
        with pytest.raises(UserError, match=r'a\.mp4\.npy: ' + '.*' + message):
            self.read(tmp_path, array, **kwargs)

    def test_missing_escaping_and_nowhere(self, tmp_path) -> None:
        with pytest.raises(UserError, match=r"'nod/b\.mp4' has no feature file .*b\.mp4\.npy"):
            LoadFeature(tmp_path)({'frame_dir': 'nod/b.mp4'})
        for name in ('../a', '/etc/a'):
            with pytest.raises(UserError, match='leaves the folder of features'):
                LoadFeature(tmp_path)({'frame_dir': name})
        with pytest.raises(UserError, match='dataset.feature_root=FOLDER'):
            LoadFeature()({'frame_dir': 'a'})


class TestTracksWithCrops:
    @pytest.fixture
    def tracks(self, tmp_path) -> Path:
        return write_tracks(tmp_path / 'poses', 4)

    def test_none_some_all(self, tracks) -> None:
        dataset = TrackDataset(str(tracks), split='train')
        assert dataset.metainfo['rgb_crops']['stored'] == 0
        assert 'crops' not in dataset.get_data_info(0)
        files = sorted(tracks.rglob('*.npz'))
        for file in files[1:]:
            write_crops(file)
        partly = TrackDataset(str(tracks), split='train')
        assert partly.metainfo['rgb_crops'] == {'clips': 12, 'stored': 11, 'lacking': ['arms/arms_00.mp4']}
        assert 'crops' not in partly.get_data_info(0)
        write_crops(files[0])
        whole = TrackDataset(str(tracks), split='val', feature_root='f')
        assert whole.metainfo['rgb_crops'] == {'clips': 12, 'stored': 12, 'lacking': []}
        one = whole.get_data_info(0)
        assert Path(one['crops']) == crops_path(one['track'])
        assert LoadCrops(4)({**one, 'rng': np.random.default_rng(0)})['rgb'].shape == (4, 3, SIZE, SIZE)
        without = TrackDataset(str(tracks), crops=False)
        assert 'rgb_crops' not in without.metainfo
        assert 'crops' not in without.get_data_info(0)

    def test_digest_tells_the_clips_of_splits_apart(self, tracks) -> None:
        digests = [
            TrackDataset(str(tracks), split=part, split_seed=seed).metainfo['clips_digest']
            for part, seed in (('train', 0), ('train', 0), ('test', 0), ('train', 1))
        ]
        assert digests[0] == digests[1]
        assert len(set(digests)) == 3
