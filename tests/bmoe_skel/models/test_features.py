from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from skeleton_clips import random_inputs, small_model

from bmoe_skel.models.features import MaskedStandardize, SkeletonFeatures, channels_of, distances, num_channels
from bmoe_skel.transforms.temporal import SampleFrames
from pose_extract.skeletons import get_skeleton


def clips(n: int = 3, t: int = 7, skeleton: str = 'coco17', coordinates: int = 2, hidden: float = 0.3):
    rng = np.random.default_rng(0)
    joints = get_skeleton(skeleton).num_keypoints
    keypoint = rng.normal(size=(n, t, joints, coordinates)).astype(np.float32)
    visible = rng.random((n, t, joints)) >= hidden
    visible[0, :2, list(get_skeleton(skeleton).center)] = False  # no centre in these frames
    visible[1, :, 5] = False  # a joint that the clip never shows
    visible[2, 4] = False  # a frame without anyone
    return keypoint, visible


def slow_channels(
    keypoint: np.ndarray, visible: np.ndarray, pace: np.ndarray, skeleton: str
) -> tuple[np.ndarray, np.ndarray]:
    """Place, from the centre, deviation, bone, its deviation, motion and velocity of both: frame by frame."""
    layout = get_skeleton(skeleton)
    parent = [int(p) for p in layout.parents]
    n, t, v, c = keypoint.shape
    out = np.zeros((n, t, v, 9, c))

    def bone(i: int, f: int, j: int) -> np.ndarray | None:
        if visible[i, f, j] and visible[i, f, parent[j]]:
            return keypoint[i, f, j] - keypoint[i, f, parent[j]]
        return None

    for i in range(n):
        for j in range(v):
            places = [keypoint[i, f, j] for f in range(t) if visible[i, f, j]]
            bones = [b for b in (bone(i, f, j) for f in range(t)) if b is not None]
            for f in range(t):
                if not visible[i, f, j]:
                    continue
                here = keypoint[i, f, j]
                out[i, f, j, 0] = here
                center = [keypoint[i, f, k] for k in layout.center if visible[i, f, k]]
                if center:
                    out[i, f, j, 1] = here - np.mean(center, axis=0)
                out[i, f, j, 2] = here - np.mean(places, axis=0)
                if bone(i, f, j) is not None:
                    out[i, f, j, 3] = bone(i, f, j)
                    out[i, f, j, 4] = bone(i, f, j) - np.mean(bones, axis=0)
                if f + 1 < t and visible[i, f + 1, j]:
                    out[i, f, j, 5] = keypoint[i, f + 1, j] - here
                    if bone(i, f, j) is not None and bone(i, f + 1, j) is not None:
                        out[i, f, j, 6] = bone(i, f + 1, j) - bone(i, f, j)
                if pace[i, f] > 0:
                    out[i, f, j, 7:] = out[i, f, j, 5:7] / pace[i, f]
    apart = np.zeros((n, t, v, v))
    for i, f, j, k in itertools.product(*map(range, apart.shape)):
        if visible[i, f, j] and visible[i, f, k]:
            apart[i, f, j, k] = np.sqrt(sum((keypoint[i, f, j] - keypoint[i, f, k]) ** 2))
    return out.reshape(n, t, v, 9 * c), apart


@pytest.mark.parametrize(('skeleton', 'coordinates'), [('coco17', 2), ('ntu25', 3)])
def test_channels_equal_the_slow_loop(skeleton: str, coordinates: int) -> None:
    keypoint, visible = clips(skeleton=skeleton, coordinates=coordinates)
    model = SkeletonFeatures(skeleton, coordinates).eval()
    pace = np.random.default_rng(1).uniform(0.1, 2, keypoint.shape[:2]).astype(np.float32)
    pace[0, 3] = 0  # a moment that stands still
    got = model(*map(torch.from_numpy, (keypoint, visible, pace))).numpy()
    assert got.shape[-1] == model.num_channels
    wanted, apart = slow_channels(keypoint, visible, pace, skeleton)
    scale = math.sqrt(1 + 1e-5)  # statistics at their start: 0 and 1
    own = 9 * coordinates
    np.testing.assert_allclose(got[..., :own], wanted / scale, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(got[..., own], visible)
    np.testing.assert_allclose(got[..., own + 1 :], apart / scale, rtol=1e-5, atol=2e-4)


def test_distances_do_not_change_with_the_direction_of_view() -> None:
    keypoint, _ = clips(coordinates=3, skeleton='ntu25')
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0].astype(np.float32)
    before, after = (distances(torch.from_numpy(k)) for k in (keypoint, keypoint @ turn + 5))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=2e-4)
    point = torch.zeros(1, 1, 2, 2, requires_grad=True)  # two joints at one place
    distances(point).sum().backward()
    assert torch.isfinite(point.grad).all()


def test_velocity_does_not_depend_on_how_a_clip_is_stretched() -> None:
    clip = {'keypoint': np.linspace(0, 29, 30, dtype=np.float32)[None, :, None, None] * np.ones((1, 30, 17, 2))}
    clip |= {'visible': np.ones((1, 30, 17), bool), 'rng': np.random.default_rng(0)}
    model = SkeletonFeatures('coco17', 2).eval()
    for frames, warp in ((8, 0.0), (64, 0.0), (32, 1.0)):
        cut = SampleFrames(frames, crop=(1.0, 1.0), warp=warp)(dict(clip))
        arrays = cut['keypoint'][0], cut['visible'][0], cut['pace']
        step, bone_step, velocity, bone_velocity = model(*map(torch.from_numpy, arrays))[0, :-1, :, 10:18].split(2, -1)
        torch.testing.assert_close(velocity, torch.ones_like(velocity), rtol=1e-4, atol=1e-4)
        assert (step - velocity).abs().max() > 0.1
        assert not bone_step.any()
        assert not bone_velocity.any()


class TestMaskedStandardize:
    def test_equals_batch_norm_where_all_is_visible(self) -> None:
        torch.manual_seed(0)
        ours, theirs = MaskedStandardize((5, 3)), torch.nn.BatchNorm1d(15, affine=False)
        for _ in range(3):
            x = 3 * torch.randn(4, 6, 5, 3) + 1
            mask = torch.ones(4, 6, 5, 1, dtype=torch.bool)
            wanted = theirs(x.flatten(0, 1).flatten(1)).view_as(x)
            torch.testing.assert_close(ours(x, mask), wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.mean.flatten(), theirs.running_mean)
        # torch's running variance is the unbiased one
        start = 0.9**3
        torch.testing.assert_close(ours.var.flatten() - start, (theirs.running_var - start) * 23 / 24)

    def test_equals_numpy_under_a_mask(self) -> None:
        rng = np.random.default_rng(0)
        x, mask = rng.normal(2, 3, (4, 6, 5, 3)).astype(np.float32), rng.random((4, 6, 5, 1)) > 0.4
        layer = MaskedStandardize((5, 3), momentum=0.25)
        got = layer(torch.from_numpy(x), torch.from_numpy(mask)).numpy()
        for v in range(5):
            seen = mask[:, :, v, 0]
            mean, var = x[:, :, v][seen].mean(0), x[:, :, v][seen].var(0)
            np.testing.assert_allclose(got[:, :, v][seen], (x[:, :, v][seen] - mean) / np.sqrt(var + 1e-5), atol=1e-4)
            assert not got[:, :, v][~seen].any()
            np.testing.assert_allclose(layer.mean[v], 0.25 * mean, rtol=1e-4)
            np.testing.assert_allclose(layer.var[v], 0.75 + 0.25 * var, rtol=1e-4)

    def test_a_joint_that_nobody_shows_keeps_its_statistics(self) -> None:
        layer = MaskedStandardize((2, 1))
        mask = torch.tensor([True, False]).view(1, 1, 2, 1).expand(3, 4, 2, 1)
        out = layer(torch.randn(3, 4, 2, 1) + 5, mask)
        assert layer.mean[0] != 0
        assert layer.mean[1] == 0
        assert layer.var[1] == 1
        assert not out[:, :, 1].any()

    def test_evaluation_uses_and_keeps_the_running_statistics(self) -> None:
        layer = MaskedStandardize((2, 1))
        layer.mean.fill_(2.0)
        layer.var.fill_(4.0)
        layer.eval()
        x = torch.randn(3, 4, 2, 1)
        torch.testing.assert_close(layer(x, torch.ones_like(x, dtype=torch.bool)), (x - 2) / math.sqrt(4 + 1e-5))
        assert (layer.mean == 2).all()
        assert (layer.var == 4).all()


def test_padding_frames_change_nothing_even_in_training() -> None:
    inputs = random_inputs(batch=3, frames=12)
    inputs['visible'][1, ..., 7] = False
    padded = {
        'keypoint': torch.nn.functional.pad(inputs['keypoint'], (0, 0, 0, 0, 0, 4), value=50.0),
        'visible': torch.nn.functional.pad(inputs['visible'], (0, 0, 0, 4)),
        'pace': torch.nn.functional.pad(inputs['pace'], (0, 4)),
    }
    results = []
    for batch in (inputs, padded):
        model = small_model().train()
        model.head.drop.p = 0.0
        results.append((model(batch), model.features.standardize.mean.clone(), model.features.standardize.var.clone()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('skeleton', ['coco17', 'ntu25'])
def test_channels_of_joints_leave_out_distances_to_the_others_only(skeleton: str) -> None:
    features = SkeletonFeatures(skeleton, 3).eval()
    keypoint, visible = (torch.from_numpy(array) for array in clips(skeleton=skeleton, coordinates=3, hidden=0))
    before = features(keypoint, visible, torch.ones(keypoint.shape[:2]))
    assert before.shape[-1] == num_channels(skeleton, 3)
    joints, moved = [6, 2], 4
    keypoint[:, :, moved] += 5
    after = features(keypoint, visible, torch.ones(keypoint.shape[:2]))
    chosen = channels_of(skeleton, features.num_channels, joints)
    changed = (after - before)[:, :, joints].abs().amax((0, 1, 2)) > 1e-4
    # of the last V channels those to the joint that moved have changed, and none that were chosen
    last = list(range(features.num_channels - features.standardize_distances.mean.shape[0], features.num_channels))
    assert changed[last].nonzero().flatten().tolist() == [moved]
    assert [column for column in chosen if column in last] == [last[6], last[2]]
    assert len(chosen) == len(set(chosen)) == features.num_channels - len(last) + 2


def test_fewer_channels_than_distances_are_refused() -> None:
    with pytest.raises(ValueError, match='16 channels cannot hold the distances to 17 joints of coco17'):
        channels_of('coco17', 16, [0])
