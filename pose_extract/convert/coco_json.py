"""Results in COCO's form, as AlphaPose writes them too, and COCO's annotation files.

From output.md of AlphaPose: a list with ``{"image_id": "1.jpg", "category_id": 1, "keypoints": [x1, y1, c1, ...,
xk, yk, ck], "score": float, "box": [x, y, width, height], "idx": [float]}`` for each person (``idx`` with tracking);
its other two formats are dicts by image with ``people`` (``--format open``) or ``bodies`` (``--format cmu``), in the 18
points of OpenPose. From cocodataset.org: results are ``[{"image_id": int, "category_id": int, "keypoints": [x1, y1,
v1, ...], "score": float}]``; annotation files add ``images`` with ``id``, ``file_name``, ``width``, ``height`` and
``categories`` with the names of the ``keypoints``.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, layout_for, size_for
from pose_extract.convert.declared import declared_layout, narrowed
from pose_extract.convert.json_files import FAULTS, from_zero, json_files, numbers, read_json, sequences
from pose_extract.convert.people import Person, build_tracks, split_triples

Entry = dict[str, Any]


def read_coco(source: Path, options: ReadOptions) -> Collection:
    """Read one such file or all below a folder; the images of a video are a clip.

    Raises:
        UserError: There is no JSON file.
    """
    collection = Collection()
    for name, path in json_files(source):
        try:
            _read_file(collection, name, path, options)
        except FAULTS as error:
            collection.failures.append(f'{path}: {error!s:.300}')
    return collection


def _read_file(collection: Collection, name: str, path: Path, options: ReadOptions) -> None:
    content, layout, images = read_json(path), None, {}
    if isinstance(content, dict) and 'annotations' in content:
        layout, notes = _declared(content.get('categories'), options)
        collection.notes += [f'{path}: {note}' for note in notes]
        images = _images(content.get('images'))
        content = content['annotations']
    elif isinstance(content, dict):
        layout = 'openpose18' if options.skeleton is None else None
        content = [entry for image, frame in content.items() for entry in _openpose_form(image, frame)]
    if not isinstance(content, list) or not all(isinstance(e, dict) and 'image_id' in e for e in content):
        raise UserError('expected a list of persons, each with "image_id" and "keypoints"')
    content = [entry for entry in content if entry.get('keypoints') or not images]
    if not content:
        raise UserError('no person with keypoints in it')
    visibility = _is_visibility(content)
    for clip, (frames, size, length) in _clips(content, images, _own_name(name), path, options).items():
        try:
            _add(collection, clip, path, frames, size, length, layout, visibility, options)
        except FAULTS as error:
            collection.failures.append(f'{path}: {clip}: {error!s:.300}')


def _add(
    collection: Collection,
    name: str,
    path: Path,
    frames: dict[int, list[Entry]],
    size: tuple[int, int],
    length: int,
    layout: str | None,
    visibility: bool,
    options: ReadOptions,
) -> None:
    points = {len(e['keypoints']) // 3 for entries in frames.values() for e in entries if _has_list(e)}
    if len(points) != 1:
        raise UserError(f'persons have different numbers of keypoints: {sorted(points)}')
    count = points.pop()
    smaller = narrowed(count)
    skeleton, order = smaller if smaller is not None else (layout_for(options, layout, count), None)
    people = {n: [_person(entry, count, visibility, order) for entry in entries] for n, entries in frames.items()}
    provenance = {'source': {'file': path.name, 'format': 'coco'}}
    tracks, notes = build_tracks(people, skeleton, size, options, provenance, length)
    collection.clips.append(Clip(name, tracks))
    if order is not None:
        notes.append(f'of {count} points, the {len(order)} of {skeleton} are taken')
    collection.notes += [f'{path}: {name}: {note}' for note in notes]


def _has_list(entry: Entry) -> bool:
    if not isinstance(entry.get('keypoints'), list):
        raise UserError(f'keypoints: expected a list of numbers, got {type(entry.get("keypoints")).__name__}')
    return True


def _own_name(name: str) -> str:
    """The clip's name by its file: AlphaPose calls all of its files alike, in a folder a video."""
    pure = PurePosixPath(name)
    if pure.name.lower().startswith('alphapose-results') and pure.parent.as_posix() != '.':
        return pure.parent.as_posix()
    return name


def _openpose_form(image: str, frame: object) -> list[Entry]:
    """The persons of one image in AlphaPose's other two formats, in the order of OpenPose's points."""
    if not isinstance(frame, dict):
        raise UserError('expected COCO results, or a dict of images with "people" or "bodies"')
    people = frame.get('people', frame.get('bodies'))
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise UserError(f'{image[:80]}: expected a list of "people" or "bodies"')
    return [{'image_id': image, 'keypoints': p.get('pose_keypoints_2d', p.get('joints'))} for p in people]


def _declared(categories: object, options: ReadOptions) -> tuple[str | None, list[str]]:
    if not isinstance(categories, list):
        return None, []
    named = [c['keypoints'] for c in categories if isinstance(c, dict) and isinstance(c.get('keypoints'), list)]
    return declared_layout(None, [str(name) for name in named[0]], options) if named else (None, [])


def _images(images: object) -> dict[object, Entry]:
    if not isinstance(images, list) or not all(isinstance(i, dict) and 'id' in i for i in images):
        raise UserError('images: expected a list of dicts with "id"')
    return {image['id']: image for image in images}


def _clips(
    content: list[Entry], images: dict[object, Entry], own: str, path: Path, options: ReadOptions
) -> dict[str, tuple[dict[int, list[Entry]], tuple[int, int], int]]:
    """Persons by frame, size and length of each clip of a file."""
    by_image: dict[str | int, list[Entry]] = {image: [] for image in images if isinstance(image, str | int)}
    for entry in content:
        image = entry['image_id']
        if not isinstance(image, str | int) or isinstance(image, bool) or (images and image not in images):
            raise UserError(f'image_id: expected one of the images, got {image!r:.60}')
        by_image.setdefault(image, []).append(entry)
    names = {}
    for image in by_image:
        known = images.get(image, {})
        text = str(known.get('file_name', image))
        folder = PurePosixPath(text.replace('\\', '/')).parent.as_posix() if known else '.'
        stem = PurePosixPath(text).stem if '.' in text else PurePosixPath(text).name
        names[f'{folder}/{stem}' if known else stem] = image
        if len(names) > 10_000_000:
            raise UserError('more images than a video has frames')
    if len(names) != len(by_image):
        raise UserError('two images have one name')
    groups = sequences(names.items())
    clips = {}
    for group, frames in groups.items():
        video = not images and all(not str(image).split('.')[0].strip('0123456789') for image in frames.values())
        placed = from_zero(frames, always=not video)
        name = own if len(groups) == 1 else (PurePosixPath(own) / group).as_posix()
        first = images.get(next(iter(frames.values())), {})
        height, width = first.get('height'), first.get('width')
        if isinstance(height, int) and isinstance(width, int):
            size = (height, width)
        else:
            size = size_for(options, path, 'this file')
        clips[name] = ({n: by_image[image] for n, image in placed.items()}, size, max(placed) + 1)
    return clips


def _is_visibility(content: list[Entry]) -> bool:
    """Whether third numbers are COCO's flags: 0 not labelled, 1 hidden but labelled, 2 visible."""
    lists = [entry['keypoints'] for entry in content[:1000] if isinstance(entry.get('keypoints'), list)]
    thirds = {value for values in lists for value in values[2:600:3] if isinstance(value, int | float)}
    return 2 in thirds and thirds <= {0, 1, 2}


def _person(entry: Entry, count: int, visibility: bool, order: list[int] | None) -> Person:
    points, scores = split_triples(numbers(entry['keypoints'], 'keypoints'), 'keypoints')
    if len(points) != count:
        raise UserError(f'keypoints: expected {count}, got {len(points)}')
    scores = (scores > 0).astype(float) if visibility else scores
    points = np.where(((scores == 0) & (points == 0).all(-1))[:, None], np.nan, points)
    box = entry.get('box', entry.get('bbox'))
    if box is not None:
        box = numbers(box, 'box')
        box = np.concatenate([box[:2], box[:2] + box[2:]]) if len(box) == 4 else None
    if order is not None:
        points, scores = points[order], scores[order]
    return Person(points, scores, box, _identity(entry.get('idx', entry.get('track_id'))))


def _identity(value: object) -> int | None:
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
