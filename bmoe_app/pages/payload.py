"""What the answer's page holds as data: events, keypoints, curves, and the digest that corrections are kept under."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np

from bmoe_app.answer import Answer, Windows
from bmoe_app.pages.packing import pack, quantise_places, quantise_rows
from bmoe_app.signals import UNITS
from pose_extract.skeletons import REGIONS, get_skeleton, region_hex

FORMAT = 'bmoe-page 1'
MAX_BYTES = 24 * 2**20
"""Bytes of keypoints and curves before they are compressed, beyond which frames are left out of the page."""

GROUPS: dict[str, tuple[str, ...]] = {
    'Head angles': ('head_yaw', 'head_pitch', 'head_roll', 'head_shoulder_roll'),
    'Head against shoulders': ('head_shoulder_x', 'head_shoulder_y'),
    'Trunk lean': ('trunk_lean_side',),
    'Trunk length': ('trunk_length',),
    'Trunk towards camera': ('trunk_lean_depth',),
    'Shoulders': ('shoulder_height_left', 'shoulder_height_right'),
    'Hands': tuple(name for name in UNITS if name.startswith('hand_')) + ('wrists_crossed',),
    'Legs': tuple(name for name in UNITS if name.startswith('leg_')),
    'Speed of limbs': tuple(name for name in UNITS if name.startswith('speed_')),
    'Movement energy': tuple(name for name in UNITS if name.startswith('energy_')),
}
"""Signals that are shown in one diagram; those of one diagram have one unit."""


def payload(answer: Answer, video_href: str | None) -> dict[str, Any]:
    """The data of an answer's page as JSON types.

    Args:
        answer: The answer.
        video_href: Address of the video as the page names it, or None.
    """
    tracks = answer.tracks
    every = thinning(answer)
    skeleton = get_skeleton(tracks.skeleton)
    places, step, offset = quantise_places(tracks.keypoints[:, ::every], tracks.image_size)
    scores = np.rint(tracks.scores[:, ::every] * 255).astype(np.uint8)
    return {
        'format': FORMAT,
        'digest': digest(answer),
        'video': video_href,
        'answer': answer.as_dict(),
        'regions': list(REGIONS),
        'colors': [region_hex(region) for region in REGIONS],
        'edges': [[*edge, int(skeleton.region_of[edge[1]])] for edge in skeleton.edges],
        'regionOf': skeleton.region_of.tolist(),
        'every': every,
        'times': [round(float(t), 4) for t in tracks.frame_times[::every]],
        'keypoints': {**pack(places.transpose(0, 2, 3, 1)), 'step': step, 'offset': offset},
        'scores': pack(scores.transpose(0, 2, 1)),
        'signals': _signals(answer, every),
        'windows': [_windows(one) for one in answer.windows],
    }


def digest(answer: Answer) -> str:
    """Tells one answer from another: 16 hexadecimal digits of what was seen and of what was found."""
    found = hashlib.sha256(json.dumps(answer.as_dict(), sort_keys=True).encode())
    found.update(np.ascontiguousarray(answer.tracks.keypoints).tobytes())
    return found.hexdigest()[:16]


def thinning(answer: Answer) -> int:
    """Of how many frames the page keeps one: 1 unless the arrays pass :data:`MAX_BYTES`."""
    tracks = answer.tracks
    frame = 8 + tracks.num_persons * (5 * tracks.num_keypoints + 2 * len(UNITS))
    return max(1, math.ceil(frame * tracks.num_frames / MAX_BYTES))


def _signals(answer: Answer, every: int) -> dict[str, Any]:
    """The curves that show something of somebody, in their groups."""
    values = answer.signals.values[:, ::every]
    seen = np.isfinite(values).any((0, 1))
    kept = [name for name in UNITS if seen[list(UNITS).index(name)]]
    levels, low, high = quantise_rows(values[..., seen].transpose(0, 2, 1))
    groups = {title: [name for name in names if name in kept] for title, names in GROUPS.items()}
    return {
        **pack(levels),
        'names': kept,
        'units': [UNITS[name] for name in kept],
        'groups': {title: names for title, names in groups.items() if names},
        'low': low.tolist(),
        'high': high.tolist(),
    }


def _windows(windows: Windows) -> dict[str, Any]:
    """What a model said of one person, in rows of 0..1."""
    return {
        'person': windows.person,
        'times': [round(float(t), 3) for t in windows.times],
        'scores': pack(_shares(windows.scores)),
        'routing': None if windows.routing is None else pack(_shares(windows.routing)),
    }


def _shares(values: np.ndarray) -> np.ndarray:
    """(W, N) of 0..1 as (N, W) levels of that range."""
    levels = np.rint(np.clip(values.T, 0, 1) * 65534)
    return np.where(np.isnan(levels), 65535, levels).astype(np.uint16)
