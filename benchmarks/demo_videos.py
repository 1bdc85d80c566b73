"""Short clips of micro-actions, made by warping one photograph smoothly: footage for the demo that needs no download.

The photograph is scikit-image's ``astronaut`` (NASA, public domain), an upper-body portrait of 512 x 512 pixels. Five
movements are modelled, each a smooth displacement field around a part of the body: ``pitch``, ``yaw`` and ``roll`` of
the head, ``lean`` of the trunk and ``shrug`` of the shoulders. A micro-action drives one of them; the others rest.

No single frame tells the class. In every clip each movement has a random resting value as wide as the actions reach,
an action swings about the middle of its range, and small idle motion, camera, brightness and noise vary throughout.
What distinguishes the classes is how the body moves over time: which part, and in which direction first.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from bmoe_ground.errors import UserError

FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
ByteArray = np.ndarray[Any, np.dtype[np.uint8]]

FPS = 20.0

# Centre, pivots and radii in pixels of the photograph.
_HEAD, _FACE, _NECK, _WAIST = (227.0, 105.0), (227.0, 125.0), (225.0, 195.0), (210.0, 600.0)
_RIGHT_SHOULDER, _LEFT_SHOULDER = (108.0, 255.0), (315.0, 262.0)


@dataclass(frozen=True)
class Movement:
    """Extent of one movement: degrees for ``roll`` and ``lean``, pixels of the photograph for the others.

    Attributes:
        smallest: Least peak-to-peak amplitude of an action.
        largest: Greatest peak-to-peak amplitude of an action.
        rest: The resting value is uniform in ``[-rest, rest]``.
    """

    smallest: float
    largest: float
    rest: float


MOVEMENTS = {
    'pitch': Movement(26.0, 40.0, 10.0),
    'yaw': Movement(26.0, 40.0, 10.0),
    'roll': Movement(13.0, 22.0, 6.0),
    'lean': Movement(3.0, 6.0, 3.0),
    'shrug': Movement(24.0, 38.0, 10.0),
}

# Class -> driven movement and the sign of its first excursion; 0 swings both ways. Left is the person's own left.
ACTIONS: dict[str, tuple[str, int] | None] = {
    'lean_left': ('lean', 1),
    'lean_right': ('lean', -1),
    'nod': ('pitch', 0),
    'shake_head': ('yaw', 0),
    'shrug': ('shrug', 1),
    'still': None,
    'tilt_head': ('roll', 0),
}
_CYCLES_PER_SECOND = {'pitch': (0.7, 1.3), 'yaw': (0.7, 1.3), 'roll': (0.5, 1.0)}


@dataclass(frozen=True)
class ClipMotion:
    """What happens in one clip of ``T`` frames.

    Attributes:
        movements: Movement name -> value in each frame, ``(T,)``, in the units of :class:`Movement`.
        camera: Shift to the right and down (fractions of the frame), zoom factor and roll (degrees), ``(T, 4)``.
        gain: Brightness factor in each frame, ``(T,)``.
        noise: Standard deviation of the sensor noise, 0..255.
    """

    movements: dict[str, FloatArray]
    camera: FloatArray
    gain: FloatArray
    noise: float


def sample_motion(action: str, num_frames: int, rng: np.random.Generator) -> ClipMotion:
    """Draw the motion of one clip of ``action``.

    Args:
        action: A key of :data:`ACTIONS`.
        num_frames: ``T``, at least 2.
        rng: Source of all randomness.

    Returns:
        The motion of every movement, the camera and the light.

    Raises:
        ValueError: If the action is unknown.
    """
    if action not in ACTIONS:
        raise ValueError(f'action {action!r} is none of {sorted(ACTIONS)}')
    movements = {}
    for name, extent in MOVEMENTS.items():
        idle = 0.04 * extent.smallest * _smooth_noise(rng, num_frames)
        movements[name] = rng.uniform(-extent.rest, extent.rest) + idle
    driven = ACTIONS[action]
    if driven is not None:
        name, sign = driven
        amplitude = rng.uniform(MOVEMENTS[name].smallest, MOVEMENTS[name].largest)
        if sign:
            movements[name] = movements[name] + sign * amplitude * _excursion(num_frames, rng)
        else:
            movements[name] = movements[name] + amplitude * _oscillation(num_frames, _CYCLES_PER_SECOND[name], rng)
    wobble = np.stack([_smooth_noise(rng, num_frames) for _ in range(4)], axis=1) * (0.002, 0.002, 0.002, 0.1)
    camera = rng.uniform((-0.03, -0.02, 0.95, -1.5), (0.03, 0.03, 1.06, 1.5)) + wobble
    gain = rng.uniform(0.75, 1.2) * (1 + 0.01 * _smooth_noise(rng, num_frames))
    return ClipMotion(movements, camera, gain, noise=rng.uniform(1.0, 4.0))


def _smooth_noise(rng: np.random.Generator, num_frames: int) -> FloatArray:
    """Slow noise of about unit variance, ``(T,)``."""
    sigma = 4.0
    noise = gaussian_filter1d(rng.standard_normal(num_frames), sigma, mode='nearest')
    return noise * np.sqrt(2 * np.sqrt(np.pi) * sigma)


def _smooth_step(x: FloatArray) -> FloatArray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _excursion(num_frames: int, rng: np.random.Generator) -> FloatArray:
    """There and back about the middle, ``(T,)`` in [-0.5, 0.5]: starts and ends at -0.5, away for half of the clip."""
    time = np.arange(num_frames) / FPS
    length = num_frames / FPS
    ramp = rng.uniform(0.2, 0.45)
    away = rng.uniform(0.4, 0.6) * length
    start = rng.uniform(0.05, 0.95) * max(length - away - ramp, 0.0)
    return _smooth_step((time - start) / ramp) - _smooth_step((time - start - away) / ramp) - 0.5


def _oscillation(num_frames: int, rates: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """To and fro about the middle, ``(T,)`` in [-0.5, 0.5], from a random phase, for most of the clip."""
    time = np.arange(num_frames) / FPS
    length = num_frames / FPS
    active = rng.uniform(0.65, 0.95) * length
    start = rng.uniform(0.0, length - active)
    window = _smooth_step((time - start) / 0.15) * _smooth_step((start + active - time) / 0.15)
    return 0.5 * window * np.sin(2 * np.pi * (rng.uniform(*rates) * (time - start) + rng.uniform()))


def render(photograph: ByteArray, motion: ClipMotion, size: int, rng: np.random.Generator) -> Iterator[ByteArray]:
    """Frames of one clip.

    Args:
        photograph: The portrait, ``(512, 512, 3)`` BGR.
        motion: What happens in the clip.
        size: Side of the square frames in pixels.
        rng: Source of the sensor noise.

    Yields:
        ``(size, size, 3)`` BGR frames.
    """
    for t in range(len(motion.gain)):
        values = {name: float(curve[t]) for name, curve in motion.movements.items()}
        x, y = sample_positions(values, motion.camera[t], size)
        frame = cv2.remap(photograph, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        noise = motion.noise * rng.standard_normal((size, size, 1), dtype=np.float32)
        yield np.clip(frame * np.float32(motion.gain[t]) + noise, 0, 255).astype(np.uint8)


def sample_positions(movements: dict[str, float], camera: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """Where in the photograph each pixel of the frame is taken from.

    The warps are undone from the outermost to the innermost: camera, trunk, shoulders, head.

    Args:
        movements: Value of every movement of :data:`MOVEMENTS`.
        camera: ``(4,)``, as in :class:`ClipMotion`.
        size: Side of the frame in pixels.

    Returns:
        Columns and rows, each ``(size, size)`` float32, in pixels of the photograph.
    """
    side = 512.0
    shift_x, shift_y, zoom, turn = (float(value) for value in camera)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    x = ((columns + 0.5) / size - 0.5 - shift_x) * side / zoom
    y = ((rows + 0.5) / size - 0.5 - shift_y) * side / zoom
    x, y = _turned(x, y, -turn)
    x, y = x + (side - 1) / 2, y + (side - 1) / 2  # pixel (0, 0) has its centre at 0.5

    above_waist = _smooth_step((512.0 - y) / 220.0)
    trunk = above_waist * np.exp(-np.square(np.square((x - 215.0) / 190.0)))
    x, y = _turn_about(x, y, _WAIST, -movements['lean'], trunk)

    shoulders = _bell(x, y, _RIGHT_SHOULDER, 70.0, 75.0) + _bell(x, y, _LEFT_SHOULDER, 70.0, 75.0)
    y = y + movements['shrug'] * shoulders

    head = np.exp(-np.square(np.square((x - _HEAD[0]) / 95.0) + np.square((y - _HEAD[1]) / 115.0)))
    x, y = _turn_about(x, y, _NECK, -movements['roll'], head)
    # The face travels further than the outline of the head, as in a turn out of the picture plane.
    turning = 0.45 * head + 0.55 * _bell(x, y, _FACE, 60.0, 65.0)
    return (x - movements['yaw'] * turning).astype(np.float32), (y - movements['pitch'] * turning).astype(np.float32)


def _bell(x: FloatArray, y: FloatArray, centre: tuple[float, float], width: float, height: float) -> FloatArray:
    return np.exp(-np.square((x - centre[0]) / width) - np.square((y - centre[1]) / height))


def _turned(x: FloatArray, y: FloatArray, degrees: float) -> tuple[FloatArray, FloatArray]:
    """Rotate about the origin, clockwise as seen (y points down)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return cos * x - sin * y, sin * x + cos * y


def _turn_about(
    x: FloatArray, y: FloatArray, pivot: tuple[float, float], degrees: float, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rotate about ``pivot``, each point by its share ``weight`` of the whole displacement."""
    turned_x, turned_y = _turned(x - pivot[0], y - pivot[1], degrees)
    return x + weight * (turned_x + pivot[0] - x), y + weight * (turned_y + pivot[1] - y)


def write_clip(file: Path, frames: Iterator[ByteArray], size: int) -> None:
    """Write frames as MPEG-4, under a temporary name until the file is whole.

    Args:
        file: The video, ``*.mp4``. Its folder is made if needed.
        frames: ``(size, size, 3)`` BGR frames.
        size: Side of the frames in pixels.

    Raises:
        UserError: If OpenCV cannot write there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f'.{file.stem}.partial.mp4')
    writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*'mp4v'), FPS, (size, size))
    if not writer.isOpened():
        raise UserError(f'{file}: OpenCV cannot write an MPEG-4 video there; is the folder writable?')
    try:
        for frame in frames:
            writer.write(frame)
    finally:
        writer.release()
    os.replace(partial, file)


def make_demo_videos(out: Path, clips_per_class: int, num_frames: int, size: int, seed: int) -> list[Path]:
    """Write ``<out>/<class>/<clip>.mp4`` for every class of :data:`ACTIONS`.

    Each clip depends on the seed, its class and its number alone, so more clips leave the first ones as they are.

    Args:
        out: Folder of the clips; made if needed.
        clips_per_class: At least 1.
        num_frames: Frames of a clip at 20 frames a second, at least 20.
        size: Side of the square frames in pixels, 64 to 1024.
        seed: Not negative.

    Returns:
        The files, class by class.

    Raises:
        UserError: If a number is out of its range or ``out`` is not a folder.
    """
    for name, value, least, most in (
        ('clips per class', clips_per_class, 1, 10_000),
        ('frames', num_frames, 20, 10_000),
        ('size', size, 64, 1024),
        ('seed', seed, 0, 2**32 - 1),
    ):
        if not least <= value <= most:
            raise UserError(f'{name} is {value}; expected {least} to {most}')
    if out.exists() and not out.is_dir():
        raise UserError(f'{out} is a file; give a folder for the videos')
    photograph = load_photograph()

    def make(index: int, action: str, clip: int) -> Path:
        rng = np.random.default_rng([seed, index, clip])
        motion = sample_motion(action, num_frames, rng)
        file = out / action / f'{action}_{clip:03d}.mp4'
        write_clip(file, render(photograph, motion, size, rng), size)
        return file

    clips = [(index, action, clip) for index, action in enumerate(ACTIONS) for clip in range(clips_per_class)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy and OpenCV let other threads run while they compute
        return list(pool.map(lambda clip: make(*clip), clips))


def load_photograph() -> ByteArray:
    """The portrait in scikit-image's wheel, ``(512, 512, 3)`` BGR.

    Raises:
        UserError: If scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise UserError('the demo videos need scikit-image: pip install scikit-image') from error
    return np.ascontiguousarray(astronaut()[..., ::-1])
