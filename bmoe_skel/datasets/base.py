"""What every pose dataset shares: validation of its clips, one random generator a sample, and the metainfo."""

from __future__ import annotations

import hashlib
import math
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from bmoe_ground.errors import UserError
from bmoe_ground.memory import release_heap
from bmoe_skel.clip import Clip
from mm_runtime.determinism import SharedEpoch
from pose_extract.layout_conversion import COMMON, convert_keypoints
from pose_extract.skeletons import embed_declaration, get_skeleton, register_embedded, resolve_skeleton


class PoseDataset(BaseDataset):
    """Clips of keypoints with labels.

    A clip is a :class:`Clip` with ``frame_dir``, ``label``, ``keypoint`` and perhaps ``keypoint_score``; other keys are
    kept. All clips are kept in one serialized array, which forked data loader workers share.

    Subclasses implement ``load_clips``. One whose labels are not published sets ``labels_hidden``; its labels are not
    checked and not counted.

    Args:
        pipeline: Transforms, dicts in and out.
        skeleton: Keypoint layout, by name or by the YAML file that declares it (:mod:`pose_extract.declarations`);
            None takes what the data declares.
        layout: Layout to bring all clips to, such as the one that a model to start from reads; None leaves them in
            their own. With :data:`pose_extract.layout_conversion.COMMON`, points that they lack are absent, and a third
            coordinate is left out.
        classes: Class names in label order; None takes what the data declares.
        multi_label: Whether a clip may have several labels at once.
        test_mode: Whether a clip that fails in the pipeline is an error instead of being replaced by another.
        seed: Seed of the random transforms; replaced by the run's seed in training.
        feature_root: Folder of precomputed features, for ``LoadFeature``.
        metainfo: Further facts to store with the dataset, such as ``body_parts``.
        epoch_clips: Clips that an epoch visits at least: a smaller set is gone through several times, with new random
            numbers each time, so that a schedule in epochs is as long for a small set as for a large one. 0 for once.

    Raises:
        UserError: A clip, its label or its keypoints do not fit; the message names the clip.
    """

    labels_hidden = False

    unit = 'clips'  # what a sample is called on the screen

    def __init__(
        self,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        skeleton: str | None = None,
        classes: Sequence[str] | None = None,
        multi_label: bool = False,
        test_mode: bool = False,
        seed: int = 0,
        feature_root: str | None = None,
        metainfo: dict[str, Any] | None = None,
        epoch_clips: int = 0,
        layout: str | None = None,
    ) -> None:
        if epoch_clips < 0:
            raise UserError(f'epoch_clips must be at least 0, got {epoch_clips}')
        self.epoch_clips = epoch_clips
        self.skeleton_name = None if skeleton is None else resolve_skeleton(skeleton).name
        self.class_names = None if classes is None else list(classes)
        self.layout = layout
        self.multi_label = multi_label
        self.feature_root = feature_root
        self.shared_epoch = SharedEpoch(seed)
        super().__init__(metainfo=metainfo, pipeline=list(pipeline), test_mode=test_mode, serialize_data=True)

    @property
    def source(self) -> str:
        """What the clips come from, for error messages."""
        raise NotImplementedError

    def load_clips(self) -> list[Clip]:
        """Read the clips, and set ``skeleton_name`` and ``class_names`` where they were None."""
        raise NotImplementedError

    def load_data_list(self) -> list[Clip]:
        """Read and validate all clips; called once by mmengine.

        Returns:
            One dict a clip.
        """
        clips = self.load_clips()
        if not clips:
            raise UserError(f'{self.source}: no clips')
        if self.skeleton_name is None:
            raise UserError(
                f'{self.source} does not say which skeleton it has; give the dataset skeleton=NAME or FILE.yaml'
            )
        skeleton = get_skeleton(self.skeleton_name)
        labels: list[Any] = [clip['label'] for clip in clips]
        if self.class_names is None:
            count = len(labels[0]) if self.multi_label else int(max(labels)) + 1
            self.class_names = [str(i) for i in range(count)]
        coordinates = None
        for clip in clips:
            coordinates = check_clip(clip, skeleton.num_keypoints, coordinates, self.source)
            if self.layout not in (None, skeleton.name):
                bring_to_layout(clip, skeleton.name, self.layout, self.source)
            if not self.labels_hidden:
                check_label(clip, self.class_names, self.multi_label, self.source)
        if self.layout not in (None, skeleton.name):
            skeleton, coordinates = get_skeleton(self.layout), clips[0]['keypoint'].shape[-1]
            self.skeleton_name = skeleton.name
        self._metainfo.update(
            classes=list(self.class_names),
            skeleton=self.skeleton_name,
            coordinates=coordinates,
            multi_label=self.multi_label,
            clips_digest=digest_names(str(clip.get('frame_dir')) for clip in clips),
            clip_seconds=usual_seconds(clips),
        )
        embed_declaration(self._metainfo, skeleton)
        if not self.labels_hidden:
            counts = count_classes([clip['label'] for clip in clips], len(self.class_names))
            self._metainfo['class_counts'] = counts.tolist()
        return clips

    def _serialize_data(self) -> tuple[np.ndarray, np.ndarray]:
        """Move the clips into one array of bytes, freeing each on the way: mmengine's own way holds them three times.

        Returns:
            The bytes, and (N,) where each clip ends in them.
        """
        content, ends = bytearray(), []
        self.data_list.reverse()
        while self.data_list:
            content += pickle.dumps(self.data_list.pop(), protocol=4)
            ends.append(len(content))
        release_heap()
        return np.frombuffer(content, dtype=np.uint8), np.array(ends, dtype=np.int64)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come to life in a data loader's process, which may not know a layout of somebody's own yet."""
        self.__dict__.update(state)
        register_embedded(self._metainfo, self.source)

    def __len__(self) -> int:
        """Clips that an epoch visits."""
        count = super().__len__()
        return count * max(1, math.ceil(self.epoch_clips / count)) if count else 0

    def get_data_info(self, idx: int) -> Clip:
        """Return one clip; clips beyond the last one are the same again."""
        if not -len(self) <= idx < len(self):
            raise IndexError(f'clip {idx} of {len(self)}')
        return super().get_data_info(idx % super().__len__())

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one clip with random numbers that depend on seed, epoch and ``idx`` only.

        Args:
            idx: The clip's position.

        Returns:
            What the pipeline's last transform returns.
        """
        clip = self.get_data_info(idx)
        clip['rng'] = self.shared_epoch.generator(idx)
        clip['skeleton'] = self._metainfo['skeleton']
        clip['classes'] = self._metainfo['classes']
        clip['persons'] = self._metainfo.get('persons', 1)
        if self.feature_root is not None:
            clip['feature_root'] = self.feature_root
        return self.pipeline(clip)


def usual_seconds(clips: Sequence[Clip]) -> list[float]:
    """How long clips last: their median, and what 95 % of them do not exceed, in seconds to three digits.

    Clips without ``frame_times`` have 30 frames a second, as :func:`bmoe_skel.transforms.temporal.pace` takes it.

    Args:
        clips: Checked clips, at least one.

    Example:
        >>> usual_seconds([{'keypoint': np.zeros((1, 60, 17, 2))}])
        [2.0, 2.0]
    """
    lasting = []
    for clip in clips:
        times = clip.get('frame_times')
        if times is None or len(times) < 2:
            lasting.append(clip['keypoint'].shape[1] / 30)
        else:
            lasting.append(float(times[-1] - times[0] + np.median(np.diff(times))))
    return [round(max(float(value), 0.001), 3) for value in np.percentile(lasting, (50, 95))]


def check_clip(clip: Clip, num_keypoints: int, coordinates: int | None, source: str) -> int:
    """Check one clip's arrays and give them their types.

    Args:
        clip: The clip; ``keypoint`` and ``keypoint_score`` are replaced by float32 arrays.
        num_keypoints: K of the skeleton.
        coordinates: C of the clips before, None for the first.
        source: Name of the data, for the error.

    Returns:
        C, 2 or 3.

    Raises:
        UserError: A key is missing or an array has another shape.
    """
    name = clip.get('frame_dir', '?')
    if 'keypoint' not in clip:
        raise UserError(f'{source}: clip {name!r} has no key "keypoint"; its keys: {sorted(clip)}')
    keypoint = np.asarray(clip['keypoint'])
    if keypoint.dtype.kind not in 'fiu':
        raise UserError(f'{source}: clip {name!r}: keypoint is of type {keypoint.dtype}, expected numbers')
    if keypoint.ndim != 4 or keypoint.shape[2] != num_keypoints or keypoint.shape[3] not in (2, 3):
        raise UserError(
            f'{source}: clip {name!r}: keypoint has shape {keypoint.shape}, expected (M, T, {num_keypoints}, 2 or 3). '
            'Is the skeleton right?'
        )
    if 0 in keypoint.shape:
        raise UserError(f'{source}: clip {name!r}: keypoint has shape {keypoint.shape}: no person or no frame')
    if coordinates is not None and keypoint.shape[3] != coordinates:
        raise UserError(f'{source}: clip {name!r} has {keypoint.shape[3]} coordinates, those before it {coordinates}')
    clip['keypoint'] = keypoint.astype(np.float32, copy=False)
    score = clip.get('keypoint_score')
    if score is not None:
        score = np.asarray(score, dtype=np.float32)
        if score.shape != keypoint.shape[:3]:
            raise UserError(
                f'{source}: clip {name!r}: keypoint_score has shape {score.shape}, expected {keypoint.shape[:3]}'
            )
        clip['keypoint_score'] = score
    return int(keypoint.shape[3])


def bring_to_layout(clip: Clip, skeleton: str, layout: str, source: str) -> None:
    """Turn one clip's keypoints into those of another layout, in place.

    Args:
        clip: Checked, in ``skeleton``; ``keypoint`` and ``keypoint_score`` are replaced. Without scores, a point
            that is absent has 0, any other 1.
        skeleton: Name of its layout.
        layout: Name of the wanted one; of :data:`pose_extract.layout_conversion.COMMON` points may be missing, and it
            has two coordinates.
        source: Name of the data, for the error.

    Raises:
        UserError: ``skeleton`` has not what ``layout`` needs.
    """
    points = clip['keypoint']
    scores = clip.get('keypoint_score')
    if scores is None:
        scores = np.isfinite(points).all(-1).astype(np.float32)
    if layout == COMMON:
        points = points[..., :2]
    try:
        points, scores = convert_keypoints(points, scores, skeleton, layout, partial=layout == COMMON)
    except UserError as error:
        raise UserError(f'{source}: layout={layout}: {error}') from error
    clip['keypoint'], clip['keypoint_score'] = points.astype(np.float32), scores.astype(np.float32)


def check_label(clip: Clip, classes: Sequence[str], multi_label: bool, source: str) -> None:
    """Check one clip's label.

    Args:
        clip: The clip; ``label`` is replaced by an int or a float32 vector.
        classes: Class names.
        multi_label: Whether a label is a 0/1 vector.
        source: Name of the data, for the error.

    Raises:
        UserError: The label is missing or out of range.
    """
    name = clip.get('frame_dir', '?')
    label = clip.get('label')
    if multi_label:
        vector = np.asarray(label, dtype=np.float32)
        if vector.shape != (len(classes),) or not np.isin(vector, (0, 1)).all():
            raise UserError(f'{source}: clip {name!r}: label {label!r} is no 0/1 vector of {len(classes)} classes')
        clip['label'] = vector
        return
    if not isinstance(label, (int, np.integer)) or not 0 <= label < len(classes):
        raise UserError(
            f'{source}: clip {name!r}: label {label!r} is not in 0..{len(classes) - 1} ({len(classes)} classes)'
        )
    clip['label'] = int(label)


def count_classes(labels: Sequence[Any], num_classes: int) -> np.ndarray:
    """Count the clips of each class.

    Args:
        labels: Ints, or (num_classes,) 0/1 vectors.
        num_classes: C.

    Returns:
        (C,) int64.
    """
    array = np.asarray(labels)
    if array.ndim == 2:
        return array.sum(0).astype(np.int64)
    return np.bincount(array.astype(np.int64), minlength=num_classes)


def digest_names(names: Iterable[str]) -> str:
    """Sum up which clips a set holds.

    Args:
        names: Clip names, in any order.

    Returns:
        16 hexadecimal digits; equal for equal sets.
    """
    return hashlib.sha256('\n'.join(sorted(names)).encode()).hexdigest()[:16]


def duplicates(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once.

    Args:
        names: Clip names.
    """
    return [name for name, count in Counter(names).items() if count > 1]
