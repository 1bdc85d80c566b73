"""Folders of OpenPose (``--write_json``): a JSON file a frame.

From doc/02_output.md of OpenPose: ``{"version":1.1, "people":[{"pose_keypoints_2d":[582.349,507.866,0.845918, ...],
"face_keypoints_2d":[...], "hand_left_keypoints_2d":[...], "hand_right_keypoints_2d":[...], ...}]}``; the files of a
video are called ``<video>_000000000000_keypoints.json`` and so on, those of images ``<image>_keypoints.json``. The body
has 25 points (BODY_25) or 18 (COCO), a hand 21, the face 70: the 68 usual ones and the pupils. ``person_id`` is [-1]
unless OpenPose tracked. A point that was not found is 0, 0, 0.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, size_for
from pose_extract.convert.json_files import FAULTS, from_zero, json_files, numbers, read_json, sequences
from pose_extract.convert.people import Person, build_tracks, split_triples
from pose_extract.layout_conversion import recipe_for
from pose_extract.skeletons import get_skeleton

BODIES = {25: 'openpose25', 18: 'openpose18'}
_HAND = tuple(k.removeprefix('left_') for k in get_skeleton('coco_wholebody133').keypoints[91:112])
_PARTS: dict[str, tuple[int, tuple[str, ...]]] = {  # key -> points in the file, names of those that have one
    'face_keypoints_2d': (70, tuple(f'face_{i}' for i in range(68))),
    'hand_left_keypoints_2d': (21, tuple(f'left_{name}' for name in _HAND)),
    'hand_right_keypoints_2d': (21, tuple(f'right_{name}' for name in _HAND)),
}
Points = dict[str, tuple[float, float, float]]


def read_openpose(source: Path, options: ReadOptions) -> Collection:
    """Read a folder of such files, or of folders of them; each video is a clip.

    Raises:
        UserError: There is no JSON file, or the size of the frames is not given.
    """
    size_for(options, source, 'OpenPose')
    collection = Collection()
    named = []
    for name, path in json_files(source):
        named.append((re.sub('_keypoints$', '', name), path))
    for name, paths in sequences(named).items():
        first = next(iter(paths.values()))
        video = re.search(r'_\d{12}_keypoints$', first.stem) is not None
        placed = from_zero(paths, always=not video)
        frames, damaged = _read_frames(placed)
        try:
            if not frames:
                raise UserError(f'no frame can be read: {damaged[0]}')
            tracks, notes = _build(frames, options, first, max(placed) + 1)
            clip = Clip(name, tracks)
        except FAULTS as error:
            collection.failures.append(f'{first.parent}: {name}: {error!s:.300}')
            continue
        collection.clips.append(clip)
        collection.notes += [f'{first.parent}: {note}' for note in notes]
        collection.failures += [f'{first.parent}: {line}; nobody is in this frame' for line in damaged]
    return collection


def _read_frames(paths: dict[int, Path]) -> tuple[dict[int, list[tuple[Points, int, int | None]]], list[str]]:
    """The persons of each frame, and what is wrong with those that cannot be read, which stay empty."""
    frames, damaged = {}, []
    for number, path in paths.items():
        try:
            frames[number] = _read_frame(path)
        except FAULTS as error:
            damaged.append(f'{error!s:.200}')
    return frames, damaged


def read_people(people: object, where: str) -> list[tuple[Points, int, int | None]]:
    """The persons of one frame: their points by name, the number of the body's points, and who it is."""
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise UserError(f'{where}: people: expected a list of persons')
    return [_read_person(person, where) for person in people]


def _read_frame(path: Path) -> list[tuple[Points, int, int | None]]:
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f'{path.name}: {error}') from error
    return read_people(content.get('people') if isinstance(content, dict) else None, path.name)


def _read_person(person: dict[str, Any], where: str) -> tuple[Points, int, int | None]:
    key = 'pose_keypoints_2d' if 'pose_keypoints_2d' in person else 'pose_keypoints'  # before version 1.2
    points, scores = split_triples(numbers(person.get(key), f'{where}: {key}'), f'{where}: {key}')
    found: Points = {}
    if len(points) and len(points) not in BODIES:
        raise UserError(f'{where}: {len(points)} points of the body; BODY_25 has 25 and COCO 18, others are not read')
    if len(points):
        _name(found, get_skeleton(BODIES[len(points)]).keypoints, points, scores)
    for part, (count, names) in _PARTS.items():
        values = numbers(person.get(part) or [], f'{where}: {part}')
        if not len(values):
            continue
        if len(values) != 3 * count:
            raise UserError(f'{where}: {part}: expected {count} points, got {len(values)} numbers')
        _name(found, names, *split_triples(values, part))
    identity = person.get('person_id')
    identity = identity[0] if isinstance(identity, list) and len(identity) == 1 else identity
    return found, len(points), identity if isinstance(identity, int) and 0 <= identity < 2**31 else None


def _name(found: Points, names: tuple[str, ...], points: np.ndarray, scores: np.ndarray) -> None:
    for name, (x, y), score in zip(names, points.tolist(), scores.tolist(), strict=False):
        if score > 0 or (x, y) != (0, 0):
            found[name] = (x, y, score)


def _build(
    frames: dict[int, list[tuple[Points, int, int | None]]], options: ReadOptions, first: Path, length: int
) -> tuple[Any, list[str]]:
    """Choose a layout for all persons of a clip and lay them out."""
    everybody = [person for persons in frames.values() for person in persons]
    counts = {count for _, count, _ in everybody if count}
    if len(counts) > 1:
        raise UserError(f'persons have different numbers of points: {sorted(counts)}')
    if not counts and options.skeleton is None:
        raise UserError('nobody in any frame, so that the layout is not known; give it with --skeleton')
    coordinates = [abs(value) for points, _, _ in everybody for point in points.values() for value in point[:2]]
    if coordinates and max(coordinates) <= 1:
        raise UserError('all coordinates lie within 1: write them in pixels (OpenPose: --keypoint_scale 0)')
    body = BODIES[counts.pop()] if counts else 'openpose25'
    named = {name for points, _, _ in everybody for name in points}
    more = any(name in named for _, names in _PARTS.values() for name in names)
    skeleton, notes = options.skeleton, []
    if skeleton is None:
        skeleton = 'coco_wholebody133' if more and body == 'openpose25' else body
        if more:
            others = 'openpose25' if skeleton == 'coco_wholebody133' else 'openpose28 or coco_wholebody133'
            doing = 'with' if skeleton == 'coco_wholebody133' else 'without'
            notes.append(f'read as {skeleton}, {doing} face and hands; --skeleton takes {others} too')
    people = {number: _arrange(persons, skeleton, body) for number, persons in frames.items()}
    provenance = {'source': {'file': first.parent.name, 'format': 'openpose'}}
    tracks, found = build_tracks(people, skeleton, size_for(options, first, 'OpenPose'), options, provenance, length)
    return tracks, notes + found


def _arrange(persons: list[tuple[Points, int, int | None]], skeleton: str, body: str) -> list[Person]:
    """Named points in the order of a layout; what follows from none of them is absent."""
    source = (*get_skeleton(body).keypoints, *(name for _, names in _PARTS.values() for name in names))
    recipes = [recipe_for(target, source) for target in get_skeleton(skeleton).keypoints]
    lacking = sum(recipe is None for recipe in recipes)
    if 2 * lacking > len(recipes):
        raise UserError(f'{body} has nothing for {lacking} of the {len(recipes)} points of {skeleton}')
    arranged = []
    for points, _, identity in persons:
        keypoints, scores = np.full((len(recipes), 2), np.nan), np.zeros(len(recipes))
        for row, recipe in enumerate(recipes):
            if recipe is not None and all(name in points for name in recipe):
                keypoints[row] = sum(weight * np.array(points[name][:2]) for name, weight in recipe.items())
                scores[row] = min(points[name][2] for name in recipe)
        arranged.append(Person(keypoints, scores, None, identity))
    return arranged
