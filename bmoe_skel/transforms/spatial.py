"""Spatial transforms of pose clips: dicts in, dicts out, numpy only, random numbers from the sample's own generator.

:class:`bmoe_skel.clip.Clip` lists the keys. All but NormalizePose also work after ``SampleFrames``,
on (S, M, T, V, C). Invisible keypoints have coordinates 0. The arrays are
the sample's own: transforms may write into them. Lengths are in body sizes, see :class:`NormalizePose`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_skel.clip import Clip
from bmoe_skel.registry import TRANSFORMS
from pose_extract.skeletons import REGIONS, Skeleton, get_skeleton

VIEWS = ('auto', 'none', 'yaw', 'full')


@TRANSFORMS.register_module()
class NormalizePose:
    """Bring a clip to a common place, size and, for 3D, direction of view.

    The origin is the body's centre (the first person's, mean over the clip's frames), the unit the body's size: the
    root mean square over its bones of each bone's median length. Both ignore what is not visible, so that a body of
    which only the upper half is seen is scaled like a whole one.

    Args:
        min_score: Keypoints with a lower score are invisible.
        view: For 3D: 'none', 'yaw' (turn about the vertical axis, y, until shoulders and hips lie along x), or 'full'
            (also bring the spine upright). The turn is one for the whole clip. 'auto' is 'yaw' for 3D and 'none' for
            2D, which cannot be turned.

    Raises:
        UserError: No keypoint of the clip is visible, or ``view`` needs 3D.
    """

    def __init__(self, min_score: float = 0.0, view: str = 'auto') -> None:
        if view not in VIEWS:
            raise ValueError(f'unknown view {view!r}; choose one of {VIEWS}')
        self.min_score = min_score
        self.view = view

    def __call__(self, clip: Clip) -> Clip:
        """Normalise one clip and add ``visible``."""
        skeleton = get_skeleton(clip['skeleton'])
        keypoint = np.asarray(clip['keypoint'], dtype=np.float32)
        visible = np.isfinite(keypoint).all(-1)
        score = clip.pop('keypoint_score', None)
        if score is not None:
            visible &= np.nan_to_num(score) > self.min_score
        if not visible.any():
            raise UserError(f'clip {clip.get("frame_dir")!r} has no visible keypoint in any frame')
        keypoint = np.where(visible[..., None], keypoint, 0)
        origin = _center(keypoint, visible, skeleton)
        keypoint = keypoint - origin
        view = self.view
        if view == 'auto':
            view = 'yaw' if keypoint.shape[-1] == 3 else 'none'
        if view != 'none':
            if keypoint.shape[-1] != 3:
                raise UserError(
                    f'NormalizePose(view={self.view!r}) needs 3D keypoints, {clip.get("frame_dir")!r} is 2D'
                )
            keypoint = keypoint @ view_rotation(keypoint, visible, skeleton, view).T
        keypoint /= body_size(keypoint, visible, skeleton)
        clip['keypoint'] = np.where(visible[..., None], keypoint, 0).astype(np.float32)
        clip['visible'] = visible
        return clip


def _masked_mean(values: np.ndarray, mask: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    weight = mask[..., None].astype(np.float64)
    return (values * weight).sum(axis) / np.maximum(weight.sum(axis), 1e-9)


def _center(keypoint: np.ndarray, visible: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(C,) mean place of the first visible person's centre keypoints, or of all it shows if those are hidden."""
    person = int(visible.any((1, 2)).argmax())
    points, mask = keypoint[person], visible[person]
    joints = list(skeleton.center)
    if mask[:, joints].any():
        points, mask = points[:, joints], mask[:, joints]
    return _masked_mean(points, mask, (0, 1))


def body_size(keypoint: np.ndarray, visible: np.ndarray, skeleton: Skeleton) -> float:
    """Measure a body by its bones.

    Args:
        keypoint: (M, T, V, C).
        visible: (M, T, V) bool.
        skeleton: The layout.

    Returns:
        Root mean square over bones of the median length over persons and frames in which both ends are visible; the
        spread of the visible keypoints if no bone is, 1 if they all coincide.
    """
    edges = np.array(skeleton.edges)
    both = visible[:, :, edges[:, 0]] & visible[:, :, edges[:, 1]]
    length = np.linalg.norm(keypoint[:, :, edges[:, 0]] - keypoint[:, :, edges[:, 1]], axis=-1)
    shown = both.any((0, 1))
    if both.all():
        medians = np.median(length, axis=(0, 1))
    else:
        medians = np.nanmedian(np.where(both, length, np.nan)[:, :, shown], axis=(0, 1))
    size = float(np.sqrt(np.mean(np.square(medians)))) if shown.any() else 0.0
    if size <= 1e-6:
        size = float(keypoint[visible].std()) if visible.any() else 0.0
    return size if size > 1e-6 else 1.0


def view_rotation(keypoint: np.ndarray, visible: np.ndarray, skeleton: Skeleton, view: str) -> np.ndarray:
    """Find the rotation that turns a body to face a common direction.

    Args:
        keypoint: (M, T, V, 3), y vertical.
        visible: (M, T, V) bool.
        skeleton: The layout; its shoulders and hips give the direction.
        view: 'yaw' or 'full'.

    Returns:
        (3, 3) rotation R, to be applied as ``keypoint @ R.T``; the identity where the direction cannot be told.
    """
    person = int(visible.any((1, 2)).argmax())
    points, mask = keypoint[person], visible[person]

    def mean_vector(start: Sequence[int], end: Sequence[int]) -> np.ndarray:
        both = mask[:, list(start)].all(1) & mask[:, list(end)].all(1)
        if not both.any():
            return np.zeros(3)
        return (points[both][:, list(end)].mean(1) - points[both][:, list(start)].mean(1)).mean(0)

    left = [skeleton.shoulders[0], skeleton.hips[0]]
    right = [skeleton.shoulders[1], skeleton.hips[1]]
    side = mean_vector(right, left)
    up = np.array([0.0, 1.0, 0.0])
    if view == 'full':
        spine = mean_vector(skeleton.hips, skeleton.shoulders)
        if np.linalg.norm(spine) > 1e-6:
            up = spine / np.linalg.norm(spine)
    side = side - (side @ up) * up
    if np.linalg.norm(side) < 1e-6:
        return np.eye(3)
    x = side / np.linalg.norm(side)
    return np.stack([x, up, np.cross(x, up)])


@TRANSFORMS.register_module()
class RandomAffine:
    """Rotate, scale and shear the whole clip by one random matrix.

    Args:
        rotation: For 2D, largest angle in the image plane, in radians.
        yaw: For 3D, largest angle about the vertical axis (y), in radians.
        tilt: For 3D, largest angle about each of the other axes, in radians.
        scale: Largest change of size, as a share: 0.1 draws from 0.9..1.1.
        stretch: Largest change of each axis on its own, as a share.
        shear: Largest shear factor.
        prob: Share of clips that are changed.
    """

    def __init__(
        self,
        rotation: float = 0.0,
        yaw: float = 0.0,
        tilt: float = 0.0,
        scale: float = 0.0,
        stretch: float = 0.0,
        shear: float = 0.0,
        prob: float = 1.0,
    ) -> None:
        self.rotation, self.yaw, self.tilt = rotation, yaw, tilt
        self.scale, self.stretch, self.shear = scale, stretch, shear
        self.prob = prob

    def matrix(self, rng: np.random.Generator, dims: int) -> np.ndarray:
        """Draw a matrix.

        Args:
            rng: Random numbers.
            dims: 2 or 3.

        Returns:
            (dims, dims), to be applied as ``keypoint @ matrix.T``.
        """
        if dims == 2:
            angle = rng.uniform(-self.rotation, self.rotation)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        else:
            tilt_x, tilt_z = rng.uniform(-self.tilt, self.tilt, 2)
            yaw = rng.uniform(-self.yaw, self.yaw)
            turn = _rotation3(0, tilt_x) @ _rotation3(2, tilt_z) @ _rotation3(1, yaw)
        size = np.diag(rng.uniform(1 - self.stretch, 1 + self.stretch, dims)) * rng.uniform(
            1 - self.scale, 1 + self.scale
        )
        shear = np.eye(dims) + rng.uniform(-self.shear, self.shear, (dims, dims)) * (1 - np.eye(dims))
        return (size @ shear @ turn).astype(np.float32)

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        if clip['rng'].random() < self.prob:
            clip['keypoint'] = clip['keypoint'] @ self.matrix(clip['rng'], clip['keypoint'].shape[-1]).T
        return clip


def _rotation3(axis: int, angle: float) -> np.ndarray:
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


@TRANSFORMS.register_module()
class RandomJitter:
    """Add noise to every visible keypoint: a constant offset of each joint and independent noise of each frame.

    Args:
        joint: Standard deviation of a joint's offset over the clip, in body sizes.
        frame: Standard deviation of the noise of each frame, in body sizes.
        prob: Share of clips that are changed.
    """

    def __init__(self, joint: float = 0.0, frame: float = 0.0, prob: float = 1.0) -> None:
        self.joint, self.frame, self.prob = joint, frame, prob

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        rng, keypoint = clip['rng'], clip['keypoint']
        if rng.random() >= self.prob:
            return clip
        constant = (*keypoint.shape[:-3], 1, *keypoint.shape[-2:])  # one draw for all frames
        noise = rng.normal(0, self.joint, constant) if self.joint else 0
        if self.frame:
            noise = noise + rng.normal(0, self.frame, keypoint.shape)
        clip['keypoint'] = (keypoint + noise * clip['visible'][..., None]).astype(np.float32)
        return clip


@TRANSFORMS.register_module()
class DropJoints:
    """Hide single joints or a whole region for the whole clip, as furniture, hands and picture borders do.

    At least one keypoint stays visible.

    Args:
        joint_prob: Chance of each joint to be hidden, in clips that are changed.
        joint_clip_prob: Share of clips in which joints are hidden.
        region_prob: Share of clips in which one random region is hidden.
    """

    def __init__(self, joint_prob: float = 0.1, joint_clip_prob: float = 0.0, region_prob: float = 0.0) -> None:
        self.joint_prob, self.joint_clip_prob, self.region_prob = joint_prob, joint_clip_prob, region_prob

    def __call__(self, clip: Clip) -> Clip:
        """Change one clip."""
        rng, visible = clip['rng'], clip['visible']
        hidden = np.zeros(visible.shape[-1], dtype=bool)
        if rng.random() < self.joint_clip_prob:
            hidden |= rng.random(len(hidden)) < self.joint_prob
        if rng.random() < self.region_prob:
            region = REGIONS[rng.integers(len(REGIONS))]
            hidden[list(get_skeleton(clip['skeleton']).regions[region])] = True
        if not hidden.any() or not (visible & ~hidden).any():
            return clip
        clip['visible'] = visible & ~hidden
        clip['keypoint'] = clip['keypoint'] * clip['visible'][..., None]
        return clip
