"""The pickle of skeleton clips that pyskl and mmaction2 read: one reader for training and for conversion.

``dict(split={name: [frame_dir, ...]}, annotations=[dict(frame_dir, label, total_frames, img_shape, original_shape,
keypoint (M, T, K, C), keypoint_score (M, T, K)), ...])``, or the bare list of annotations; ``metainfo`` with
``classes`` and ``layout`` may join. What people put in it beyond that is brought into this form:

* the packed layout of Kinetics, a row a skeleton: ``keypoint`` (rows, K, 3) as (x, y, score) and ``frame_inds``
  (rows,), which is unpacked as ``DecompressPose`` of mmaction2 does it: the n-th row of a frame is person n;
* (x, y, score) in the place of coordinates, told from depth over the whole file;
* texts as labels, which are names of classes;
* clips without a label (none, None or a number below 0).

Layout names are texts here and are not looked up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle

MAX_FRAMES = 10_000_000
MAX_LABEL = 100_000
MAX_CELLS = 2**27  # numbers in the keypoints of one unpacked clip: 512 MiB
PIXELS = 10.0  # coordinates beyond this are pixels: metres and shares of the picture are smaller
SURE = 2.0  # SimCC heads give scores a little above 1; visibility in COCO's sense goes to 2

Third = Literal['score', 'depth']


@dataclass
class SkeletonClips:
    """What such a file holds.

    Attributes:
        annotations: The clips that could be read, in the file's order, each with ``frame_dir`` (text), ``label`` (int,
            None, or a vector for several classes at once), ``keypoint`` (M, T, K, 2 or 3), where known
            ``keypoint_score`` (M, T, K) and ``img_shape`` (height, width), ``total_frames``, and its other keys.
        splits: Names of clips by split.
        classes: Names of the classes by label, where the file has them.
        layout: Name of the keypoint layout, where the file has it.
        faults: (name, reason) of the clips that could not be read.
        notes: One line for each thing that was taken in another way than the layout says.
    """

    annotations: list[dict[str, Any]] = field(default_factory=list)
    splits: dict[str, list[str]] = field(default_factory=dict)
    classes: list[str] | None = None
    layout: str | None = None
    faults: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_skeleton_pickle(
    path: str | os.PathLike[str], classes: Sequence[str] | None = None, third: Third | None = None
) -> SkeletonClips:
    """Read such a file.

    Args:
        path: The pickle.
        classes: Names of the classes in label order, for files with texts as labels; None takes the file's own, or
            else the texts in alphabetical order.
        third: What the third number of a keypoint is; None tells by the values.

    Raises:
        UserError: It is missing, damaged, has another layout, or leaves open what its third numbers are.

    Example:
        >>> clips = read_skeleton_pickle('ntu60_hrnet.pkl')  # doctest: +SKIP
        >>> sorted(clips.splits)  # doctest: +SKIP
        ['xsub_train', 'xsub_val', 'xview_train', 'xview_val']
    """
    return parse_skeletons(load_pickle(path), Path(path), classes, third)


def parse_skeletons(
    content: object, path: Path, classes: Sequence[str] | None = None, third: Third | None = None
) -> SkeletonClips:
    """What :func:`read_skeleton_pickle` does with a content already loaded from ``path``."""
    content = {'annotations': content} if isinstance(content, list) else content
    if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
        found = type(content).__name__
        if isinstance(content, dict):
            found = f'a dict with {", ".join(sorted(str(key)[:40] for key in content if isinstance(key, str))[:10])}'
        raise UserError(f'{path}: expected a dict with the list "annotations" (and "split"), or that list, got {found}')
    clips = SkeletonClips(**_metainfo(content.get('metainfo'), path))
    if classes is not None:
        clips.classes = list(classes)
    seen: set[str] = set()
    for number, annotation in enumerate(content['annotations']):
        name = f'annotation {number}'
        try:
            if not isinstance(annotation, dict):
                raise UserError(f'expected a dict, got {type(annotation).__name__}')
            name = clip_name(annotation) or name
            clip = _read_annotation(annotation)
            if name in seen:
                raise UserError('a second clip of this name')
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError) as error:
            clips.faults.append((name, f'{error!s:.300}'))
            continue
        seen.add(name)
        clips.annotations.append(clip)
    _say_unpacked(clips)
    _settle_third(clips, path, third)
    _number_labels(clips)
    clips.splits = _splits(content, path)
    return clips


def clip_name(annotation: dict[str, Any]) -> str:
    """A clip's name: ``frame_dir``, else ``filename``; empty where there is neither.

    Raises:
        UserError: It is neither text nor number.
    """
    name = annotation.get('frame_dir', annotation.get('filename', ''))
    if isinstance(name, bytes):
        name = name.decode(errors='replace')
    if not isinstance(name, str | int | np.integer | np.str_):
        raise UserError(f'frame_dir: expected a text, got {type(name).__name__}')
    return str(name)


def _metainfo(metainfo: object, path: Path) -> dict[str, Any]:
    if metainfo is None:
        return {}
    if not isinstance(metainfo, dict):
        raise UserError(f'{path}: metainfo: expected a dict, got {type(metainfo).__name__}')
    classes, layout = metainfo.get('classes'), metainfo.get('layout')
    if isinstance(classes, np.ndarray):
        classes = classes.tolist()
    if classes is not None and not (
        isinstance(classes, list | tuple) and all(isinstance(name, str | int) for name in classes)
    ):
        raise UserError(f'{path}: metainfo: classes: expected a list of names, got {type(classes).__name__}')
    if layout is not None and not isinstance(layout, str):
        raise UserError(f'{path}: metainfo: layout: expected a text, got {type(layout).__name__}')
    return {'classes': [str(name) for name in classes] if classes else None, 'layout': layout}


def _splits(content: dict[str, Any], path: Path) -> dict[str, list[str]]:
    splits = content.get('split')
    if splits is None:  # PCAN's lists say it in the file's name
        named = re.search('(train|val|test)', path.stem)
        annotations = [a for a in content['annotations'] if isinstance(a, dict)]
        names = [a.get('frame_dir', a.get('filename')) for a in annotations]
        return {named[1]: [str(name) for name in names if isinstance(name, str | int)]} if named else {}
    if not isinstance(splits, dict):
        raise UserError(f'{path}: split: expected a dict of lists of names, got {type(splits).__name__}')
    read: dict[str, list[str]] = {}
    for split, names in splits.items():
        if isinstance(names, np.ndarray) and names.ndim == 1:
            names = names.tolist()
        if not isinstance(split, str | int) or not isinstance(names, list | tuple | set | frozenset):
            raise UserError(f'{path}: split: expected a dict of lists of names, got a {type(names).__name__} in it')
        if not all(isinstance(name, str | int | np.integer) for name in names):
            raise UserError(f'{path}: split {split!r:.80}: expected a list of names, got something else in it')
        read[str(split)] = [str(name) for name in names]
    return read


def _read_annotation(annotation: dict[str, Any]) -> dict[str, Any]:
    """One annotation in the common form; the input is left as it is."""
    clip = {key: value for key, value in annotation.items() if isinstance(key, str) and key != 'filename'}
    clip['frame_dir'] = clip_name(annotation)
    if not clip['frame_dir']:
        raise UserError('has no name: neither "frame_dir" nor "filename"')
    keypoint = clip.get('keypoint')
    if not isinstance(keypoint, np.ndarray) or keypoint.dtype.kind not in 'fiu':
        raise UserError(f'keypoint: expected an array of numbers, got {type(keypoint).__name__}')
    total = _count(clip.get('total_frames'), 'total_frames', MAX_FRAMES)
    if 'frame_inds' in clip:
        clip = _unpack(clip, keypoint, total)
        keypoint, total = clip['keypoint'], clip['total_frames']
    if keypoint.ndim != 4 or keypoint.shape[3] not in (2, 3) or not 1 <= keypoint.shape[1] <= MAX_FRAMES:
        raise UserError(
            'keypoint: expected shape (persons, frames, keypoints, 2 or 3), or (rows, keypoints, 3) with "frame_inds", '
            f'got {keypoint.shape}'
        )
    if total not in (None, keypoint.shape[1]):
        raise UserError(f'total_frames is {total}, but keypoint has {keypoint.shape[1]} frames')
    clip['total_frames'] = keypoint.shape[1]
    score = clip.pop('keypoint_score', None)
    if score is not None:
        clip['keypoint_score'] = _scores(score, keypoint.shape[:3])
    _image_size(clip)
    clip['label'] = _label(clip.get('label'))
    return clip


def _count(value: object, what: str, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise UserError(f'{what}: expected a number in 1..{most}, got {_short(value)}')
    return value


def _short(value: object) -> str:
    return f'{value!r:.40}' if isinstance(value, str | int | float) else type(value).__name__


def _scores(score: object, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(score, np.ndarray) or score.dtype.kind not in 'fiub':
        raise UserError(f'keypoint_score: expected an array of numbers, got {type(score).__name__}')
    if score.shape == (*shape, 1):
        score = score[..., 0]
    if score.shape != shape:
        raise UserError(f'keypoint_score: expected shape {shape}, got {score.shape}')
    return np.where(np.isnan(score), 0, score) if score.dtype.kind == 'f' and np.isnan(score).any() else score


def _image_size(clip: dict[str, Any]) -> None:
    """Settle ``img_shape`` as (height, width); files that do not say have none."""
    for key in ('img_shape', 'original_shape'):
        size = clip.get(key)
        if size is None:
            clip.pop(key, None)
            continue
        if isinstance(size, np.ndarray):
            size = size.tolist()
        if not isinstance(size, list | tuple) or len(size) not in (2, 3):
            raise UserError(f'{key}: expected (height, width), got {_short(size)}')
        clip[key] = tuple(_count(side, key, 1_000_000) for side in size[:2])
    if 'img_shape' not in clip and 'original_shape' in clip:
        clip['img_shape'] = clip['original_shape']


def _label(label: object) -> Any:
    """A label as int, text, None, or the vector of several classes at once."""
    if isinstance(label, np.ndarray) and label.size == 1:
        label = label.reshape(()).item()
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bytes):
        label = label.decode()
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if label is None or (isinstance(label, int) and label < 0) or (isinstance(label, str) and not label.strip()):
        return None
    if isinstance(label, str):
        return label.strip()
    if isinstance(label, int) and label < MAX_LABEL:
        return int(label)
    if isinstance(label, list | tuple):
        label = np.asarray([float(entry) for entry in label])
    if isinstance(label, np.ndarray) and label.ndim == 1 and label.dtype.kind in 'fiub':
        return label
    raise UserError(f'label: expected a number below {MAX_LABEL}, a text or a vector, got {_short(label)}')


def _unpack(clip: dict[str, Any], rows: np.ndarray, total: int | None) -> dict[str, Any]:
    """Rows of skeletons as (M, T, K, 2 or 3), the n-th row of a frame being person n; absent persons are zeros."""
    clip = {key: value for key, value in clip.items() if key not in ('frame_inds', 'anno_inds', 'box_score')}
    inds = np.asarray(_rows(clip, rows, 'frame_inds'))
    return clip | {'packed': True} if inds is None else clip


def _rows(clip: dict[str, Any], rows: np.ndarray, key: str) -> Any:
    return clip.get(key)
