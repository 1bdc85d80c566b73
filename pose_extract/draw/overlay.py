"""Tracks to look at: an overlay video and a contact sheet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from pose_extract.draw.render import PERSON_COLORS, RenderStyle, draw_frame
from pose_extract.draw.video_file import video_file
from pose_extract.skeletons import REGIONS, region_hex
from pose_extract.tracks import PoseTracks
from pose_extract.video import open_video

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BACKGROUND = (44, 36, 30)  # blue, green, red of frames drawn without their video
_PAPER, _INK, _FAINT = '#171c22', '#e8edf2', '#8494a3'


@dataclass(frozen=True)
class LookSettings:
    """What is drawn.

    Attributes:
        style: Of the skeletons.
        pictures: Frames on the contact sheet.
        max_size: Longest side of the overlay video in pixels; larger frames are scaled down.
    """

    style: RenderStyle = RenderStyle()
    pictures: int = 12
    max_size: int = 1280

    def __post_init__(self) -> None:
        if self.pictures < 1 or self.max_size < 16:
            raise UserError(f'pictures and max-size must be at least 1 and 16, got {self.pictures} and {self.max_size}')


def look(tracks: PoseTracks, video: Path | None, overlay: Path, sheet: Path, title: str, settings: LookSettings) -> str:
    """Write the overlay video and the contact sheet in one pass over the video.

    Args:
        tracks: What to draw.
        video: The video they were extracted from; None draws on a plain background.
        overlay: ``.mp4`` file to write (:func:`pose_extract.draw.video_file.video_file`).
        sheet: ``.png`` file to write.
        title: Heading of the sheet.
        settings: What is drawn.

    Returns:
        The codec of the overlay: ``h264``, or ``mpeg4``, which browsers do not play.

    Raises:
        UserError: The video cannot be read, is not the one of the tracks, or a file cannot be written.
    """
    count = min(settings.pictures, tracks.num_frames)
    shown = set(np.linspace(0, tracks.num_frames - 1, count).round().astype(int).tolist())
    window = _window(tracks)
    pictures: list[tuple[int, np.ndarray]] = []
    scale = min(1.0, settings.max_size / max(tracks.image_size))
    height, width = (max(2, round(side * scale) // 2 * 2) for side in tracks.image_size)
    with video_file(overlay, (width, height), tracks.frame_times) as writer:
        for t, image in pictures_of(tracks, video):
            drawn = draw_frame(image, tracks, t, settings.style)
            if t in shown:
                pictures.append((t, drawn[window].copy()))
            writer.write(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA))
    _write_sheet(sheet, title, tracks, pictures)
    return writer.codec


def pictures_of(tracks: PoseTracks, video: Path | None) -> Iterator[tuple[int, np.ndarray]]:
    """Each frame of the tracks with its picture.

    Args:
        tracks: The tracks.
        video: The video they were extracted from; None for a plain background.

    Yields:
        Index of the frame in the tracks, and the picture, (height, width, 3) uint8 BGR.

    Raises:
        UserError: The video cannot be read, or is not the one of the tracks.
    """
    blank = np.full((*tracks.image_size, 3), BACKGROUND, np.uint8)
    if video is None:
        yield from ((t, blank) for t in range(tracks.num_frames))
        return
    indices = tracks.extras.get('frame_indices', np.arange(tracks.num_frames)).tolist()
    wanted = {index: t for t, index in enumerate(indices)}
    with open_video(video) as reader:
        for frame in reader.steps():
            image = blank if frame.image is None else frame.image
            if image.shape[:2] != tracks.image_size:
                height, width = image.shape[:2]
                raise UserError(
                    f'{video}: frames of {width} x {height}, but the tracks are of a video of '
                    f'{tracks.image_size[1]} x {tracks.image_size[0]}'
                )
            if frame.index in wanted:
                yield wanted.pop(frame.index), image
            if not wanted:
                return
    if wanted:
        raise UserError(f'{video}: ends before frame {max(wanted)}, which the tracks have; are they of another video?')


def _window(tracks: PoseTracks) -> tuple[slice, slice]:
    """The part of the picture that holds everybody, with some room; all of it where nobody is."""
    height, width = tracks.image_size
    boxes = tracks.boxes[~np.isnan(tracks.boxes[..., 0])]
    if not len(boxes):
        return slice(0, height), slice(0, width)
    low, high = np.quantile(boxes[:, :2], 0.02, axis=0), np.quantile(boxes[:, 2:], 0.98, axis=0)
    room = 0.12 * (high - low).max() + 8
    x1, y1 = np.clip(low - room, 0, [width - 2, height - 2]).astype(int)
    x2, y2 = np.clip(high + room, [x1 + 2, y1 + 2], [width, height]).astype(int)
    return slice(y1, y2), slice(x1, x2)


def _write_sheet(path: Path, title: str, tracks: PoseTracks, pictures: list[tuple[int, np.ndarray]]) -> None:
    from matplotlib.figure import Figure

    tall, wide = pictures[0][1].shape[:2]
    columns = min(len(pictures), 6 if wide < tall else 4)
    rows = -(-len(pictures) // columns)
    cell = 13 * 0.976 / columns * tall / wide
    persons = max(1, tracks.num_persons)
    strip = 0.45 + 0.24 * persons
    height = 0.75 + rows * cell + 0.35 + strip
    sheet = Figure(figsize=(13, height), dpi=100, facecolor=_PAPER)
    grid = sheet.add_gridspec(
        rows, columns, left=0.012, right=0.988, wspace=0.015, hspace=0.015,
        top=1 - 0.75 / height, bottom=1 - (0.75 + rows * cell) / height,
    )  # fmt: skip
    for number, (t, picture) in enumerate(pictures):
        axes = sheet.add_subplot(grid[number // columns, number % columns])
        axes.imshow(
            cv2.resize(picture, None, fx=_shrink(wide), fy=_shrink(wide), interpolation=cv2.INTER_AREA)[..., ::-1]
        )
        axes.set_axis_off()
        label = f'{t}   {tracks.frame_times[t]:.2f} s'
        axes.text(0.02, 0.98, label, transform=axes.transAxes, va='top', fontsize=8, color=_INK,
                  bbox={'facecolor': _PAPER, 'alpha': 0.6, 'edgecolor': 'none', 'pad': 2})  # fmt: skip
    sheet.text(0.012, 1 - 0.3 / height, title, fontsize=14, fontweight='bold', color=_INK, va='center')
    people = '1 person' if tracks.num_persons == 1 else f'{tracks.num_persons or "no"} people'
    facts = f'{tracks.skeleton} · {people} · {tracks.num_frames} frames · below: mean score of each person by frame'
    sheet.text(0.012, 1 - 0.55 / height, facts, fontsize=9, color=_FAINT, va='center')
    for place, region in enumerate(REGIONS):
        sheet.text(0.745 + 0.065 * place, 1 - 0.42 / height, '●', fontsize=13, color=region_hex(region), va='center')
        sheet.text(0.757 + 0.065 * place, 1 - 0.42 / height, region, fontsize=10, color=_INK, va='center')
    axes = sheet.add_axes((0.05, 0.32 / height, 0.938, (strip - 0.32) / height))
    _draw_timeline(axes, tracks)
    buffer = io.BytesIO()
    sheet.savefig(buffer, format='png')
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def _shrink(width: int) -> float:
    """Scale that brings a picture of this width to at most 640 pixels."""
    return min(1.0, 640 / width)


def _draw_timeline(axes: Axes, tracks: PoseTracks) -> None:
    """For each person and frame the mean score: bright is sure, dark is unsure, empty is not there."""
    from matplotlib.ticker import MaxNLocator

    persons = max(1, tracks.num_persons)
    strip = np.zeros((persons, tracks.num_frames, 3))
    strip[:] = [int(_PAPER[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    guessed = tracks.extras.get('interpolated')
    for m in range(tracks.num_persons):
        there = tracks.person_visible[m]
        seen = tracks.keypoint_visible[m]
        mean = tracks.scores[m].sum(-1) / np.maximum(seen.sum(-1), 1)
        color = np.array(PERSON_COLORS[m % len(PERSON_COLORS)]) / 255
        strip[m, there] = (0.2 + 0.8 * mean[there, None]) * color
        if guessed is not None:
            strip[m, there & (guessed[m] == seen).all(-1)] *= 0.5
    axes.imshow(
        strip, aspect='auto', interpolation='nearest', extent=(-0.5, tracks.num_frames - 0.5, persons - 0.5, -0.5)
    )
    axes.set_yticks(range(persons), [f'#{m}' for m in range(persons)] if tracks.num_persons else ['nobody'])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_facecolor(_PAPER)
    axes.tick_params(colors=_FAINT, labelsize=8, length=2)
    for m in range(1, persons):
        axes.axhline(m - 0.5, color=_PAPER, lw=3)
    for spine in axes.spines.values():
        spine.set_visible(False)
