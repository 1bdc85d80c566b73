"""Minutes of generated people who rest and move in turns, and what they did when: to try a model's events on.

A movement begins from rest and ends in rest: what it left behind, such as a leaning trunk, is held for a while and
taken back slowly. Coming to a posture in which a clip would begin, and going back from one in which it would end, are
movements of no label; events there count neither for nor against anybody.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.box.body import CHANNELS, FRAMES, SIDES, Body, Touch, make_bodies, pose
from benchmarks.box.camera import make_cameras, project
from benchmarks.box.estimator import estimate
from benchmarks.box.generate import FRAMES as CLIP_FRAMES
from benchmarks.box.generate import SEATED_ONLY, can_be_seen, take_postures
from benchmarks.box.idle import RATE, rest_moves
from benchmarks.box.motions import MOTIONS, Player, minimum_jerk
from bmoe_app.answer import Event
from bmoe_skel.taxonomy import TAXONOMY
from pose_extract.layout_conversion import COMMON
from pose_extract.tracks import PoseTracks

ACTIVE = 0.1
"""Share of a movement's greatest change from which on it is under way."""
BACK = 0.8
"""Seconds in which somebody comes to where a movement begins, and goes back from where it ended."""


class Recording(NamedTuple):
    """One generated person.

    Attributes:
        tracks: In the common layout, one person.
        truth: What was done, by start; only what can be seen.
        between: Seconds from and to of what has no label: coming and going back, and movements that cannot be seen.
    """

    tracks: PoseTracks
    truth: list[Event]
    between: list[tuple[float, float]]


class _Part(NamedTuple):
    """A stretch of a recording with one movement in it or none."""

    frames: int
    moves: dict[str, np.ndarray]
    touch: dict[str, Touch]
    label: str | None
    span: tuple[int, int]  # frames in which the movement is under way


def make_recording(seed: int, movements: int = 12, rest: tuple[float, float] = (2.0, 8.0)) -> Recording:
    """Film one person.

    Args:
        seed: Of everything; other clips than those of :func:`benchmarks.box.generate.make_clips`.
        movements: How many movements there are; with 0 the person rests for a minute.
        rest: Fewest and most seconds between two.
    """
    rng = np.random.default_rng((seed, 7, 7))
    standing = rng.random(1) < 0.25
    body = make_bodies(1, standing, rng)
    labels = [name for name in TAXONOMY if not (standing[0] and name in SEATED_ONLY)]
    parts = [_resting(rng, (60.0, 60.0) if not movements else rest)]
    for label in rng.permutation(np.resize(rng.permutation(labels), movements)).tolist():
        parts += [_moving(label, body, bool(standing[0]), rng), _resting(rng, rest)]
    total = sum(part.frames for part in parts)
    moves = {name: np.zeros((1, total)) for name in CHANNELS}
    for name, values in rest_moves(1, total, rng).items():
        moves[name] += values
    take_postures(moves, standing, rng)
    points, first = [], 0
    for part in parts:
        now = {name: moves[name][:, first : first + part.frames] + part.moves.get(name, 0.0) for name in CHANNELS}
        points.append(pose(body, now, part.touch))
        first += part.frames
    return _filmed(np.concatenate(points, 1), parts, rng)


def _resting(rng: np.random.Generator, seconds: tuple[float, float]) -> _Part:
    frames = int(RATE * rng.uniform(*seconds))
    return _Part(frames, {}, _hands_at_rest(frames), None, (0, 0))


def _hands_at_rest(frames: int) -> dict[str, Touch]:
    return {
        side: Touch(np.zeros((1, frames)), np.zeros(1, int), np.zeros((1, 3)), np.zeros((1, frames, 3)))
        for side in SIDES
    }


def _moving(label: str, body: Body, standing: bool, rng: np.random.Generator) -> _Part:
    """A movement that comes out of rest and goes back to it."""
    length, coming = int(rng.integers(CLIP_FRAMES[0], CLIP_FRAMES[1] + 1)), int(BACK * RATE)
    held = int(RATE * rng.uniform(0.3, 2.0))
    touch = {
        side: {
            'share': np.zeros(length),
            'frame': np.zeros(1, int),
            'place': np.zeros(3),
            'wiggle': np.zeros((length, 3)),
        }
        for side in SIDES
    }
    played = {name: np.zeros(length) for name in CHANNELS}
    lengths = {name: float(values[0]) for name, values in body.length.items()}
    player = Player(np.arange(length) / RATE, played, touch, standing, lengths, rng)
    MOTIONS[label](player, float(np.clip(rng.normal(1.0, 0.22), 0.6, 1.5)))
    courses = [values for values in played.values() if values.any()]
    courses += [one[name] for one in touch.values() for name in ('share', 'wiggle')]
    start, stop = _under_way(courses, length)
    frames = coming + length + held + coming
    hands = {
        side: Touch(
            _out_of_rest(one['share'], coming, held)[None],
            one['frame'] % len(FRAMES),
            one['place'][None],
            np.pad(one['wiggle'], ((coming, held + coming), (0, 0)))[None],
        )
        for side, one in touch.items()
    }
    moves = {name: _out_of_rest(values, coming, held)[None] for name, values in played.items() if values.any()}
    return _Part(frames, moves, hands, label, (coming + start, coming + stop))


def _out_of_rest(values: np.ndarray, coming: int, held: int) -> np.ndarray:
    """Values (T,) with a way to the first and, after a while, one from the last."""
    way = minimum_jerk(np.arange(coming) / coming)
    return np.concatenate([values[0] * way, values, np.full(held, values[-1]), values[-1] * (1 - way)])


def _under_way(courses: list[np.ndarray], length: int) -> tuple[int, int]:
    """First frame in which any course moves or is away from where it rests, and the frame after the last."""
    active = np.zeros(length, bool)
    for course in courses:
        flat = course.reshape(length, -1)
        largest = np.abs(flat).max()
        if largest > 0:
            active |= (np.abs(flat) >= ACTIVE * largest).any(1)
    found = np.flatnonzero(active)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, length)


def _filmed(points: np.ndarray, parts: list[_Part], rng: np.random.Generator) -> Recording:
    """The camera, the estimator, and when what was done that can be seen."""
    middle = points.mean(1)
    camera = make_cameras(middle[:, 1:3].mean(1), middle[:, 17:19].mean(1), rng.choice(3, 1, p=(0.45, 0.35, 0.2)), rng)
    keypoints, scores = estimate(project(points, camera), camera.size, rng, face_only=0.1)
    times = np.arange(points.shape[1]) / RATE
    truth: list[Event] = []
    between: list[tuple[float, float]] = []
    first = 0
    for part in parts:
        if part.label is not None:
            start, stop = first + part.span[0], first + part.span[1] - 1
            begin, end = float(times[first]), float(times[first + part.frames - 1])
            if can_be_seen(part.label, scores[0, start : stop + 1]):
                truth.append(Event(float(times[start]), float(times[stop]), 0, part.label, 1.0, source='person'))
                between += [(begin, float(times[start])), (float(times[stop]), end)]
            else:
                between.append((begin, end))
        first += part.frames
    return Recording(_tracks(keypoints, scores, times, camera.size[0]), truth, between)


def _tracks(keypoints: np.ndarray, scores: np.ndarray, times: np.ndarray, size: np.ndarray) -> PoseTracks:
    seen = scores[0] > 0
    with np.errstate(all='ignore'):
        low = np.nanmin(np.where(seen[..., None], keypoints[0], np.inf), 1)
        high = np.nanmax(np.where(seen[..., None], keypoints[0], -np.inf), 1)
    boxes = np.where(seen.any(1)[:, None], np.concatenate([low, high], 1), np.nan)
    return PoseTracks(
        keypoints=keypoints.astype(np.float32),
        scores=scores.astype(np.float32),
        boxes=boxes[None].astype(np.float32),
        frame_times=times,
        image_size=(int(size[1]), int(size[0])),
        skeleton=COMMON,
        provenance={'made_by': 'benchmarks.box.recordings'},
    )
