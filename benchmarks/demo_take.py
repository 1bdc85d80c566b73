"""One continuous take of the demo's person: one micro-action after another with rests between, and when each was.

The clips of :mod:`benchmarks.demo_videos` hold one action each; what users have are videos in which things happen
now and then. A take shows all actions in random order about one resting posture, each drawn as in a clip of its own,
and its table of events says what a good answer would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.demo_videos import (
    ACTIONS,
    FPS,
    MOVEMENTS,
    ClipMotion,
    FloatArray,
    load_photograph,
    render,
    sample_motion,
)
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from pose_extract.draw.video_file import video_file

MOVING = tuple(name for name, driven in ACTIONS.items() if driven is not None)
"""The actions of a take; to sit still is what happens between them."""


@dataclass(frozen=True)
class TrueEvent:
    """One action of a take, from the first to the last frame of its clip, in seconds."""

    start: float
    end: float
    label: str


def sample_take(
    rounds: int, action_frames: int, rest_frames: int, rng: np.random.Generator
) -> tuple[ClipMotion, list[TrueEvent]]:
    """Draw the motion of one take: each moving action ``rounds`` times.

    Args:
        rounds: At least 1.
        action_frames: Frames of one action, at least 20.
        rest_frames: Frames before the first, between two and after the last, at least 0.
        rng: Source of all randomness.

    Returns:
        The motion, and what happens in it.
    """
    order = [name for _ in range(rounds) for name in rng.permutation(MOVING)]
    step = action_frames + rest_frames
    total = rest_frames + len(order) * step
    base = sample_motion('still', total, rng)
    movements = dict(base.movements)
    events = []
    for i, action in enumerate(order):
        first = rest_frames + i * step
        driven = ACTIONS[action]
        if driven is None:
            raise ValueError(f'{action} moves nothing')
        movement = driven[0]
        curve = np.zeros(total)
        curve[first : first + action_frames] = _away_from_rest(str(action), action_frames, rng)
        movements[movement] = movements[movement] + curve
        events.append(TrueEvent(first / FPS, (first + action_frames - 1) / FPS, str(action)))
    return ClipMotion(movements, base.camera, base.gain, base.noise), events


def _away_from_rest(action: str, frames: int, rng: np.random.Generator) -> FloatArray:
    """The driven movement of one clip as distance from where it starts; it ends there too, or is brought there."""
    driven = ACTIONS[action]
    if driven is None:
        raise ValueError(f'{action} moves nothing')
    curve = sample_motion(action, frames, rng).movements[driven[0]]
    curve = curve - np.linspace(curve[0], curve[-1], frames)
    extent = MOVEMENTS[driven[0]]
    return np.clip(curve, -2 * extent.largest, 2 * extent.largest)


def make_demo_take(file: Path, rounds: int, size: int, seed: int) -> list[TrueEvent]:
    """Write a take as a video that browsers play, and ``<file>.truth.csv`` beside it: ``start,end,person,label``.

    Args:
        file: The video, ``*.mp4``.
        rounds: How often each action comes, 1 to 100.
        size: Side of the square frames in pixels, 64 to 1024.
        seed: Not negative; the motion has nothing in common with the clips of the same seed.

    Returns:
        What happens in it.

    Raises:
        UserError: A number is out of its range, or a file cannot be written.
    """
    for name, value, least, most in (
        ('rounds', rounds, 1, 100),
        ('size', size, 64, 1024),
        ('seed', seed, 0, 2**32 - 1),
    ):
        if not least <= value <= most:
            raise UserError(f'{name} is {value}; expected {least} to {most}')
    rng = np.random.default_rng([seed, len(ACTIONS), 0])  # the clips' own streams end with the index of the last action
    motion, events = sample_take(rounds, 40, 20, rng)
    side = size // 2 * 2  # H.264 halves both sides of its colours
    with video_file(file, (side, side), np.arange(len(motion.gain)) / FPS) as writer:
        for frame in render(load_photograph(), motion, side, rng):
            writer.write(frame)
    lines = ['start,end,person,label', *(f'{e.start:.3f},{e.end:.3f},0,{e.label}' for e in events)]
    with atomic_write(file.with_name(f'{file.name}.truth.csv')) as table:
        table.write('\n'.join([*lines, '']).encode())
    return events
