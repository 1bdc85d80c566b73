"""The answer drawn into its video: skeletons by region; below the picture time, labels and routing over time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from bmoe_app.answer import Answer, Windows
from bmoe_app.exports.texts import one_line
from bmoe_ground.errors import UserError
from pose_extract.draw.overlay import pictures_of
from pose_extract.draw.render import RenderStyle, draw_frame
from pose_extract.draw.video_file import video_file
from pose_extract.skeletons import REGION_COLORS, REGIONS

_PAPER, _INK = (23, 28, 34), (232, 237, 242)
_MOST_PEOPLE = 4  # that have a line of their own
_FONT = Path(get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf'


@dataclass(frozen=True)
class OverlaySettings:
    """How an answer is drawn.

    Attributes:
        style: Of the skeletons.
        max_size: Longest side of the picture in pixels, without what is below it; larger ones are scaled down.
    """

    style: RenderStyle = RenderStyle()
    max_size: int = 1280

    def __post_init__(self) -> None:
        if self.max_size < 16:
            raise UserError(f'max_size: must be at least 16, got {self.max_size}')


def write_overlay(path: str | os.PathLike[str], answer: Answer, settings: OverlaySettings | None = None) -> None:
    """Write the video with the answer drawn into it, as H.264 that browsers and slides play, at its own frame times.

    Letters that the font (DejaVu Sans) lacks are written as codes.

    Args:
        path: The ``.mp4`` file, replaced if it exists.
        answer: To the video; without one the skeletons are drawn on a plain background.
        settings: How to draw.

    Raises:
        UserError: PyAV is missing, the video cannot be read or is not the one of the tracks, or the file cannot be
            written.
    """
    settings = settings or OverlaySettings()
    tracks = answer.tracks
    scale = min(1.0, settings.max_size / max(tracks.image_size))
    height, width = (max(2, round(side * scale) // 2 * 2) for side in tracks.image_size)
    panel = _Panel(answer, width)
    with video_file(Path(path), (width, height + panel.height), tracks.frame_times, h264_only=True) as writer:
        for t, image in pictures_of(tracks, answer.video):
            drawn = draw_frame(image, tracks, t, settings.style)
            drawn = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
            writer.write(np.concatenate([drawn, panel.draw(float(tracks.frame_times[t]))]))


class _Panel:
    """What is below the picture."""

    def __init__(self, answer: Answer, width: int) -> None:
        self.answer, self.width = answer, width
        times = answer.tracks.frame_times
        self.first, self.span = float(times[0]), max(float(np.ptp(times)), 1e-6)
        size = int(np.clip(width / 42, 9, 24))
        self.line = round(size * 1.5)
        self.font = ImageFont.truetype(str(_FONT), size)
        people = {event.person for event in answer.events}
        routed = [one for one in answer.windows if one.routing is not None and np.isfinite(one.routing).any()]
        self.bars = [(one.person, routing_bar(one, self.first, self.span, width)) for one in routed[:_MOST_PEOPLE]]
        self.rows = min(len(people), _MOST_PEOPLE)
        rows = 1 + self.rows + len(self.bars)
        self.height = (rows * self.line + self.line // 2) // 2 * 2

    def draw(self, time: float) -> np.ndarray:
        """The panel at a time, (height, width, 3) uint8 BGR."""
        image = Image.new('RGB', (self.width, self.height), _PAPER)
        pen = ImageDraw.Draw(image)
        pen.text((self.line // 3, self.line // 4), f'{time:.2f} s', _INK, self.font)
        right = self.width - self.line // 3
        for region in reversed(REGIONS):
            right -= round(pen.textlength(region, self.font)) + self.line // 3
            pen.text((right, self.line // 4), region, REGION_COLORS[region], self.font)
        top = self.line + self.line // 4
        for text, color in self._texts(time):
            pen.text((self.line // 3, top), text, color, self.font)
            top += self.line
        panel = np.array(image)[..., ::-1].copy()
        self._draw_bars(panel, time)
        return panel

    def _texts(self, time: float) -> list[tuple[str, tuple[int, int, int]]]:
        """A line for everybody who does something now; who has none left is counted."""
        now = [event for event in self.answer.events if event.start <= time <= event.end]
        people = sorted({event.person for event in now})
        texts = []
        for person in people[: self.rows]:
            own = sorted((event for event in now if event.person == person), key=lambda event: -event.score)
            told = ', '.join(f'{drawable(event.label)} {event.score:.2f}' for event in own)
            color = REGION_COLORS[own[0].region] if own[0].region else _INK
            texts.append((f'#{person} {told}', color))
        if len(people) > self.rows:
            texts[-1] = (f'{texts[-1][0]}  (and {len(people) - self.rows} more)', texts[-1][1])
        return texts

    def _draw_bars(self, panel: np.ndarray, time: float) -> None:
        x = int(np.clip((time - self.first) / self.span, 0, 1) * (self.width - 1))
        top = self.line * (1 + self.rows) + self.line // 4
        for _, bar in self.bars:
            tall = self.line - 3
            panel[top : top + tall] = cv2.resize(bar, (self.width, tall), interpolation=cv2.INTER_NEAREST)
            cv2.line(panel, (x, top - 1), (x, top + tall), (255, 255, 255), 2)
            top += self.line


def routing_bar(windows: Windows, first: float, span: float, width: int) -> np.ndarray:
    """Routing over time as a picture: each column holds the regions from the top, as high as their weights.

    Args:
        windows: Of one person, with routing.
        first: Seconds at the left end.
        span: Seconds from end to end.
        width: Columns.

    Returns:
        (64, width, 3) uint8 BGR; dark where the person was not seen.
    """
    bar = np.full((64, width, 3), _PAPER[::-1], np.uint8)
    moments = first + span * (np.arange(width) + 0.5) / width
    nearest = np.abs(moments[:, None] - windows.times[None]).argmin(1)
    weights = np.asarray(windows.routing)[nearest]
    known = np.isfinite(weights).all(-1)
    edges = np.cumsum(np.where(known[:, None], weights, 0), -1)
    edges /= np.maximum(edges[:, -1:], 1e-9)
    region = ((np.arange(64) + 0.5)[:, None, None] / 64 > edges[None]).sum(-1).clip(0, len(REGIONS) - 1)
    colors = np.array([REGION_COLORS[name][::-1] for name in REGIONS], np.uint8)
    return np.where(known[None, :, None], colors[region], bar)


def drawable(text: str) -> str:
    r"""A text in letters that the font has; others become ``\u..`` codes, and much of a long one is left out.

    Args:
        text: Such as a label.

    Example:
        >>> drawable('Kopfschütteln'), drawable('結')
        ('Kopfschütteln', '\\u7d50')
    """
    known = _letters()
    short = ''.join(c if ord(c) in known else c.encode('unicode_escape').decode() for c in one_line(text))
    return short if len(short) <= 60 else f'{short[:57]}...'


@lru_cache
def _letters() -> frozenset[int]:
    return frozenset(FT2Font(str(_FONT)).get_charmap())
