"""A tiny data set in MA-52's layout that several tests use."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

LABELS = {'train': (9, 0, 51, 9), 'val': (9, 11), 'test': (0, 0, 0)}


def names(split: str) -> list[str]:
    if split == 'test':
        return [f'test{i:04d}.mp4' for i in range(len(LABELS['test']))]
    return [f'000{3 + i}_01_{i:03d}{1 if split == "val" else 0}.mp4' for i in range(len(LABELS[split]))]


def annotation(name: str, label: int = 0, keypoints: int = 28, frames: int = 12, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(abs(hash(name)) % 1000)
    made = {
        'frame_dir': name.removesuffix('.mp4'),
        'label': label,
        'total_frames': frames,
        'keypoint': rng.uniform(100, 900, (1, frames, keypoints, 2)).astype(np.float32),
        'keypoint_score': rng.uniform(0.3, 1, (1, frames, keypoints)).astype(np.float32),
    }
    return {**made, **more}


def write(folder: Path, **changed: dict[str, Any]) -> Path:
    """Lists with CRLF, and PCAN's pickles; ``changed`` replaces keys of the annotations of a split's second clip."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, labels in LABELS.items():
        rows = [f'{name} {label}\r\n' for name, label in zip(names(split), labels, strict=True)]
        (folder / f'{split}_list_videos.txt').write_bytes(''.join(rows).encode())
        clips = [annotation(name, label) for name, label in zip(names(split), labels, strict=True)]
        clips[1].update(changed.get(split, {}))
        (folder / f'MA52_{split}.pkl').write_bytes(
            pickle.dumps([{k: v for k, v in c.items() if v is not ...} for c in clips])
        )
    return folder
