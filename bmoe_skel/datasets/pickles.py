"""Clips from a pickle in the layout that pyskl and mmaction2 read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.base import PoseDataset
from bmoe_skel.datasets.folds import fold_mask
from bmoe_skel.registry import DATASETS
from pose_extract.skeletons import register_embedded


@DATASETS.register_module()
class PosePickleDataset(PoseDataset):
    """Clips of a pickle ``dict(split={name: [frame_dir, ...]}, annotations=[dict(frame_dir, label, keypoint, ...)])``.

    A bare list of annotations is read too. Class names and skeleton are taken from ``metainfo`` (keys ``classes`` and
    ``layout``, with ``layout_declaration`` for somebody's own) where the pickle has it. Without scores, keypoints at
    the origin are taken for absent ones, see :func:`mark_absent`. ``metainfo`` says in ``persons`` how many persons a
    clip of the file has at most.

    Args:
        ann_file: The pickle.
        split: Name of a split in the pickle, several names joined by ``+``, or None for all annotations.
        fold: Choose one side of a cross-validation inside the split; see :func:`bmoe_skel.datasets.folds.fold_mask`.
        max_persons: Persons kept of a clip: those who are seen the most.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The pickle is missing, holds other objects than numpy arrays and builtins, or has another layout.

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
        max_persons: int = 2,
        **kwargs: Any,
    ) -> None:
        if ann_file is None:
            raise UserError('no pickle given: --cfg-options dataset.ann_file=FILE.pkl')
        self.ann_path = os.fspath(ann_file)
        self.split = split
        self.fold = fold
        if max_persons < 1:
            raise UserError(f'max_persons must be at least 1, got {max_persons}')
        self.max_persons = max_persons
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
        content = load_pickle(self.ann_path)
        annotations, splits, metainfo = _parts(content, self.ann_path)
        mark_absent(annotations)
        persons = [keep_persons(annotation, self.max_persons) for annotation in annotations]
        self._metainfo['persons'] = max(persons, default=1)
        register_embedded(metainfo, self.ann_path)
        if self.skeleton_name is None:
            self.skeleton_name = metainfo.get('layout')
        if self.class_names is None and metainfo.get('classes'):
            self.class_names = [str(name) for name in metainfo['classes']]
        elif self.class_names is None and not self.multi_label:
            # counted over the whole file, so that a split without the last class agrees with the others
            self.class_names = [str(i) for i in range(1 + max(int(a.get('label', 0)) for a in annotations))]
        clips = cast(list[Clip], _choose(annotations, splits, self.split, self.ann_path))
        if self.fold is not None:
            mask = fold_mask(clips, dict(self.fold))
            clips = [clip for clip, chosen in zip(clips, mask, strict=True) if chosen]
        return clips


def _parts(content: Any, path: str) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    if isinstance(content, list):
        content = {'annotations': content}
    if not isinstance(content, dict) or 'annotations' not in content:
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise UserError(f'{path}: expected a dict with "annotations" (and "split") or a list of them, found {found}')
    annotations = content['annotations']
    for i, annotation in enumerate(annotations):
        if not isinstance(annotation, dict):
            raise UserError(f'{path}: annotation {i} is a {type(annotation).__name__}, expected a dict')
        if 'frame_dir' not in annotation:
            if 'filename' not in annotation:
                raise UserError(f'{path}: annotation {i} has neither "frame_dir" nor "filename"')
            annotation['frame_dir'] = str(annotation['filename'])
    return annotations, content.get('split') or {}, content.get('metainfo') or {}


def _choose(
    annotations: list[dict[str, Any]], splits: dict[str, Any], split: str | None, path: str
) -> list[dict[str, Any]]:
    if split is None:
        return annotations
    names: list[str] = []
    for part in split.split('+'):
        if part not in splits:
            raise UserError(f'{path} has no split {part!r}; it has {sorted(splits)}')
        names.extend(str(name) for name in splits[part])
    by_name = {str(annotation['frame_dir']): annotation for annotation in annotations}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise UserError(f'{path}: split {split!r} names {len(missing)} clips without annotation, first {missing[0]!r}')
    return [by_name[name] for name in names]


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
    return sorted(_parts(load_pickle(path), os.fspath(path))[1])
