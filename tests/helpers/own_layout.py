"""A layout that nobody but the tests declares, and clips in it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_extract import skeletons

SOFA9 = """
name: sofa9
keypoints:
  - {name: nose}
  - {name: left_shoulder, region: body, parent: nose}
  - {name: right_shoulder, region: body, parent: nose}
  - {name: left_hip, region: body, parent: left_shoulder}
  - {name: right_hip, region: body, parent: right_shoulder}
  - {name: left_fist, region: upper, parent: left_shoulder}
  - {name: right_fist, region: upper, parent: right_shoulder}
  - {name: left_knee, region: lower, parent: left_hip}
  - {name: right_knee, region: lower, parent: right_hip}
"""
MOVING = {'head': [0], 'arms': [5, 6], 'legs': [7, 8]}
"""Class of a clip to the keypoints that move in it."""


@pytest.fixture
def only_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from the built-in layouts, and forget afterwards what was registered."""
    monkeypatch.setattr(skeletons, '_SKELETONS', {name: skeletons.get_skeleton(name) for name in skeletons.LAYOUTS})


def forget_layouts() -> None:
    """Know the built-in layouts only, as a fresh process does."""
    for name in set(skeletons.skeleton_names()) - set(skeletons.LAYOUTS):
        del skeletons._SKELETONS[name]


def write_sofa9(folder: Path) -> Path:
    """Write the layout's YAML file."""
    path = folder / 'sofa9.yaml'
    path.write_text(SOFA9)
    return path


def sofa_clips(per_class: int, seed: int = 0) -> list[dict[str, Any]]:
    """Annotations of clips (1, 24, 9, 2) in which one part of the body moves."""
    rng = np.random.default_rng(seed)
    rest = np.array([[0, -60], [15, -40], [-15, -40], [10, 0], [-10, 0], [25, -20], [-25, -20], [12, 40], [-12, 40.0]])
    clips = []
    for label, joints in enumerate(MOVING.values()):
        for i in range(per_class):
            points = np.repeat(100 + rest[None], 24, 0) + rng.normal(0, 0.3, (24, 9, 2))
            points[:, joints, 1] += rng.uniform(5, 9) * np.sin(np.arange(24) * rng.uniform(0.5, 0.9))[:, None]
            name = f'{label}_{i:02d}'
            clips.append({'frame_dir': name, 'label': label, 'keypoint': points[None].astype(np.float32)})
    return clips


def write_sofa_pickle(path: Path, per_class: int = 6) -> Path:
    """A pickle of such clips with the splits train and test, which does not say what layout it has."""
    clips = sofa_clips(per_class)
    names = [clip['frame_dir'] for clip in clips]
    content = {
        'split': {'train': names[::2], 'test': names[1::2]},
        'annotations': clips,
        'metainfo': {'classes': list(MOVING)},
    }
    path.write_bytes(pickle.dumps(content))
    return path
