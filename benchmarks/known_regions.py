"""Clips of which it is known which region of the body shows the class, to judge who names it.

* The demo's clips: nods, shakes and tilts move the head of a photograph, shrugs its shoulders.
* The rehearsal's: classes whose moves move joints of one region only. Other moves, weaker, distract.
* Planted clips, made here: the class is a rhythm, any region may have it, and the other three move as far without
  any. Nothing but the clip itself can tell the region; the class does not.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from benchmarks.moving_people import PIXELS, places
from benchmarks.rehearsal_motions import LAYOUT, MOVES
from bmoe_ground.files import atomic_write
from bmoe_skel.datasets.ma52.classes import ACTIONS
from pose_extract.skeletons import REGIONS, get_skeleton

DEMO = {'nod': 'head', 'shake_head': 'head', 'tilt_head': 'head', 'shrug': 'body'}
"""Class of the demo to the region that is warped. A lean of the trunk carries the head along, so that both show it."""
RHYTHMS = ('slow', 'fast', 'step', 'pulse')
"""Classes of the planted clips."""
_FRAMES, _SIZE = 48, 5.0  # centimetres, root mean square, of somebody whose shoulders are 36 apart


def rehearsal_regions() -> dict[str, str]:
    """The rehearsal's classes whose moves are of one region only, and which.

    Example:
        >>> rehearsal_regions()['nodding']
        'head'
    """
    layout = get_skeleton(LAYOUT)
    region_of = {layout.keypoints[joint]: region for region in REGIONS for joint in layout.regions[region]}
    known = {}
    for name, moves in zip(ACTIONS, MOVES, strict=True):
        moved = {part for move in moves for part in move.parts}
        regions = {region_of.get(part) or region_of[f'left_{part}'] for part in moved}
        if len(regions) == 1:
            known[name] = regions.pop()
    return known


def rhythm(label: int, rng: np.random.Generator, frames: int = _FRAMES) -> np.ndarray:
    """The course of a class's movement: zero mean, mean square 1, (frames,).

    Args:
        label: Index into :data:`RHYTHMS`.
        rng: Random numbers.
        frames: T.
    """
    time = np.linspace(0, 1, frames)
    middle = rng.uniform(0.35, 0.65)
    course = {
        'slow': lambda: np.sin(2 * np.pi * (2 * time + rng.random())),
        'fast': lambda: np.sin(2 * np.pi * (6 * time + rng.random())),
        'step': lambda: np.tanh((time - middle) * 25),
        'pulse': lambda: np.exp(-(((time - middle) / 0.07) ** 2)),
    }[RHYTHMS[label]]()
    return _standard(course)


def wandering(rng: np.random.Generator, frames: int = _FRAMES) -> np.ndarray:
    """A movement without rhythm: waves of all paces at once; as :func:`rhythm`."""
    time = np.linspace(0, 1, frames)[:, None]
    pace = np.linspace(1, 7, 9)
    return _standard((np.sin(2 * np.pi * (pace * time + rng.random(9))) * rng.normal(0, 1, 9) / pace**0.5).sum(1))


def _standard(course: np.ndarray) -> np.ndarray:
    course = course - course.mean()
    return course / np.sqrt(np.mean(course**2))


def planted_clip(label: int, region: str, rng: np.random.Generator, distraction: float = 1.0) -> np.ndarray:
    """One person of coco17, (1, T, 17, 2) float32 pixels.

    Args:
        label: The rhythm.
        region: Which region has it.
        rng: Random numbers.
        distraction: How far the others move, as a share of how far this one does.
    """
    layout = get_skeleton('coco17')
    clip = np.repeat(places(layout.keypoints)[None, :, :2], _FRAMES, 0) * rng.uniform(0.9, 1.1, 2)
    for name in REGIONS:
        course = rhythm(label, rng) if name == region else distraction * wandering(rng)
        angle = rng.uniform(0, 2 * np.pi)
        joints = list(layout.regions[name])
        clip[:, joints] += _SIZE * course[:, None, None] * np.array([np.cos(angle), np.sin(angle)])
    clip = clip * (1, -1) + rng.normal(0, 0.3, clip.shape)
    return (PIXELS * clip + 300)[None].astype(np.float32)


def write_planted(path: Path, train: int = 600, test: int = 240, distraction: float = 1.0, seed: int = 0) -> None:
    """Write planted clips as a pickle with the splits ``train`` and ``test``; names begin with the region.

    Args:
        path: The pickle.
        train: Clips to learn from.
        test: Clips to judge by.
        distraction: See :func:`planted_clip`.
        seed: Of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    annotations, split = [], {'train': train, 'test': test}
    names: dict[str, list[str]] = {part: [] for part in split}
    for part, count in split.items():
        for i in range(count):
            label, region = i % len(RHYTHMS), REGIONS[i // len(RHYTHMS) % len(REGIONS)]
            name = f'{region}/{part}{i:04d}'
            names[part].append(name)
            keypoint = planted_clip(label, region, rng, distraction)
            annotations.append({'frame_dir': name, 'label': label, 'total_frames': _FRAMES, 'keypoint': keypoint})
    metainfo = {'classes': list(RHYTHMS), 'layout': 'coco17'}
    with atomic_write(path) as file:
        file.write(pickle.dumps({'split': names, 'annotations': annotations, 'metainfo': metainfo}))
