"""Predictions as MMPose writes them: one JSON file a video, a list of frames with their instances.

Read are the files of ``MMPoseInferencer`` (``[{"frame_id": 0, "instances": [...]}, ...]`` for a video,
``[{"keypoints": ...}, ...]`` for one image) and of ``topdown_demo_with_mmdet.py`` (the same under ``instance_info``).
They have no identities, so that persons are tracked here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, extent_boxes, layout_for
from pose_extract.extraction import TrackBuilder
from pose_extract.poses import FramePoses
from pose_extract.skeletons import get_skeleton
from pose_extract.tracking import Tracker
from pose_extract.tracks import PoseTracks
from pose_extract.video import Frame

MAX_FRAMES = 10_000_000


def read_mmpose(source: Path, options: ReadOptions) -> Collection:
    """Read one JSON file or all below a folder; each becomes a clip of the file's name without ``.json``.

    Raises:
        UserError: There is no JSON file, or the size of the frames is not given.
    """
    if options.image_size is None:
        raise UserError(
            f'{source}: MMPose does not write the size of the frames; give it with --image-size HEIGHT WIDTH'
        )
    files = sorted(source.rglob('*.json')) if source.is_dir() else [source]
    if not files:
        raise UserError(f'{source}: holds no JSON files')
    collection = Collection()
    for path in files:
        name = (path.relative_to(source) if source.is_dir() else Path(path.name)).as_posix().removesuffix('.json')
        try:
            collection.clips.append(Clip(name, _read_file(path, options)))
        except (ValueError, TypeError, OSError, RecursionError) as error:
            collection.failures.append(f'{path}: {error}')
    return collection


def _read_file(path: Path, options: ReadOptions) -> PoseTracks:
    content = json.loads(path.read_bytes())
    content = content.get('instance_info') if isinstance(content, dict) else content
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise UserError('expected the list of frames that MMPose writes')
    if content and 'instances' not in content[0]:
        content = [{'frame_id': 0, 'instances': content}]
    frames = _by_number(content)
    counts = {len(instance['keypoints']) for instances in frames.values() for instance in instances}
    if len(counts) > 1:
        raise UserError(f'instances have different numbers of keypoints: {sorted(counts)}')
    if not counts and options.skeleton is None:
        raise UserError('nobody in any frame, so that the layout is not known; give it with --skeleton')
    skeleton = layout_for(options, None, counts.pop() if counts else 0)
    builder, tracker = TrackBuilder(get_skeleton(skeleton).num_keypoints), Tracker()
    picture = np.zeros((0, 0, 3), np.uint8)
    for t in range(max(frames, default=0) + 1):
        poses = _poses(frames.get(t, []), builder.num_keypoints)
        builder.add(Frame(t, t / options.fps, picture), tracker.update(t, poses), poses)
    keypoints, scores, boxes = builder.build(builder.persons())
    return PoseTracks(
        keypoints=keypoints,
        scores=scores,
        boxes=boxes,
        frame_times=np.array(builder.times),
        image_size=options.image_size or (0, 0),
        skeleton=skeleton,
        provenance={'source': {'file': path.name, 'format': 'mmpose'}, 'fps': options.fps},
    )


def _by_number(content: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """Instances by frame, from 0; some scripts count from 1."""
    frames: dict[int, list[dict[str, Any]]] = {}
    for entry in content:
        number = entry.get('frame_id')
        if not isinstance(number, int) or not 0 <= number < MAX_FRAMES or number in frames:
            raise UserError(f'frame_id: expected a frame number, each once, got {number!r}')
        instances = entry.get('instances')
        if not isinstance(instances, list) or not all(isinstance(i, dict) and 'keypoints' in i for i in instances):
            raise UserError(f'frame {number}: instances: expected a list of dicts with "keypoints"')
        frames[number] = instances
    first = min(frames, default=0)
    return {number - first: instances for number, instances in frames.items()} if first == 1 else frames


def _poses(instances: list[dict[str, Any]], count: int) -> FramePoses:
    """The persons of one frame; scores above 1, which some heads give, count as 1."""
    if not instances:
        return FramePoses.nobody(count)
    keypoints = np.array([instance['keypoints'] for instance in instances], np.float32)
    if keypoints.shape != (len(instances), count, 2):
        raise UserError(f'keypoints: expected {count} pairs (x, y), got an array of shape {keypoints.shape[1:]}')
    ones = [1.0] * count
    scores = np.array([instance.get('keypoint_scores', ones) for instance in instances], np.float32)
    boxes = extent_boxes(keypoints[:, None])[:, 0]
    for row, instance in zip(boxes, instances, strict=True):
        if 'bbox' in instance:
            row[:] = np.array(instance['bbox'], np.float32).reshape(-1)[:4].reshape(4)
    return FramePoses(keypoints, np.clip(scores, 0, 1), boxes)
