"""Clips from a pickle in the layout that pyskl and mmaction2 read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from bmoe_skel.data.dataset import PoseDataset
from bmoe_skel.data.folds import fold_mask
from bmoe_skel.registry import DATASETS
from mm_runtime.errors import UserError
from mm_runtime.safe_pickle import load_pickle


@DATASETS.register_module()
class PosePickleDataset(PoseDataset):
    """Clips of a pickle ``dict(split={name: [frame_dir, ...]}, annotations=[dict(frame_dir, label, keypoint, ...)])``.

    A bare list of annotations is read too. Class names and skeleton are taken from ``metainfo`` (keys ``classes`` and
    ``layout``) where the pickle has it.

    Args:
        ann_file: The pickle.
        split: Name of a split in the pickle, several names joined by ``+``, or None for all annotations.
        fold: Choose one side of a cross-validation inside the split; see :func:`bmoe_skel.data.folds.fold_mask`.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The pickle is missing, holds other objects than numpy arrays and builtins, or has another layout.
    """

    def __init__(
        self, ann_file: str | None, split: str | None = None, fold: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        if ann_file is None:
            raise UserError('no pickle given: --cfg-options dataset.ann_file=FILE.pkl')
        self.ann_path = os.fspath(ann_file)
        self.split = split
        self.fold = fold
        super().__init__(**kwargs)

    @property
    def source(self) -> str:
        """The pickle and the split."""
        return self.ann_path + (f' (split {self.split})' if self.split else '')

    def load_clips(self) -> list[dict[str, Any]]:
        """Read the pickle and choose the clips of the split and fold.

        Returns:
            The annotations, unchecked.
        """
        content = load_pickle(self.ann_path)
        annotations, splits, metainfo = _parts(content, self.ann_path)
        if self.skeleton_name is None:
            self.skeleton_name = metainfo.get('layout')
        if self.class_names is None and metainfo.get('classes'):
            self.class_names = [str(name) for name in metainfo['classes']]
        elif self.class_names is None and not self.multi_label:
            # counted over the whole file, so that a split without the last class agrees with the others
            self.class_names = [str(i) for i in range(1 + max(int(a.get('label', 0)) for a in annotations))]
        clips = _choose(annotations, splits, self.split, self.ann_path)
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


def split_names(path: str | os.PathLike[str]) -> Sequence[str]:
    """List the splits of a pickle.

    Args:
        path: The pickle.
    """
    return sorted(_parts(load_pickle(path), os.fspath(path))[1])
