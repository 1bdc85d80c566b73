from __future__ import annotations

import numpy as np
import pytest
import torch

from bmoe_skel.models.normalize import normalize_pose
from bmoe_skel.transforms import NormalizePose
from pose_extract.skeletons import get_skeleton, skeleton_names


def random_clips(n: int, skeleton: str, coordinates: int, seed: int, persons: int = 2, frames: int = 9) -> np.ndarray:
    """Clips of which joints, frames, a joint throughout and whole persons are absent; some coordinates infinite."""
    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).num_keypoints
    points = rng.normal(0, 40, (n, persons, frames, joints, coordinates)) + rng.uniform(-300, 300, (n, 1, 1, 1, 1))
    points[rng.random(points.shape[:4]) < 0.2] = np.nan
    points[rng.random(points.shape[:3]) < 0.2] = np.nan
    points[rng.random((n, persons, 1, joints)).repeat(frames, 2) < 0.1] = np.nan
    points[rng.random((n, persons)) < 0.3] = np.nan
    points[rng.random(points.shape[:4]) < 0.02, 0] = np.inf
    return points.astype(np.float32)


def by_transform(clip: np.ndarray, skeleton: str) -> tuple[np.ndarray, np.ndarray]:
    done = NormalizePose()({'keypoint': clip, 'skeleton': skeleton})
    return done['keypoint'], done['visible']


def assert_equal(clips: np.ndarray, skeleton: str) -> int:
    """Compare every clip with the transform; returns how many were compared."""
    found, visible = normalize_pose(torch.from_numpy(clips), skeleton)
    assert found.dtype == torch.float32
    compared = 0
    for clip, mine, shown in zip(clips, found.numpy(), visible.numpy(), strict=True):
        if np.isfinite(clip).all(-1).any():
            keypoint, seen = by_transform(clip, skeleton)
            np.testing.assert_allclose(mine, keypoint, rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(shown, seen)
            compared += 1
        else:
            assert not mine.any() and not shown.any()
    return compared


@pytest.mark.parametrize('coordinates', [2, 3])
@pytest.mark.parametrize('skeleton', skeleton_names())
def test_equals_the_transform(skeleton: str, coordinates: int) -> None:
    assert assert_equal(random_clips(8, skeleton, coordinates, seed=3), skeleton) >= 4


@pytest.mark.parametrize('coordinates', [2, 3])
@pytest.mark.parametrize('frames', [1, 2, 30])
def test_equals_the_transform_at_any_length(frames: int, coordinates: int) -> None:
    for seed in range(5):
        clips = random_clips(6, 'coco17', coordinates, seed, persons=1 + seed % 3, frames=frames)
        assert assert_equal(clips, 'coco17') >= 1


@pytest.mark.parametrize('coordinates', [2, 3])
def test_equals_the_transform_where_little_is_seen(coordinates: int) -> None:
    layout = get_skeleton('coco17')
    whole = random_clips(1, 'coco17', coordinates, seed=0, persons=1)[0]
    rng = np.random.default_rng(1)
    whole[:] = rng.normal(0, 5, whole.shape)

    def only(*joints: int) -> np.ndarray:
        clip = np.full_like(whole, np.nan)
        clip[:, :, list(joints)] = whole[:, :, list(joints)]
        return clip

    without_center, coincident = whole.copy(), only(0)
    without_center[:, :, list(layout.center)] = np.nan
    coincident[:] = np.where(np.isfinite(coincident), 7, np.nan)
    ends = (0, 16)
    assert tuple(ends) not in layout.edges  # no bone: the spread is the size
    clips = np.stack([whole, only(*ends), only(*layout.shoulders), without_center, coincident, np.zeros_like(whole)])
    assert assert_equal(clips, 'coco17') == len(clips)


def test_nothing_of_one_clip_reaches_another() -> None:
    clips = torch.from_numpy(random_clips(4, 'coco17', 3, seed=5))
    together, _ = normalize_pose(clips, 'coco17')
    for i in range(4):
        assert torch.equal(normalize_pose(clips[i : i + 1], 'coco17')[0][0], together[i])


def test_place_size_and_yaw_are_taken_out() -> None:
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(2, 1, 5, 17, 3, generator=generator, dtype=torch.float64)
    wanted, _ = normalize_pose(clips, 'coco17')
    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.eye(3, dtype=torch.float64)
    turn[0, 0] = turn[2, 2] = angle.cos()
    turn[0, 2], turn[2, 0] = angle.sin(), -angle.sin()
    torch.testing.assert_close(normalize_pose(5 * clips @ turn.T + 9, 'coco17')[0], wanted)
