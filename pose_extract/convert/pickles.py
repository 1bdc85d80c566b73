"""Pickles of skeleton clips: the layout of pyskl and mmaction2, and the two that carry MA-52's skeletons.

pyskl, mmaction2: ``dict(split={name: [frame_dir, ...]}, annotations=[dict(frame_dir, label, total_frames, img_shape,
original_shape, keypoint (M, T, V, 2), keypoint_score (M, T, V)), ...])``; ``metainfo`` with ``classes`` and ``layout``
may join, and ``layout_declaration`` where the layout is somebody's own. PCAN's files are the bare list of such
annotations. MMN's are pairs of ``<split>_data.pkl`` and ``<split>_label.pkl`` (a list of ``file_name`` and ``label``).

There, what was not seen is (0, 0); here it is NaN, and is turned into the one or the other on the way.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.safe_pickle import load_pickle
from pose_extract.convert.clips import Clip, Collection, ReadOptions, extent_boxes, json_type, layout_for
from pose_extract.skeletons import embed_declaration, get_skeleton, register_embedded
from pose_extract.tracks import PoseTracks

_FACTS = ('frame_dir', 'filename', 'label', 'total_frames', 'img_shape', 'original_shape', 'provenance')
_KNOWN = frozenset((*_FACTS, 'keypoint', 'keypoint_score', 'boxes', 'frame_times'))


def read_pickle(path: Path, options: ReadOptions) -> Collection:
    """Read a pickle of pyskl's layout, or a bare list of its annotations (PCAN).

    Clips of a bare list get the split ``train``, ``val`` or ``test`` when the file's name says so.

    Raises:
        UserError: The file cannot be read or holds something else.
    """
    content = load_pickle(path)
    content = {'annotations': content} if isinstance(content, list) else content
    if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
        raise UserError(f'{path}: expected a dict with the list "annotations", or that list itself')
    splits = _splits(path, content)
    members: dict[str, list[str]] = {}
    for split, names in splits.items():
        for name in names:
            members.setdefault(str(name), []).append(str(split))
    metainfo = content.get('metainfo') or {}
    if not isinstance(metainfo, dict) or not isinstance(metainfo.get('classes', []), list | tuple | None):
        raise UserError(f'{path}: metainfo: expected a dict with the list "classes", got {metainfo!r:.80}')
    register_embedded(metainfo, str(path))
    collection = Collection(splits=[str(split) for split in splits])
    if metainfo.get('classes') is not None:
        collection.classes = [str(name) for name in metainfo['classes']]

    def read(annotation: dict[str, Any]) -> Clip:
        clip = _clip(annotation, metainfo.get('layout'), options)
        clip.splits = tuple(members.get(clip.name, ()))
        clip.tracks.provenance.setdefault('source', {'file': path.name})
        return clip

    _read_each(collection, path, content['annotations'], read)
    present = {_name(annotation) for annotation in content['annotations']}
    missing = [name for name in members if name not in present]
    collection.failures += [f'{path}: {name}: is in a split, but has no annotation' for name in missing]
    return collection


def _splits(path: Path, content: dict[str, Any]) -> dict[str, list]:
    splits = content.get('split')
    if splits is None:
        named = re.search('(train|val|test)', path.stem)
        return {named[1]: [_name(annotation) for annotation in content['annotations']]} if named else {}
    if not isinstance(splits, dict) or not all(isinstance(names, list | tuple) for names in splits.values()):
        raise UserError(f'{path}: split: expected a dict of lists of names')
    return splits


def read_mmn(folder: Path, options: ReadOptions) -> Collection:
    """Read MMN's pairs ``<split>_data.pkl`` and ``<split>_label.pkl``.

    Raises:
        UserError: A file is missing, cannot be read or holds something else.
    """
    collection = Collection()
    for data in sorted(folder.glob('*_data.pkl')):
        split = data.name.removesuffix('_data.pkl')
        content, labels = load_pickle(data), load_pickle(data.with_name(f'{split}_label.pkl'))
        if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
            raise UserError(f'{data}: expected a dict with the list "annotations"')
        if not isinstance(labels, list) or not all(isinstance(row, dict) and 'file_name' in row for row in labels):
            raise UserError(
                f'{data.with_name(f"{split}_label.pkl")}: expected a list of dicts with "file_name", "label"'
            )
        by_name = {str(row['file_name']): row.get('label') for row in labels}

        def read(annotation: dict[str, Any], split: str = split, by_name: dict = by_name, data: Path = data) -> Clip:
            name = _name(annotation)
            if name not in by_name:
                raise UserError('has no label')
            clip = _clip({**annotation, 'label': by_name.pop(name)}, None, options)
            clip.splits = (split,)
            clip.tracks.provenance['source'] = {'file': data.name}
            return clip

        _read_each(collection, data, content['annotations'], read)
        collection.failures += [f'{data}: {name}: has a label, but no annotation' for name in by_name]
        collection.splits.append(split)
    return collection


def write_pickle(collection: Collection, path: Path) -> None:
    """Write clips in pyskl's layout.

    Coordinates are written as float32: float16, which is usual there, cannot tell two neighbouring pixels apart from
    1024 on. Boxes, frame times, provenance and further arrays go along as further keys, which the readers of pyskl and
    mmaction2 leave alone. Clips without a label get -1.

    Raises:
        UserError: The clips have different layouts, or the file cannot be written.
    """
    layouts = sorted({clip.tracks.skeleton for clip in collection.clips})
    if len(layouts) > 1:
        raise UserError(f'{path}: one pickle holds one layout, got {", ".join(layouts)}; make them one with --layout')
    collection.add_all_splits()
    metainfo: dict[str, Any] = {'layout': layouts[0] if layouts else None, 'classes': collection.classes}
    if layouts:
        embed_declaration(metainfo, get_skeleton(layouts[0]))
    content = {
        'split': {split: [c.name for c in collection.clips if split in c.splits] for split in collection.splits},
        'annotations': [_annotation(clip) for clip in collection.clips],
        'metainfo': metainfo,
    }
    with atomic_write(path) as file:
        pickle.dump(content, file, protocol=4)


def _annotation(clip: Clip) -> dict[str, Any]:
    tracks = clip.tracks
    return {
        **clip.extra,
        'frame_dir': clip.name,
        'label': -1 if clip.label is None else clip.label,
        'total_frames': tracks.num_frames,
        'img_shape': tracks.image_size,
        'original_shape': tracks.image_size,
        'keypoint': np.nan_to_num(tracks.keypoints, nan=0.0),
        'keypoint_score': tracks.scores,
        'boxes': tracks.boxes,
        'frame_times': tracks.frame_times,
        'provenance': json.dumps(tracks.provenance, sort_keys=True),
        **tracks.extras,
    }


def _read_each(collection: Collection, path: Path, annotations: list, read: Callable[[dict[str, Any]], Clip]) -> None:
    """Read annotations one by one; one that cannot be read is a failure and does not stop the others."""
    seen = {clip.name for clip in collection.clips}
    for number, annotation in enumerate(annotations):
        name = _name(annotation) or f'annotation {number}'
        try:
            if not isinstance(annotation, dict):
                raise UserError(f'expected a dict, got {type(annotation).__name__}')
            clip = read(annotation)
            if clip.name in seen:
                raise UserError('a second clip of this name')
            seen.add(clip.name)
            collection.clips.append(clip)
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            collection.failures.append(f'{path}: {name}: {error}')


def _name(annotation: object) -> str:
    if not isinstance(annotation, dict):
        return ''
    return str(annotation.get('frame_dir', annotation.get('filename', '')))


def _clip(annotation: dict[str, Any], layout: object, options: ReadOptions) -> Clip:
    keypoints = annotation.get('keypoint')
    if not isinstance(keypoints, np.ndarray) or keypoints.dtype.kind not in 'fiu':
        raise UserError(f'keypoint: expected an array of numbers, got {type(keypoints).__name__}')
    if keypoints.ndim != 4 or keypoints.shape[3] != 2:
        raise UserError(
            f'keypoint: expected shape (persons, frames, keypoints, 2) in pixels (x, y), got {keypoints.shape}'
        )
    frames = keypoints.shape[1]
    if annotation.get('total_frames', frames) != frames:
        raise UserError(f'total_frames is {annotation["total_frames"]}, but keypoint has {frames} frames')
    size = annotation.get('img_shape', annotation.get('original_shape', options.image_size))
    if size is None:
        raise UserError('img_shape: missing; give the size of the frames with --image-size HEIGHT WIDTH')
    points = keypoints.astype(np.float32)
    absent = (points == 0).all(-1) | ~np.isfinite(points).all(-1)
    points[absent] = np.nan
    scores = annotation.get('keypoint_score', np.ones(keypoints.shape[:3]))
    scores = np.where(absent, 0, np.clip(np.nan_to_num(np.asarray(scores, np.float32)), 0, 1))
    label = annotation.get('label')
    provenance = annotation.get('provenance')
    arrays = {key: value for key, value in annotation.items() if key not in _KNOWN and isinstance(value, np.ndarray)}
    tracks = PoseTracks(
        keypoints=points,
        scores=scores,
        boxes=annotation.get('boxes', extent_boxes(points)),
        frame_times=annotation.get('frame_times', np.arange(frames) / options.fps),
        image_size=(int(size[0]), int(size[1])),
        skeleton=layout_for(options, layout, keypoints.shape[2]),
        provenance=json.loads(provenance) if isinstance(provenance, str) else {},
        extras=arrays,
    )
    others = {key: json_type(value) for key, value in annotation.items() if key not in _KNOWN and key not in arrays}
    return Clip(
        name=_name(annotation),
        tracks=tracks,
        label=None if label is None or int(label) < 0 else int(label),
        extra={key: value for key, value in others.items() if value is not None},
    )
