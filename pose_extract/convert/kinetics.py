"""Kinetics-skeleton as ST-GCN publishes it: a JSON file a clip.

From its ``OLD_README.md`` and the files: ``{"data": [{"frame_index": 1, "skeleton": [{"pose": [x1, y1, ..., x18, y18],
"score": [c1, ..., c18]}]}], "label": "juggling fire", "label_index": 133}``. OpenPose's 18 points as shares of the
width and height of pictures of 340 x 256 pixels at 30 a second; a point that was not found is 0, 0 with score 0. The
folders are ``kinetics_train`` and ``kinetics_val``, the lists beside them ``kinetics_train_label.json`` and so on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, layout_for
from pose_extract.convert.json_files import FAULTS, from_zero, json_files, numbers, read_json
from pose_extract.convert.people import Person, build_tracks
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import MAX_FRAMES

IMAGE_SIZE = (256, 340)
_SPLITS = ('train', 'val', 'test')


def read_kinetics(source: Path, options: ReadOptions) -> Collection:
    """Read one such file or all below a folder.

    Raises:
        UserError: There is no JSON file.
    """
    collection = Collection()
    labels: dict[str, tuple[str | None, int | None]] = {}
    for name, path in json_files(source):
        if name.endswith('_label'):
            continue  # the lists say again what each file says
        try:
            content = read_json(path)
            clip, notes = _clip(name, content, path, options)
            labels[name] = _label(content)
        except FAULTS as error:
            collection.failures.append(f'{path}: {error!s:.300}')
            continue
        collection.notes += [f'{path}: {note}' for note in notes]
        collection.clips.append(clip)
    if options.image_size is None:
        collection.notes.append(f'{source}: frames are taken as 256 x 340 pixels (height x width), as ST-GCN has them')
    _number(collection, labels)
    collection.add_all_splits()
    return collection


def _clip(name: str, content: object, path: Path, options: ReadOptions) -> tuple[Clip, list[str]]:
    if not isinstance(content, dict) or not isinstance(content.get('data'), list):
        raise UserError('expected a dict with the list "data"')
    skeleton = layout_for(options, 'openpose18', 18)
    size = options.image_size or IMAGE_SIZE
    frames: dict[int, list[Person]] = {}
    for frame in content['data']:
        number = frame.get('frame_index') if isinstance(frame, dict) else None
        if not isinstance(number, int) or not 0 <= number < MAX_FRAMES or number in frames:
            raise UserError(f'frame_index: expected a frame number, each once, got {number!r:.40}')
        people = frame.get('skeleton')
        if not isinstance(people, list):
            raise UserError(f'frame {number}: skeleton: expected a list of persons')
        frames[number] = [_person(person, get_skeleton(skeleton).num_keypoints, size) for person in people]
    frames = from_zero(frames)
    provenance = {'source': {'file': path.name, 'format': 'kinetics-skeleton'}}
    tracks, notes = build_tracks(frames, skeleton, size, options, provenance)
    folder = path.parent.name.lower()
    splits = tuple(split for split in _SPLITS if folder == split or folder.endswith(f'_{split}'))
    return Clip(name, tracks, splits=splits), notes


def _person(person: Any, count: int, size: tuple[int, int]) -> Person:
    if not isinstance(person, dict):
        raise UserError('skeleton: expected a list of dicts with "pose" and "score"')
    pose, score = numbers(person.get('pose'), 'pose'), numbers(person.get('score'), 'score')
    if len(pose) != 2 * count or len(score) != count:
        raise UserError(f'expected {count} points (x, y) and scores, got {len(pose)} and {len(score)} numbers')
    points = pose.reshape(count, 2)
    if np.nanmax(np.abs(points), initial=0) > 3:
        raise UserError('pose: expected shares of the width and height, got numbers above 1')
    points = np.where(((points == 0).all(-1) & (score == 0))[:, None], np.nan, points * [size[1], size[0]])
    return Person(points, score)


def _label(content: dict[str, Any]) -> tuple[str | None, int | None]:
    name, index = content.get('label'), content.get('label_index')
    return name if isinstance(name, str) and name else None, index if isinstance(index, int) and index >= 0 else None


def _number(collection: Collection, labels: dict[str, tuple[str | None, int | None]]) -> None:
    """Labels by the files' own numbers where these cover names without gaps, else by the alphabet."""
    names = {index: name for name, index in labels.values() if name is not None and index is not None}
    texts = sorted({name for name, _ in labels.values() if name is not None})
    whole = len(names) == len(texts) and sorted(names) == list(range(len(texts)))
    classes = [names[index] for index in range(len(texts))] if whole else texts
    if classes:
        collection.classes = classes
    for clip in collection.clips:
        name, index = labels[clip.name]
        clip.label = classes.index(name) if name is not None else index if not classes else None
