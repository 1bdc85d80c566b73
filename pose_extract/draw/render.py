"""Skeletons drawn over video frames."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pose_extract.skeletons import REGION_COLORS, REGIONS, Skeleton, get_skeleton
from pose_extract.tracks import PoseTracks

PERSON_COLORS: tuple[tuple[int, int, int], ...] = (
    (240, 240, 240),
    (255, 221, 87),
    (126, 200, 255),
    (255, 150, 130),
    (170, 230, 140),
    (210, 170, 255),
)
"""Red, green, blue of each person's box and number, in turn."""

_SHIFT = 4  # OpenCV draws at sixteenths of a pixel
_FAINTEST = 0.25
_FAR = 1e6


@dataclass(frozen=True)
class RenderStyle:
    """How skeletons are drawn.

    Attributes:
        min_score: Keypoints below it are not drawn.
        boxes: Whether to draw boxes with the person's number and mean score.
        thickness: Of bones in pixels; 0 fits it to the picture.

    Example:
        >>> pose_extract.RenderStyle(min_score=0.3, boxes=False).thickness
        0
    """

    min_score: float = 0.1
    boxes: bool = True
    thickness: int = 0


def draw_frame(image: np.ndarray, tracks: PoseTracks, t: int, style: RenderStyle | None = None) -> np.ndarray:
    """Draw all people of one frame.

    A bone has the colour of its outer end's region and fades with the lower score of its ends; a dashed bone with a
    hollow dot was interpolated and not seen.

    Args:
        image: (height, width, 3) uint8 BGR, of the size that the tracks say.
        tracks: The tracks.
        t: The frame.
        style: How to draw.

    Returns:
        A new image of the same shape and type.

    Raises:
        ValueError: The image has another size than the frames of the tracks.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> picture = pose_extract.draw_frame(np.zeros((200, 200, 3), np.uint8), tracks, t=0)
        >>> picture.shape, bool(picture.any())
        ((200, 200, 3), True)
    """
    style = style or RenderStyle()
    if image.shape != (*tracks.image_size, 3) or image.dtype != np.uint8:
        raise ValueError(f'image: expected (*{tracks.image_size}, 3) uint8, got {image.shape} {image.dtype}')
    skeleton = get_skeleton(tracks.skeleton)
    colors = np.zeros_like(image)
    alpha = np.zeros(image.shape[:2], np.uint8)
    thickness = style.thickness or max(2, round(min(tracks.image_size) / 240))
    guessed = tracks.extras.get('interpolated')
    for m in np.flatnonzero(tracks.person_visible[:, t]):
        hollow = np.zeros(skeleton.num_keypoints, bool) if guessed is None else guessed[m, t]
        pen = _Pen(colors, alpha, thickness)
        _draw_person(pen, skeleton, tracks.keypoints[m, t], tracks.scores[m, t], hollow, style)
    drawn = _blend(image, colors, alpha)
    if style.boxes:
        for m in np.flatnonzero(tracks.person_visible[:, t]):
            scores = tracks.scores[m, t][tracks.keypoint_visible[m, t]]
            _draw_box(drawn, tracks.boxes[m, t], f'#{m}  {scores.mean():.2f}', person_color(m), thickness)
    return drawn


def region_color(skeleton: Skeleton, keypoint: int) -> tuple[int, int, int]:
    """Blue, green, red of a keypoint's region, as OpenCV wants it."""
    return REGION_COLORS[REGIONS[skeleton.region_of[keypoint]]][::-1]


def person_color(person: int) -> tuple[int, int, int]:
    """Blue, green, red of a person's box and number."""
    return PERSON_COLORS[person % len(PERSON_COLORS)][::-1]


class _Pen:
    """Draws a colour where it goes and how opaque it is there, for one blend at the end."""

    def __init__(self, colors: np.ndarray, alpha: np.ndarray, thickness: int) -> None:
        self.colors, self.alpha, self.thickness = colors, alpha, thickness

    def line(self, start: np.ndarray, end: np.ndarray, color: tuple[int, int, int], opacity: float, width: int) -> None:
        a, b = _sixteenths(start), _sixteenths(end)
        cv2.line(self.colors, a, b, color, width + 2, cv2.LINE_8, _SHIFT)
        cv2.line(self.alpha, a, b, (round(255 * opacity),), width, cv2.LINE_AA, _SHIFT)

    def dashes(
        self, start: np.ndarray, end: np.ndarray, color: tuple[int, int, int], opacity: float, width: int
    ) -> None:
        count = max(1, round(float(np.linalg.norm(end - start)) / (7 * width)))
        for dash in range(count):
            ends = [start + (end - start) * (dash + share) / count for share in (0.25, 0.65)]
            self.line(ends[0], ends[1], color, opacity, width)

    def dot(self, center: np.ndarray, radius: float, color: tuple[int, int, int], opacity: float, hollow: bool) -> None:
        place, size = _sixteenths(center), max(1, round(radius * 2**_SHIFT))
        cv2.circle(self.colors, place, size + 2**_SHIFT, color, -1, cv2.LINE_8, _SHIFT)
        cv2.circle(self.alpha, place, size, (round(255 * opacity),), 1 if hollow else -1, cv2.LINE_AA, _SHIFT)


def _sixteenths(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(point * 2**_SHIFT).astype(int).tolist()
    return x, y


def _draw_person(
    pen: _Pen, skeleton: Skeleton, points: np.ndarray, scores: np.ndarray, hollow: np.ndarray, style: RenderStyle
) -> None:
    there = ~np.isnan(points[:, 0]) & (scores >= style.min_score)
    # far outside the picture a place is as good as any other, and OpenCV's integers end
    points = np.clip(points, -_FAR, _FAR)
    opacity = _FAINTEST + (1 - _FAINTEST) * scores
    nearest = np.full(len(points), np.inf)
    for parent, child in skeleton.edges:
        if there[parent] and there[child]:
            length = float(np.linalg.norm(points[parent] - points[child]))
            nearest[[parent, child]] = np.minimum(nearest[[parent, child]], length)
    for parent, child in skeleton.edges:
        if there[parent] and there[child]:
            length = float(np.linalg.norm(points[parent] - points[child]))
            width = int(np.clip(length / 4, 1, pen.thickness))
            draw = pen.dashes if hollow[parent] or hollow[child] else pen.line
            faint = float(min(opacity[parent], opacity[child]))
            draw(points[parent], points[child], region_color(skeleton, child), faint, width)
    for k in np.flatnonzero(there):
        radius = float(np.clip(nearest[k] / 4, 1, 1.4 * pen.thickness))
        pen.dot(points[k], radius, region_color(skeleton, int(k)), float(opacity[k]), bool(hollow[k]))


def _blend(image: np.ndarray, colors: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The drawing over the image, only worked out where something was drawn."""
    drawn = image.copy()
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if len(rows):
        area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        opaque = alpha[area][..., None].astype(np.uint16)
        mixed = colors[area] * opaque + image[area] * (255 - opaque) + 127
        drawn[area] = (mixed // 255).astype(np.uint8)
    return drawn


def _draw_box(image: np.ndarray, box: np.ndarray, text: str, color: tuple[int, int, int], thickness: int) -> None:
    if np.isnan(box).any():
        return
    height, width = image.shape[:2]
    low = np.clip(box[:2], 0, [width - 1, height - 1]).round().astype(int)
    high = np.clip(box[2:], 0, [width - 1, height - 1]).round().astype(int)
    reach = max(thickness, int((high - low).min() * 0.18))
    for x, step_x in ((low[0], reach), (high[0], -reach)):
        for y, step_y in ((low[1], reach), (high[1], -reach)):
            for end in ((int(x + step_x), int(y)), (int(x), int(y + step_y))):
                cv2.line(image, (int(x), int(y)), end, color, max(1, thickness // 2), cv2.LINE_AA)
    scale = max(0.35, min(height, width) / 1300)
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    pad = max(2, tall // 2)
    # below the box, where it covers no face
    x = int(np.clip(low[0], 0, max(0, width - wide - 2 * pad)))
    y = min(int(high[1]) + tall + 3 * pad, height)
    cv2.rectangle(image, (x, y - tall - 2 * pad), (x + wide + 2 * pad, y), color, -1)
    place = (x + pad, y - pad)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (32, 26, 20), 1, cv2.LINE_AA)
