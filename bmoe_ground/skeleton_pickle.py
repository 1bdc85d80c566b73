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
        metainfo: What the file says of itself, unread: a declaration of its layout may stand there.
    """

    annotations: list[dict[str, Any]] = field(default_factory=list)
    splits: dict[str, list[str]] = field(default_factory=dict)
    classes: list[str] | None = None
    layout: str | None = None
    faults: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    metainfo: dict[Any, Any] = field(default_factory=dict)


def read_skeleton_pickle(
    path: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    third: Third | None = None,
    first_label: int = 0,
) -> SkeletonClips:
    """Read such a file.

    Args:
        path: The pickle.
        classes: Names of the classes in label order, for files with texts as labels; None takes the file's own, or
            else the texts in alphabetical order.
        third: What the third number of a keypoint is; None tells by the values.
        first_label: The number of the first class, 1 for files that count from 1.

    Raises:
        UserError: It is missing, damaged, has another layout, or leaves open what its third numbers are.

    Example:
        >>> clips = read_skeleton_pickle('ntu60_hrnet.pkl')  # doctest: +SKIP
        >>> sorted(clips.splits)  # doctest: +SKIP
        ['xsub_train', 'xsub_val', 'xview_train', 'xview_val']
    """
    return parse_skeletons(load_pickle(path), Path(path), classes, third, first_label)


def parse_skeletons(
    content: object,
    path: Path,
    classes: Sequence[str] | None = None,
    third: Third | None = None,
    first_label: int = 0,
) -> SkeletonClips:
    """What :func:`read_skeleton_pickle` does with a content already loaded from ``path``."""
    content = {'annotations': content} if isinstance(content, list) else content
    if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
        found = type(content).__name__
        if isinstance(content, dict):
            keys = sorted(str(key)[:40] for key in content if isinstance(key, str))[:10]
            found = f'a dict with {", ".join(keys) or "no names"}'
            if 'annotations' in content:
                found = f'annotations that are a {type(content["annotations"]).__name__}'
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
    _number_labels(clips, first_label)
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
    return {'classes': [str(name) for name in classes] if classes else None, 'layout': layout, 'metainfo': metainfo}


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
    for key in ('keypoint', 'keypoint_score'):
        if isinstance(clip.get(key), list):  # as JSON gives them; ragged ones are refused by numpy
            clip[key] = np.array(clip[key], np.float32)
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
    """Rows of skeletons as (M, T, K, C), the n-th row of a frame being person n; absent persons are zeros."""
    inds = clip['frame_inds']
    if not isinstance(inds, np.ndarray) or inds.ndim != 1 or inds.dtype.kind not in 'iu':
        raise UserError(f'frame_inds: expected whole numbers (rows,), got {type(inds).__name__}')
    if rows.ndim != 3 or rows.shape[2] not in (2, 3) or len(rows) != len(inds):
        raise UserError(f'keypoint: expected ({len(inds)}, keypoints, 2 or 3) beside frame_inds, got {rows.shape}')
    score = clip.get('keypoint_score')
    if score is not None:
        score = _scores(score, rows.shape[:2])
    chosen = clip.get('anno_inds')  # rows that a threshold on the boxes left
    if chosen is not None:
        if not isinstance(chosen, np.ndarray) or chosen.dtype.kind not in 'iub' or chosen.ndim != 1:
            raise UserError(f'anno_inds: expected whole numbers, got {type(chosen).__name__}')
        inds, rows, score = inds[chosen], rows[chosen], None if score is None else score[chosen]
    inds = inds.astype(np.int64)
    last = int(inds.max(initial=-1))
    total = max(last + 1, 1) if total is None else total
    if last == total and inds.min(initial=1) >= 1:
        inds = inds - 1  # counted from 1
    if len(inds) and not (inds.min() >= 0 and inds.max() < total):
        raise UserError(f'frame_inds: {inds.min()}..{inds.max()}, but total_frames is {total}')
    order = np.argsort(inds, kind='stable')
    inds, rows = inds[order], rows[order].astype(np.float32)
    person = np.arange(len(inds)) - np.searchsorted(inds, inds)
    shape = (int(person.max(initial=-1)) + 1, total, rows.shape[1])
    if np.prod(shape, dtype=object) * 3 > MAX_CELLS:
        raise UserError(f'{shape[0]} persons in {total} frames are too many to unpack')
    keypoint = np.zeros((*shape, rows.shape[2]), np.float32)
    keypoint[person, inds] = rows
    left = {key: value for key, value in clip.items() if key not in ('frame_inds', 'anno_inds', 'box_score')}
    unpacked = {**left, 'keypoint': keypoint, 'total_frames': total, '_packed': True}
    if score is not None:
        unpacked['keypoint_score'] = np.zeros(shape, np.float32)
        unpacked['keypoint_score'][person, inds] = score[order]
    return unpacked


def _say_unpacked(clips: SkeletonClips) -> None:
    count = sum(clip.pop('_packed', False) for clip in clips.annotations)
    if count:
        clips.notes.append(
            f'{count} clips of the packed layout (frame_inds): the n-th skeleton of a frame is taken as person n, as '
            'mmaction2 does; the file has no identities'
        )


def _settle_third(clips: SkeletonClips, path: Path, third: Third | None) -> None:
    """Tell (x, y, score) from (x, y, z) over the whole file, and move scores to where they belong."""
    triples = [clip for clip in clips.annotations if clip['keypoint'].shape[3] == 3 and clip['keypoint'].size]
    if not triples:
        return
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for clip in triples:
        points = clip['keypoint'].reshape(-1, 3)
        low = np.fmin(low, np.nanmin(points, 0, initial=np.inf))
        high = np.fmax(high, np.nanmax(points, 0, initial=-np.inf))
    if third is None:
        pixels = max(high[0], high[1], -low[0], -low[1]) > PIXELS
        third = 'score' if pixels and low[2] >= 0 and high[2] <= SURE else 'depth'
        if not pixels and low.min() >= 0 and 0 < high.max() <= 1:
            raise UserError(
                f'{path}: keypoints have three numbers, all within 0..1: say whether the third is a score or a depth: '
                "third='score' or third='depth' (training: --cfg-options dataset.third=score)"
            )
    if third == 'depth':
        return
    for clip in triples:
        points = clip['keypoint']
        clip['keypoint'] = np.ascontiguousarray(points[..., :2])
        clip.setdefault('keypoint_score', np.clip(np.nan_to_num(points[..., 2].astype(np.float32)), 0, 1))
    clips.notes.append(
        f'the third number of the keypoints of {len(triples)} clips lies within {low[2]:.3g}..{high[2]:.3g} and is '
        'taken as their score, not as depth'
    )


def _number_labels(clips: SkeletonClips, first: int) -> None:
    """Turn texts into indices of classes, count numbers from 0, and refuse labels that have no class."""
    texts = sorted({clip['label'] for clip in clips.annotations if isinstance(clip['label'], str)})
    numbers = any(isinstance(clip['label'], int) for clip in clips.annotations)
    if texts and clips.classes is None and not numbers:
        if all(text.isdecimal() and int(text) < MAX_LABEL for text in texts):
            for clip in clips.annotations:
                clip['label'] = None if clip['label'] is None else int(clip['label'])
            numbers = True
        else:
            clips.classes = texts
            clips.notes.append(f'labels are texts: {len(texts)} classes in alphabetical order')
    index = {name: number for number, name in enumerate(clips.classes or ())}
    found = {clip['label'] for clip in clips.annotations if isinstance(clip['label'], int)}
    hint = ''
    if numbers and not first and found == set(range(1, len(found) + 1)) and len(found) > 1:
        hint = f'labels are 1 to {len(found)}, none is 0; if they count from 1: --cfg-options dataset.first_label=1'
        clips.notes.append(hint)
    kept = []
    for clip in clips.annotations:
        label = clip['label']
        if isinstance(label, int) and first:
            label = clip['label'] = label - first
            if label < 0:
                clips.faults.append((clip['frame_dir'], f'label {label + first} is below first_label={first}'))
                continue
        if isinstance(label, str):
            if label not in index:
                known = f'the classes are {", ".join(list(index)[:10])}' if index else 'other labels are numbers'
                clips.faults.append((clip['frame_dir'], f'label {label!r:.80}: unknown; {known}'))
                continue
            clip['label'] = index[label]
        elif isinstance(label, int) and index and label >= len(index):
            reason = f'label {label} is not in 0..{len(index) - 1} ({len(index)} classes)'
            reason += f'; {hint}' if hint else ''
            clips.faults.append((clip['frame_dir'], reason))
            continue
        kept.append(clip)
    clips.annotations = kept
