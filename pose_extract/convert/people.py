"""From the persons of each frame, as other programs write them, to tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.building import TrackBuilder
from pose_extract.convert.clips import ReadOptions, extent_boxes
from pose_extract.poses import FramePoses
from pose_extract.skeletons import get_skeleton
from pose_extract.tracking import Tracker
from pose_extract.tracks import PoseTracks
from pose_extract.video import Frame

MAX_PERSONS = 100
"""Persons in one frame."""
MAX_BYTES = 512 * 2**20
"""Of the tracks of one clip; those who are seen the least are left out, and counted."""
_EMPTY_FRAMES = 100  # frames without an entry for each that has one, beyond the first thousand


@dataclass(frozen=True, eq=False)
class Person:
    """One person in one frame.

    Attributes:
        keypoints: (K, 2) pixels, NaN where absent.
        scores: (K,).
        box: (4,) xyxy pixels; None takes the extent of the keypoints.
        identity: Who it is, where the program says so.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    box: np.ndarray | None = None
    identity: int | None = None


def split_triples(values: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """A flat list x, y, score, x, y, score, ... as (K, 2) and (K,).

    Raises:
        UserError: Its length is not a multiple of three.
    """
    if len(values) % 3:
        raise UserError(f'{what}: expected x, y, score for each keypoint, got {len(values)} numbers')
    triples = values.reshape(-1, 3)
    return triples[:, :2], triples[:, 2]


def build_tracks(
    frames: dict[int, list[Person]],
    skeleton: str,
    image_size: tuple[int, int],
    options: ReadOptions,
    provenance: dict[str, Any],
    length: int = 0,
) -> tuple[PoseTracks, list[str]]:
    """Lay persons out along the time axis, by the identities they bring along or else by tracking them.

    Identities count only where everybody has one and nobody in the same frame has the same.

    Args:
        frames: Persons by frame number, from 0; frames that are not there show nobody.
        skeleton: Layout of all of them.
        image_size: (height, width) in pixels.
        options: For the frames a second.
        provenance: What is recorded.
        length: Frames of the clip, where it is known to be longer than the last one listed.

    Returns:
        The tracks, longest seen first, and notes on what was left out or looks wrong.

    Raises:
        UserError: A person has another number of keypoints, or the numbers are not those of a video's frames.
    """
    count = get_skeleton(skeleton).num_keypoints
    length = max(length, max(frames, default=0) + 1)
    if length > 1000 + _EMPTY_FRAMES * len(frames) or min(frames, default=0) < 0:
        raise UserError(
            f'{len(frames)} frames are numbered {min(frames)} to {max(frames)}: these are not the frames of one video'
        )
    known = all(p.identity is not None for persons in frames.values() for p in persons) and all(
        len({p.identity for p in persons}) == len(persons) for persons in frames.values()
    )
    builder, tracker = TrackBuilder(count), Tracker()
    picture = np.zeros((0, 0, 3), np.uint8)
    for t in range(length):
        poses = _frame_poses(frames.get(t, []), count, known, t)
        builder.add(Frame(t, t / options.fps, picture), tracker.update(t, poses), poses)
    notes = _notes(frames, length, image_size)
    persons = builder.persons()
    most = max(1, MAX_BYTES // (length * (3 * count + 4) * 4))
    if len(persons) > most:
        notes.append(f'{len(persons)} persons are seen; the {most} who are seen most are kept')
    keypoints, scores, boxes = builder.build(persons[:most])
    scores = np.where(np.isnan(keypoints[..., 0]), 0, scores)
    tracks = PoseTracks(
        keypoints=keypoints,
        scores=scores,
        boxes=boxes,
        frame_times=np.array(builder.times),
        image_size=image_size,
        skeleton=skeleton,
        provenance={
            **provenance,
            'fps': options.fps,
            'identities': 'of the file' if known else 'tracked',
            **({'notes': notes} if notes else {}),
        },
    )
    return tracks, notes


def _frame_poses(persons: list[Person], count: int, known: bool, t: int) -> FramePoses:
    """The persons of one frame; scores above 1, which some heads give, count as 1."""
    if not persons:
        return FramePoses.nobody(count)
    if len(persons) > MAX_PERSONS:
        raise UserError(f'frame {t}: {len(persons)} persons, more than {MAX_PERSONS}')
    for person in persons:
        if person.keypoints.shape != (count, 2) or person.scores.shape != (count,):
            raise UserError(
                f'frame {t}: expected {count} keypoints (x, y) with their scores, got {person.keypoints.shape} and '
                f'{person.scores.shape}'
            )
    keypoints = np.array([person.keypoints for person in persons], np.float64)
    keypoints[~(np.abs(keypoints) < 1e7).all(-1)] = np.nan  # also NaN and infinite ones
    scores = np.clip(np.nan_to_num(np.array([person.scores for person in persons], np.float64)), 0, 1)
    boxes = extent_boxes(keypoints[:, None])[:, 0]
    for row, person in zip(boxes, persons, strict=True):
        box = person.box
        if box is not None and box.shape == (4,) and (np.abs(box) < 1e7).all() and (box[2:] >= box[:2]).all():
            row[:] = box
    absent = np.isnan(boxes).any(-1)
    boxes[absent] = 0
    ids = np.array([person.identity for person in persons], np.int64) if known else None
    keep = ~np.isnan(keypoints[..., 0]).all(-1)
    return FramePoses(
        keypoints[keep].astype(np.float32),
        np.where(np.isnan(keypoints[..., 0]), 0, scores)[keep].astype(np.float32),
        boxes[keep],
        None if ids is None else ids[keep],
    )


def _notes(frames: dict[int, list[Person]], length: int, image_size: tuple[int, int]) -> list[str]:
    notes = []
    gaps = length - len(frames)
    if gaps:
        notes.append(f'{gaps} of {length} frame numbers are missing; nobody is in these frames')
    points = [person.keypoints for persons in frames.values() for person in persons]
    if points:
        highest = np.nanmax(np.concatenate(points), 0, initial=0)
        height, width = image_size
        if highest[0] > 1.2 * width or highest[1] > 1.2 * height:
            notes.append(
                f'keypoints reach x = {highest[0]:.0f}, y = {highest[1]:.0f} in frames of {width} x {height} pixels '
                '(width x height): is --image-size HEIGHT WIDTH right?'
            )
    return notes
