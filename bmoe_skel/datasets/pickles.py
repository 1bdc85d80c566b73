"""Clips from a pickle in the layout that pyskl and mmaction2 read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.skeleton_pickle import SkeletonClips, Third, read_skeleton_pickle
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.base import PoseDataset
from bmoe_skel.datasets.folds import fold_mask
from bmoe_skel.datasets.subjects import PARTS, split_by_subject
from bmoe_skel.registry import DATASETS
from mm_runtime.console import say_once
from pose_extract.skeletons import register_embedded


@DATASETS.register_module()
class PosePickleDataset(PoseDataset):
    """Clips of a pickle ``dict(split={name: [frame_dir, ...]}, annotations=[dict(frame_dir, label, keypoint, ...)])``.

    The file is read by :func:`bmoe_ground.skeleton_pickle.read_skeleton_pickle`, which says what else is read. Class
    names and skeleton are taken from ``metainfo`` (keys ``classes`` and ``layout``, with ``layout_declaration`` for
    somebody's own) where the pickle has it. Without scores, keypoints at the origin are taken for absent ones, see
    :func:`mark_absent`. ``metainfo`` says in ``persons`` how many persons a clip of the file has at most.

    Args:
        ann_file: The pickle.
        split: Name of a split in the pickle, several names joined by ``+``, or None for all annotations.
        fold: Choose one side of a cross-validation inside the split; see :func:`bmoe_skel.datasets.folds.fold_mask`.
        split_by: 'subject' deals the clips into 'train', 'val' and 'test' with every person in one part, by the key
            ``subject`` of the annotations; the file's own splits are not used then.
        split_ratio: Shares of the three parts where they are dealt; without a validation part, as the recipe for
            pickles has none.
        split_seed: Seed of that.
        max_persons: Persons kept of a clip: those who are seen the most.
        third: What the third number of a keypoint is, ``score`` or ``depth``; None tells by the values.
        first_label: The number of the first class, 1 for files that count from 1.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The pickle is missing, holds other objects than numpy arrays and builtins, or has another layout;
            the split is not in it, or one of its clips cannot be read or has no label.

    Example:
        >>> clips = bmoe_skel.PosePickleDataset('clips.pkl', skeleton='coco17')
        >>> len(clips), clips[0]['keypoint'].shape
        (6, (1, 24, 17, 2))
    """

    def __init__(
        self,
        ann_file: str | None,
        split: str | None = None,
        fold: dict[str, Any] | None = None,
        split_by: str | None = None,
        split_ratio: Sequence[float] = (0.75, 0.0, 0.25),
        split_seed: int = 0,
        max_persons: int = 2,
        third: Third | None = None,
        first_label: int = 0,
        **kwargs: Any,
    ) -> None:
        if ann_file is None:
            raise UserError('no pickle given: --cfg-options dataset.ann_file=FILE.pkl')
        self.ann_path = os.fspath(ann_file)
        self.split = split
        self.fold = fold
        if split_by not in (None, 'subject'):
            raise UserError(f"split_by={split_by!r}: expected None or 'subject'")
        if split_by and split is not None and not set(split.split('+')) <= set(PARTS):
            raise UserError(f'split_by={split_by}: unknown part {split!r}; choose of {", ".join(PARTS)}')
        self.split_by, self.split_ratio, self.split_seed = split_by, tuple(split_ratio), split_seed
        if max_persons < 1:
            raise UserError(f'max_persons must be at least 1, got {max_persons}')
        self.max_persons = max_persons
        if third not in (None, 'score', 'depth'):
            raise UserError(f"third must be 'score', 'depth' or None, got {third!r}")
        self.third, self.first_label = third, first_label
        self.unseen: list[str] = []
        super().__init__(**kwargs)

    @property
    def source(self) -> str:
        """The pickle and the split."""
        return self.ann_path + (f' (split {self.split})' if self.split else '')

    def load_clips(self) -> list[Clip]:
        """Read the pickle and choose the clips of the split and fold.

        Returns:
            The annotations, unchecked.
        """
        read = read_skeleton_pickle(self.ann_path, self.class_names, self.third, self.first_label)
        for note in read.notes:
            warnings.warn(f'{self.ann_path}: {note}', stacklevel=2)
        annotations = read.annotations
        mark_absent(annotations)
        persons = [keep_persons(annotation, self.max_persons) for annotation in annotations]
        self._metainfo['persons'] = max(persons, default=1)
        register_embedded(read.metainfo, self.ann_path)
        if self.skeleton_name is None:
            self.skeleton_name = read.layout
        clips = cast(list[Clip], _choose(read, None if self.split_by else self.split, self.ann_path))
        unlabelled = [clip['frame_dir'] for clip in clips if clip['label'] is None]
        if unlabelled and not self.labels_hidden:
            amount = f'{len(unlabelled)} of {len(clips)} clips have none'
            raise UserError(f'{self.source}: clip {unlabelled[0]!r} has no label ({amount})')
        if self.split_by:
            clips = self._part_by_subject(clips, read.splits)
        if self.class_names is None and read.classes:
            self.class_names = read.classes
        elif self.class_names is None and not self.multi_label:
            # counted over the whole file, so that a split without the last class agrees with the others
            labels = [a['label'] for a in annotations if isinstance(a['label'], int)]
            self.class_names = [str(i) for i in range(1 + max(labels, default=-1))]
        if self.fold is not None:
            mask = fold_mask(clips, dict(self.fold))
            clips = [clip for clip, chosen in zip(clips, mask, strict=True) if chosen]
        return self._seen(clips)

    def _seen(self, clips: list[Clip]) -> list[Clip]:
        """The clips in which somebody is; the others are counted and said."""
        self.unseen = [str(clip['frame_dir']) for clip in clips if _is_empty(_poses(cast(dict[str, Any], clip)))]
        if self.unseen:
            amount = f'{len(self.unseen)} of {len(clips)} clips in which nobody is seen are left out'
            warnings.warn(f'{self.source}: {amount}, first {self.unseen[0]!r}', stacklevel=2)
        left_out = set(self.unseen)
        return [clip for clip in clips if clip['frame_dir'] not in left_out]

    def _part_by_subject(self, clips: list[Clip], splits: dict[str, list[str]]) -> list[Clip]:
        """The clips of the wanted part, dealt so that nobody is in two."""
        if splits:
            say_once(f'{self.ann_path}: split by subject, its own splits {sorted(splits)} are not used')
        parts = split_by_subject(
            [clip['frame_dir'] for clip in clips],
            [str(clip['label']) for clip in clips],
            [_subject(clip) for clip in clips],
            [''] * len(clips),
            {part: share for part, share in zip(PARTS, self.split_ratio, strict=True) if share},
            self.split_seed,
            self.ann_path,
            field='the key "subject" in every annotation',
        )
        wanted = PARTS if self.split is None else self.split.split('+')
        return [clip for clip, part in zip(clips, parts, strict=True) if part in wanted]


def _subject(clip: Clip) -> str:
    """Who is seen, as text; empty where the annotation does not say."""
    value = clip.get('subject')
    if isinstance(value, np.generic | np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode(errors='replace')
    return str(value).strip() if isinstance(value, str | int) else ''


def _choose(read: SkeletonClips, split: str | None, path: str) -> list[dict[str, Any]]:
    """The clips of a split, in its order; a clip of it that cannot be read is an error."""
    names = [name for name, _ in read.faults] + [clip['frame_dir'] for clip in read.annotations]
    if split is not None:
        names = []
        for part in split.split('+'):
            if part not in read.splits:
                raise UserError(f'{path} has no split {part!r}; {_splits_to_set(read.splits)}')
            names.extend(read.splits[part])
    faults, by_name = dict(read.faults), {clip['frame_dir']: clip for clip in read.annotations}
    wrong = [name for name in names if name in faults]
    if wrong:
        more = f' ({len(wrong)} clips cannot be read)' if len(wrong) > 1 else ''
        raise UserError(f'{path}: {wrong[0]}: {faults[wrong[0]]}{more}')
    missing = [name for name in names if name not in by_name]
    if missing:
        raise UserError(f'{path}: split {split!r} names {len(missing)} clips without annotation, first {missing[0]!r}')
    return [by_name[name] for name in names]


def _splits_to_set(splits: dict[str, list[str]]) -> str:
    """What to tell someone whose file names its splits otherwise: the options, ready to paste."""
    if not splits:
        folds = ' '.join(
            f"{side}_dataloader.dataset.split=null '{side}_dataloader.dataset.fold={{part: {side}, num_folds: 5}}'"
            for side in ('train', 'test')
        )
        return f'it has none. Add "split" to the file, or train on four fifths of its clips: --cfg-options {folds}'
    listed = f'it has {sorted(splits)}'
    train = next((name for name in sorted(splits) if 'train' in name), None)
    if train is None:
        train = sorted(splits)[0]
    others = [train.replace('train', word) for word in ('test', 'val', 'valid', 'dev')]
    others += [name for name in sorted(splits) if 'train' not in name]
    test = next((name for name in others if name in splits and name != train), train)
    return (
        f'{listed}. Set the splits to use: --cfg-options train_dataloader.dataset.split={train} '
        f'test_dataloader.dataset.split={test}'
    )


def mark_absent(annotations: list[dict[str, Any]]) -> None:
    """Make NaN of keypoints that lie exactly at the origin, which is how such files write what was not seen.

    Clips with scores are left alone, and so are joints that lie at the origin nearly always: the skeletons were centred
    on them. A clip with nothing but zeros is left as it is, with a warning.

    Args:
        annotations: The clips; their ``keypoint`` (M, T, K, C) may be replaced. Other shapes are left to later checks.
    """
    clips = [clip for clip in annotations if _poses(clip) is not None and clip.get('keypoint_score') is None]
    clips = [clip for clip in clips if clip['keypoint'].shape[2] == clips[0]['keypoint'].shape[2]]
    zeros = [(clip['keypoint'] == 0).all(-1) for clip in clips]
    bodies = [~zero.all(2) for zero in zeros]  # frames that show a person
    at_origin = sum(zero[body].sum(0) for zero, body in zip(zeros, bodies, strict=True))
    centre = at_origin > 0.95 * sum(body.sum() for body in bodies)
    for clip, zero, body in zip(clips, zeros, bodies, strict=True):
        if zero.any() and body.any():
            keypoint = clip['keypoint'].astype(np.float32)
            keypoint[zero & ~(centre & body[..., None])] = np.nan
            clip['keypoint'] = keypoint
    empty = [clip.get('frame_dir') for clip, body in zip(clips, bodies, strict=True) if not body.any()]
    if empty:
        warnings.warn(f'{len(empty)} clips have every keypoint at the origin, first {empty[0]!r}', stacklevel=2)


def _poses(annotation: dict[str, Any]) -> np.ndarray | None:
    """The clip's keypoints (M, T, K, C); None where they are anything else, which later checks name."""
    keypoint = annotation.get('keypoint')
    usable = isinstance(keypoint, np.ndarray) and keypoint.ndim == 4 and keypoint.dtype.kind in 'fiu' and keypoint.size
    return keypoint if usable else None


def _is_empty(keypoint: np.ndarray | None) -> bool:
    """Whether no keypoint has finite coordinates; what is no keypoints at all is left to later checks."""
    return keypoint is not None and not np.isfinite(keypoint).all(-1).any()


def keep_persons(annotation: dict[str, Any], most: int) -> int:
    """Keep the persons of a clip who are seen the most, in their order.

    Args:
        annotation: The clip; ``keypoint`` (M, T, K, C) and ``keypoint_score`` may be cut. Other shapes are left to
            later checks.
        most: Persons to keep at most.

    Returns:
        How many persons the clip has now.
    """
    keypoint, score = _poses(annotation), annotation.get('keypoint_score')
    if keypoint is None:
        return 1
    seen = np.isfinite(keypoint).all(-1)
    if not isinstance(score, np.ndarray) or score.shape != seen.shape:
        score = None
    if score is not None:
        seen = seen * np.nan_to_num(score)
    amount = seen.sum((1, 2))
    kept = np.sort(np.argsort(-amount, kind='stable')[: min(most, max(int((amount > 0).sum()), 1))])
    if len(kept) < len(keypoint):
        annotation['keypoint'] = keypoint[kept]
        if score is not None:
            annotation['keypoint_score'] = score[kept]
    return len(kept)


def split_names(path: str | os.PathLike[str]) -> Sequence[str]:
    """List the splits of a pickle.

    Args:
        path: The pickle.
    """
    return sorted(read_skeleton_pickle(path).splits)
