"""Skeletons drawn over video frames."""

from __future__ import annotations

REGION_COLORS: dict[str, tuple[int, int, int]] = {
    'head': (230, 159, 0),
    'body': (0, 114, 178),
    'upper': (0, 158, 115),
    'lower': (204, 92, 150),
}
"""Red, green, blue of each region; after Okabe and Ito's palette, told apart without red-green vision too."""
