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
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.safe_pickle import load_pickle
from bmoe_ground.skeleton_pickle import SkeletonClips, clip_name, parse_skeletons, read_skeleton_pickle
from bmoe_ground.splits import stratified_split
from pose_extract.convert.clips import Clip, Collection, ReadOptions, extent_boxes, json_type, layout_for
from pose_extract.skeletons import embed_declaration, get_skeleton, register_embedded
from pose_extract.tracks import PoseTracks

_FACTS = ('frame_dir', 'filename', 'label', 'total_frames', 'img_shape', 'original_shape', 'provenance')
PARTS, RATIOS = ('train', 'val', 'test'), (0.6, 0.15, 0.25)
_KNOWN = frozenset((*_FACTS, 'keypoint', 'keypoint_score', 'boxes', 'frame_times'))


def read_pickle(path: Path, options: ReadOptions) -> Collection:
    """Read a pickle of pyskl's layout, or a bare list of its annotations (PCAN).

    What is read is what training reads, see :mod:`bmoe_ground.skeleton_pickle`. Clips of a bare list get the split
    ``train``, ``val`` or ``test`` when the file's name says so.

    Raises:
        UserError: The file cannot be read or holds something else.
    """
    read = read_skeleton_pickle(path)
    members: dict[str, list[str]] = {}
    for split, names in read.splits.items():
        for name in names:
            members.setdefault(name, []).append(split)
    register_embedded(read.metainfo, str(path))
    collection = Collection(classes=read.classes, splits=list(read.splits), notes=[f'{path}: {n}' for n in read.notes])
    _add_clips(collection, read, path, options, members)
    present = {clip['frame_dir'] for clip in read.annotations} | {name for name, _ in read.faults}
    missing = [name for name in members if name not in present]
    collection.failures += [f'{path}: {name}: is in a split, but has no annotation' for name in missing]
    return collection


def read_mmn(folder: Path, options: ReadOptions) -> Collection:
    """Read MMN's pairs ``<split>_data.pkl`` and ``<split>_label.pkl``.

    Raises:
        UserError: A file is missing, cannot be read or holds something else.
    """
    collection = Collection()
    for data in sorted(folder.glob('[!.]*_data.pkl')):
        split = data.name.removesuffix('_data.pkl')
        path = data.with_name(f'{split}_label.pkl')
        content, labels = load_pickle(data), load_pickle(path)
        if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
            raise UserError(f'{data}: expected a dict with the list "annotations"')
        if not isinstance(labels, list) or not all(isinstance(row, dict) and 'file_name' in row for row in labels):
            raise UserError(f'{path}: expected a list of dicts with "file_name", "label"')
        try:
            by_name = {clip_name({'frame_dir': row['file_name']}): row.get('label') for row in labels}
        except UserError as error:
            raise UserError(f'{path}: file_name: {error}') from error
        annotations: list[Any] = []
        for annotation in content['annotations']:
            name = annotation.get('frame_dir') if isinstance(annotation, dict) else None
            if isinstance(name, str) and name not in by_name:
                collection.failures.append(f'{data}: {name}: has no label')
            elif isinstance(name, str):
                annotations.append({**annotation, 'label': by_name.pop(name)})
            else:
                annotations.append(annotation)
        read = parse_skeletons({'annotations': annotations, 'split': {}}, data)
        collection.notes += [f'{data}: {note}' for note in read.notes]
        _add_clips(collection, read, data, options, {clip['frame_dir']: [split] for clip in read.annotations})
        collection.failures += [f'{data}: {name}: has a label, but no annotation' for name in by_name]
        collection.splits.append(split)
    return collection


def write_pickle(collection: Collection, path: Path) -> None:
    """Write clips in pyskl's layout.

    Coordinates are written as float32: float16, which is usual there, cannot tell two neighbouring pixels apart from
    1024 on. Boxes, frame times, provenance and further arrays go along as further keys, which the readers of pyskl and
    mmaction2 leave alone. Clips without a label get -1. Readers ask for a split by name: where no clip has one, see
    :func:`give_splits`.

    Raises:
        UserError: The clips have different layouts, or the file cannot be written.
    """
    layouts = sorted({clip.tracks.skeleton for clip in collection.clips})
    if len(layouts) > 1:
        raise UserError(f'{path}: one pickle holds one layout, got {", ".join(layouts)}; make them one with --layout')
    give_splits(collection)
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


def give_splits(collection: Collection) -> None:
    """Give labelled clips without any split the parts ``train``, ``val`` and ``test``, and say so.

    They are the parts that training on a folder of tracks makes: 60, 15 and 25 % of each class, by a fixed seed.
    Clips of which some have no label are left as they are, with a note that says how to give splits.
    """
    collection.add_all_splits()
    if collection.splits or not collection.clips:
        return
    labels = [clip.label for clip in collection.clips]
    if any(label is None for label in labels):
        collection.notes.append(
            'no clip has a split, and some have no label: readers will ask for splits; write lines "video,label,split" '
            'into a file and convert with --annotations FILE'
        )
        return
    classes = collection.classes
    names = [str(label) if classes is None else classes[label] for label in labels if label is not None]
    for clip, part in zip(collection.clips, stratified_split(names, RATIOS, 0), strict=True):
        clip.splits = (PARTS[part],)
    collection.splits = list(PARTS)
    counts = ', '.join(f'{sum(clip.splits == (part,) for clip in collection.clips)} {part}' for part in PARTS)
    collection.notes.append(
        f'no clip has a split: drawn by class with a fixed seed ({counts}), whoever is in them; for your own, write '
        'lines "video,label,split" into a file and convert with --annotations FILE'
    )


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


def _add_clips(
    collection: Collection, read: SkeletonClips, path: Path, options: ReadOptions, members: dict[str, list[str]]
) -> None:
    """Turn annotations into clips one by one; one that cannot be is a failure and does not stop the others."""
    collection.failures += [f'{path}: {name}: {reason}' for name, reason in read.faults]
    seen = {clip.name for clip in collection.clips}
    unlabelled = []
    for annotation in read.annotations:
        name = annotation['frame_dir']
        try:
            if name in seen:
                raise UserError('a second clip of this name')
            clip = _clip(annotation, read.layout, options)
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError) as error:
            collection.failures.append(f'{path}: {name}: {error!s:.300}')
            continue
        clip.splits = tuple(members.get(name, ()))
        clip.tracks.provenance.setdefault('source', {'file': path.name})
        if read.notes:
            clip.tracks.provenance.setdefault('notes', read.notes)
        if clip.label is None:
            unlabelled.append(name)
        collection.clips.append(clip)
    if unlabelled:
        amount = f'{len(unlabelled)} of {len(read.annotations)} clips have none'
        collection.notes.append(f'{path}: clip {unlabelled[0]!r} has no label ({amount})')


def _clip(annotation: dict[str, Any], layout: str | None, options: ReadOptions) -> Clip:
    keypoints, label = annotation['keypoint'], annotation['label']
    if keypoints.shape[3] != 2:
        raise UserError(
            f'keypoint: expected shape (persons, frames, keypoints, 2) in pixels (x, y), got {keypoints.shape}'
        )
    if isinstance(label, np.ndarray):
        raise UserError('label: several classes at once, which tracks cannot hold')
    frames = keypoints.shape[1]
    size = annotation.get('img_shape', options.image_size)
    if size is None:
        raise UserError('img_shape: missing; give the size of the frames with --image-size HEIGHT WIDTH')
    points = keypoints.astype(np.float32)
    absent = (points == 0).all(-1) | ~np.isfinite(points).all(-1)
    points[absent] = np.nan
    scores = annotation.get('keypoint_score', np.ones(keypoints.shape[:3]))
    scores = np.where(absent, 0, np.clip(np.nan_to_num(np.asarray(scores, np.float32)), 0, 1))
    arrays = {key: value for key, value in annotation.items() if key not in _KNOWN and isinstance(value, np.ndarray)}
    tracks = PoseTracks(
        keypoints=points,
        scores=scores,
        boxes=annotation.get('boxes', extent_boxes(points)),
        frame_times=annotation.get('frame_times', np.arange(frames) / options.fps),
        image_size=size,
        skeleton=layout_for(options, layout, keypoints.shape[2]),
        provenance=_provenance(annotation.get('provenance')),
        extras=arrays,
    )
    others = {key: json_type(value) for key, value in annotation.items() if key not in _KNOWN and key not in arrays}
    extra = {key: value for key, value in others.items() if value is not None}
    return Clip(name=annotation['frame_dir'], tracks=tracks, label=label, extra=extra)


def _provenance(text: object) -> dict[str, Any]:
    """What :func:`write_pickle` wrote; anything else that goes by this name is left out."""
    if not isinstance(text, str):
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise UserError(f'provenance: expected a JSON object, got {type(value).__name__}')
    return value
