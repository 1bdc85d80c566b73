"""Predictions as MMPose writes them: JSON files of a video's frames, or a file for each picture.

Read are the files of ``MMPoseInferencer`` (``[{"frame_id": 0, "instances": [...]}, ...]`` for a video,
``[{"keypoints": ...}, ...]`` for one image) and of ``topdown_demo_with_mmdet.py`` (the same under ``instance_info``,
with the layout under ``meta_info``). Given a folder of images, the inferencer writes a file for each: where two or more
of a folder are numbered, they are the frames of one clip. Persons are tracked here unless they have a ``track_id``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, layout_for, size_for
from pose_extract.convert.declared import declared_layout
from pose_extract.convert.json_files import FAULTS, from_zero, json_files, number_in, numbers, read_json, sequences
from pose_extract.convert.people import Person, build_tracks
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import MAX_FRAMES

Frames = dict[int, list[dict[str, Any]]]


def read_mmpose(source: Path, options: ReadOptions) -> Collection:
    """Read one JSON file or all below a folder.

    Raises:
        UserError: There is no JSON file, or the size of the frames is not given.
    """
    size_for(options, source, 'MMPose')
    collection = Collection()
    pictures: list[tuple[str, Path, list[dict[str, Any]]]] = []
    for name, path in json_files(source):
        try:
            frames, layout, notes = _read_file(path, options)
            if isinstance(frames, list):
                pictures.append((name, path, frames))
            else:
                _add(collection, name, path, frames, layout, options)
            collection.notes += [f'{path}: {note}' for note in notes]
        except FAULTS as error:
            collection.failures.append(f'{path}: {error!s:.300}')
    _join_pictures(collection, pictures, options)
    return collection


def _join_pictures(
    collection: Collection, pictures: list[tuple[str, Path, list[dict[str, Any]]]], options: ReadOptions
) -> None:
    """Make one clip of the numbered pictures of a folder, where there are several; others are clips of one frame."""
    numbered = [(name, (path, instances)) for name, path, instances in pictures if number_in(Path(name).name)]
    groups: dict[str, dict[int, tuple[Path, list[dict[str, Any]]]]] = {}
    try:
        groups = {name: frames for name, frames in sequences(numbered).items() if len(frames) > 1}
    except UserError as error:
        collection.notes.append(f'pictures are clips of one frame each: {error}')
    joined = set()
    for name, frames in groups.items():
        first = next(iter(frames.values()))[0]
        joined |= {path for path, _ in frames.values()}
        instances = {number: found for number, (_, found) in from_zero(frames, always=True).items()}
        try:
            _add(collection, name, first.parent, instances, None, options)
            collection.notes.append(f'{first.parent}: {len(frames)} files of one picture each are read as one clip')
        except FAULTS as error:
            collection.failures.append(f'{first.parent}: {error!s:.300}')
    for name, path, found in pictures:
        if path not in joined:
            try:
                _add(collection, name, path, {0: found}, None, options)
            except FAULTS as error:
                collection.failures.append(f'{path}: {error!s:.300}')


def _read_file(path: Path, options: ReadOptions) -> tuple[Frames | list[dict[str, Any]], str | None, list[str]]:
    """Frames of a video or the instances of one picture, with the layout that the file declares and notes."""
    content = read_json(path)
    layout: str | None = None
    notes: list[str] = []
    if isinstance(content, dict):
        layout, notes = _declared(content.get('meta_info'), options)
        content = content.get('instance_info')
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise UserError('expected the list of frames that MMPose writes')
    if content and 'instances' not in content[0]:
        return content, layout, notes
    return _by_number(content), layout, notes


def _declared(meta: object, options: ReadOptions) -> tuple[str | None, list[str]]:
    if not isinstance(meta, dict):
        return None, []
    points = meta.get('keypoint_id2name')
    names: list[str] = []
    if isinstance(points, dict):
        names = [str(points.get(str(index), points.get(index, ''))) for index in range(len(points))]
    return declared_layout(meta.get('dataset_name'), names, options)


def _add(
    collection: Collection, name: str, path: Path, frames: Frames, layout: str | None, options: ReadOptions
) -> None:
    counts = {_count(instance) for instances in frames.values() for instance in instances}
    if len(counts) > 1:
        raise UserError(f'instances have different numbers of keypoints: {sorted(counts)}')
    if not counts and options.skeleton is None and layout is None:
        raise UserError('nobody in any frame, so that the layout is not known; give it with --skeleton')
    skeleton = layout_for(options, layout, counts.pop() if counts else 0)
    count = get_skeleton(skeleton).num_keypoints
    people = {number: [_person(instance, count) for instance in found] for number, found in frames.items()}
    provenance = {'source': {'file': path.name, 'format': 'mmpose'}}
    tracks, notes = build_tracks(people, skeleton, size_for(options, path, 'MMPose'), options, provenance)
    collection.clips.append(Clip(name, tracks))
    collection.notes += [f'{path}: {note}' for note in notes]


def _by_number(content: list[dict[str, Any]]) -> Frames:
    """Instances by frame, from 0; some scripts count from 1."""
    frames: Frames = {}
    for entry in content:
        number = entry.get('frame_id')
        if not isinstance(number, int) or not 0 <= number < MAX_FRAMES or number in frames:
            raise UserError(f'frame_id: expected a frame number, each once, got {number!r:.40}')
        instances = entry.get('instances')
        if not isinstance(instances, list) or not all(isinstance(i, dict) and 'keypoints' in i for i in instances):
            raise UserError(f'frame {number}: instances: expected a list of dicts with "keypoints"')
        frames[number] = instances
    return from_zero(frames)


def _count(instance: dict[str, Any]) -> int:
    points = instance.get('keypoints')
    if not isinstance(points, list):
        raise UserError(f'keypoints: expected a list of pairs, got {type(points).__name__}')
    return len(points)


def _person(instance: dict[str, Any], count: int) -> Person:
    rows = [numbers(row, 'keypoints') for row in instance['keypoints']]
    if len(rows) != count or any(len(row) != 2 for row in rows):
        sides = sorted({len(row) for row in rows})
        raise UserError(f'keypoints: expected {count} pairs (x, y), got {len(rows)} rows of {sides}')
    scores = np.ones(count) if 'keypoint_scores' not in instance else numbers(instance['keypoint_scores'], 'scores')
    box, identity = instance.get('bbox'), instance.get('track_id')
    if box is not None:
        box = box[0] if isinstance(box, list) and len(box) == 1 else box
        box = numbers(box, 'bbox')[:4]
        if len(box) != 4:
            raise UserError(f'bbox: expected four numbers, got {len(box)}')
    return Person(
        np.array(rows), scores, box, identity if isinstance(identity, int) and 0 <= identity < 2**31 else None
    )
