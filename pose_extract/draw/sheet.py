"""One picture of all keypoint layouts, coloured by region."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bmoe_ground.files import atomic_write
from pose_extract.draw.figure import figure
from pose_extract.layouts import LAYOUTS
from pose_extract.skeletons import REGIONS, Skeleton, get_skeleton, region_hex

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 6
_LARGE = 100  # keypoints from which on a layout takes two columns, with its face and hands drawn larger
_INK, _FAINT = '#22303c', '#8494a3'


def draw_sheet(path: str | os.PathLike[str]) -> None:
    """Draw all layouts side by side and write the picture.

    Filled dots are the person's left (and the middle), hollow ones the right; the numbers are keypoint indices.

    Args:
        path: The PNG file to write.

    Raises:
        UserError: The file cannot be written.

    Example:
        >>> pose_extract.draw_sheet('skeletons.png')
        >>> pathlib.Path('skeletons.png').is_file()
        True
    """
    from matplotlib.figure import Figure

    places = arrange_panels([_width(get_skeleton(name)) for name in LAYOUTS] + [1])
    rows = 1 + places[-1][0]
    picture = Figure(figsize=(15, 5.3 * rows), dpi=112, facecolor='white')
    edge = 0.03 / rows
    grid = picture.add_gridspec(
        rows, _COLUMNS, left=0.012, right=0.988, top=1 - edge / 2, bottom=edge, wspace=0.03, hspace=0.04
    )
    for name, (row, columns) in zip((*LAYOUTS, ''), places, strict=True):
        axes = picture.add_subplot(grid[row, columns])
        axes.set_axis_off()
        if name:
            _draw_panel(axes, get_skeleton(name), LAYOUTS[name].source)
        else:
            _draw_legend(axes)
    buffer = io.BytesIO()
    picture.savefig(buffer, format='png')
    with atomic_write(path) as file:
        file.write(_fewer_colors(buffer.getvalue()))


def arrange_panels(widths: Sequence[int]) -> list[tuple[int, slice]]:
    """Set panels side by side, and below each other where a row is full.

    Args:
        widths: Columns that each takes.

    Returns:
        For each its row, and its columns.
    """
    places, row, column = [], 0, 0
    for width in widths:
        if column + width > _COLUMNS:
            row, column = row + 1, 0
        places.append((row, slice(column, column + width)))
        column += width
    return places


def _width(skeleton: Skeleton) -> int:
    return 2 if skeleton.num_keypoints >= _LARGE else 1


def _fewer_colors(png: bytes) -> bytes:
    """The same picture with a palette of 256 colours, a third of the size."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert('RGB').quantize(256, dither=Image.Dither.NONE).save(
        buffer, 'png', optimize=True
    )
    return buffer.getvalue()


def _draw_panel(axes: Axes, skeleton: Skeleton, source: str) -> None:
    whole = skeleton.num_keypoints >= _LARGE
    head = 0.72 if whole else 0.48 if len(skeleton.regions['head']) > 6 else 0.36
    hand = 0.5 if whole else 0.26 if len(skeleton.regions['upper']) > 8 else 0.2
    points = figure(skeleton, head, hand)
    colors = [region_hex(REGIONS[region]) for region in skeleton.region_of]
    for parent, child in skeleton.edges:
        line = points[[parent, child]]
        axes.plot(*line.T, color=colors[child], lw=1.1 if whole else 2.4, solid_capstyle='round', zorder=1)
    rights = {right for _, right in skeleton.pairs}
    dots = np.where(np.arange(len(points)) < 23, 26, 9) if whole else np.full(len(points), 30)
    for k, (x, y) in enumerate(points):
        fill = 'white' if k in rights else colors[k]
        axes.scatter(x, y, dots[k], color=fill, edgecolors=[colors[k]], linewidths=0.9 if whole else 1.3, zorder=2)
    if not whole:
        _number(axes, skeleton, points)
    axes.set_aspect('equal', adjustable='datalim')
    axes.set_xlim((-1.3, 1.3) if whole else (-0.64, 0.64), auto=True)
    axes.set_ylim(1.03, -1.66, auto=True)
    for y, text, size, color, weight in (
        (0.985, skeleton.name, 12.5, _INK, 'bold'),
        (0.935, f'{skeleton.num_keypoints} keypoints', 8.5, _INK, 'normal'),
        (0.9, f'{source}: face and hands drawn larger' if whole else source, 8, _FAINT, 'normal'),
    ):
        place = axes.transAxes
        axes.text(0.05, y, text, fontsize=size, color=color, fontweight=weight, va='top', transform=place)


def _number(axes: Axes, skeleton: Skeleton, points: np.ndarray) -> None:
    """Write each keypoint's index beside it, where the drawing leaves most room."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.8, foreground='white')]
    share = np.linspace(0, 1, 9)[:, None, None]
    drawn = share * points[[a for a, _ in skeleton.edges]] + (1 - share) * points[[b for _, b in skeleton.edges]]
    drawn = drawn.reshape(-1, 2)
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = 0.066 * np.stack([np.cos(turns), np.sin(turns)], -1)
    for k, point in enumerate(points):
        places = point + around
        room = np.linalg.norm(places[:, None] - drawn, axis=-1).min(1)
        x, y = places[room.argmax()]
        drawn = np.concatenate([drawn, [(x, y)]])
        axes.text(x, y, str(k), fontsize=6.5, color=_INK, ha='center', va='center', zorder=3, path_effects=halo)


def _draw_legend(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    parts = {'head': 'head, face', 'body': 'trunk to shoulders, hips', 'upper': 'arms, hands', 'lower': 'legs, feet'}
    axes.text(0.12, 0.8, 'Regions', fontsize=12.5, fontweight='bold', color=_INK)
    for row, region in enumerate(REGIONS):
        y = 0.72 - 0.085 * row
        axes.plot([0.12, 0.26], [y, y], color=region_hex(region), lw=5, solid_capstyle='round')
        axes.text(0.32, y + 0.012, region, fontsize=10, color=_INK, va='center')
        axes.text(0.32, y - 0.027, parts[region], fontsize=7.5, color=_FAINT, va='center')
    for y, fill, text in ((0.33, _INK, "the person's left, or middle"), (0.27, 'white', "the person's right")):
        axes.scatter([0.19], [y], 34, color=fill, edgecolors=[_INK], linewidths=1.3)
        axes.text(0.32, y, text, fontsize=8, color=_INK, va='center')
    axes.text(0.12, 0.19, 'A bone has the colour of its outer end.', fontsize=7.5, color=_FAINT)
