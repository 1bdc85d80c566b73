from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rehearsal import SPLITS, TRAIN_COUNTS, make_clip, make_lists, make_subject, write_rehearsal
from benchmarks.rehearsal_floor import clip_statistics, linear_floor
from benchmarks.rehearsal_motions import LAYOUT, MOVES, rest_pose
from bmoe_ground.errors import UserError
from bmoe_skel.datasets import MA52Dataset
from bmoe_skel.datasets.ma52.classes import ACTIONS
from bmoe_skel.datasets.ma52.lists import read_list
from pose_extract.skeletons import get_skeleton


def test_every_action_has_moves_of_its_region() -> None:
    assert len(MOVES) == len(ACTIONS) == len(TRAIN_COUNTS)
    assert sum(TRAIN_COUNTS) == SPLITS['train']
    assert len(set(MOVES)) == len(MOVES)


def test_counts_are_those_of_the_official_list(shared_data) -> None:
    labels = [entry.label for entry in read_list(shared_data / 'ma52' / 'train_list_videos.txt')]
    assert tuple(np.bincount(labels)) == TRAIN_COUNTS


def test_rest_pose_is_a_mirror_image() -> None:
    pose, layout = rest_pose(), get_skeleton(LAYOUT)
    assert np.allclose(pose[layout.flip_indices] * [-1, 1], pose)
    at = {name: pose[i] for i, name in enumerate(layout.keypoints)}
    assert at['nose'][1] < at['neck'][1] < at['left_hip'][1] < at['left_knee'][1] < at['left_ankle'][1]
    assert at['right_shoulder'][0] < 0 < at['left_shoulder'][0]  # faces the camera


@pytest.mark.parametrize(
    ('action', 'moves', 'still'),
    [
        ('nodding', 'nose', 'left_ankle'),
        ('tiptoe', 'left_ankle', 'nose'),
        ('shaking body', 'neck', 'left_ankle'),
        ('rising up', 'left_hip', 'left_ankle'),
        ('crossing arms', 'left_wrist', 'nose'),
    ],
)
def test_the_named_joints_move(action, moves, still) -> None:
    names = get_skeleton(LAYOUT).keypoints
    spread = {name: [] for name in (moves, still)}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        keypoint, score = make_clip(ACTIONS.index(action), make_subject(rng), 60, rng)
        for name, values in spread.items():
            j = names.index(name)
            seen = score[0, :, j] > 0
            if seen.sum() > 30:
                # low and high percentiles: single slips of the estimator are no motion
                low, high = np.percentile(keypoint[0, seen, j], (5, 95), axis=0)
                values.append(np.linalg.norm(high - low))
    assert np.median(spread[moves]) > 1.5 * np.median(spread[still])


def test_absent_points_are_zero_with_score_zero() -> None:
    rng = np.random.default_rng(3)
    clips = [make_clip(9, make_subject(rng), 40, rng) for _ in range(20)]
    gone = [(keypoint == 0).all(-1) for keypoint, _ in clips]
    assert any(mask.any() for mask in gone)
    for mask, (keypoint, score) in zip(gone, clips, strict=True):
        assert (score[mask] == 0).all()
        assert (score[~mask] > 0).all()
        assert keypoint.dtype == score.dtype == np.float32


def test_published_counts_without_the_lists() -> None:
    made = make_lists(1.0, None, 0)
    assert {split: len(pairs) for split, pairs in made.items()} == SPLITS
    assert tuple(np.bincount([label for _, label in made['train']])) == TRAIN_COUNTS
    names = [name for pairs in made.values() for name, _ in pairs]
    assert len(set(names)) == len(names)
    assert made['test'][-1][0] == 'test5585.mp4'


def test_names_and_labels_of_the_official_lists(shared_data) -> None:
    made = make_lists(1.0, shared_data / 'ma52', 0)
    for split in ('train', 'val'):
        entries = read_list(shared_data / 'ma52' / f'{split}_list_videos.txt')
        assert made[split] == [entry[:2] for entry in entries]
    assert [name for name, _ in made['test']] == [f'test{i:04d}.mp4' for i in range(5586)]
    assert len({label for _, label in made['test']}) == 52


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('rehearsal')
    assert write_rehearsal(folder, scale=0.02)['test'] >= 3 * 52
    return folder


class TestWritten:
    def test_reads_back_as_ma52(self, folder) -> None:
        for split in SPLITS:
            dataset = MA52Dataset(str(folder), split)
            assert len(dataset) + len(dataset.unseen) == len(read_list(folder / f'{split}_list_videos.txt'))
        assert (folder / 'train_list_videos.txt').read_bytes().endswith(b'\r\n')
        hidden = read_list(folder / 'test_list_videos.txt')
        answers = read_list(folder / 'test_answers.txt')
        assert not any(entry.label for entry in hidden)
        assert [entry.name for entry in hidden] == [entry.name for entry in answers]
        assert {entry.label for entry in answers} == set(range(52))

    def test_same_seed_same_files(self, folder, tmp_path) -> None:
        write_rehearsal(tmp_path, scale=0.02)
        for path in folder.iterdir():
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name

    def test_replaces_nothing_unasked(self, folder) -> None:
        with pytest.raises(UserError, match='perhaps the real ones'):
            write_rehearsal(folder, scale=0.02)
        with pytest.raises(UserError, match='--scale 0'):
            make_lists(0, None, 0)

    @pytest.mark.slow
    def test_linear_model_is_above_chance_and_below_the_bound(self, folder) -> None:
        found = linear_floor(folder, alphas=(100.0,))
        assert 0.03 < found['f1_macro_action'] < 0.6


def test_clip_statistics_by_hand() -> None:
    keypoint = np.zeros((1, 4, 2, 2), np.float32)
    keypoint[0, :, 0, 0] = [0, 1, 2, 5]
    visible = np.ones((1, 4, 2), bool)
    visible[0, :, 1] = False
    found = clip_statistics(keypoint, visible).reshape(7, 2, 2)
    assert found[0, 0, 0] == 2
    assert found[1, 0, 0] == pytest.approx(np.std([0, 1, 2, 5]))
    assert found[4, 0, 0] == 5
    assert found[5, 0, 0] == pytest.approx(5 / 3)
    assert found[6, 0, 0] == 3
    assert (found[:, 1] == 0).all()
