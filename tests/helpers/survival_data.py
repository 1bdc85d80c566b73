"""Data and configs of trainings that take seconds, of both models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skeleton_clips import write_tracks

REPO = Path(__file__).resolve().parents[2]
EPOCHS = 3
SKELETON = f"""
_base_ = ['{REPO}/configs/bmoe_skel.py']
model = dict(dims=16, expert=dict(dims=(8, 8)), global_stream=dict(dims=(8, 8), depths=(1, 1)))
num_frames = 8
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
visualizer = dict(vis_backends=dict(TensorboardVisBackend=None))
train_cfg = dict(max_epochs={EPOCHS}, val_interval=1)
"""
FACE = f"""
_base_ = ['{REPO}/configs/face_aux/utkface.py']
size = 24
model = dict(encoder=dict(name='vit_tiny_patch16_224', patch_size=6, embed_dim=16, depth=1, num_heads=2))
train_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
visualizer = dict(vis_backends=dict(TensorboardVisBackend=None))
train_cfg = dict(max_epochs={EPOCHS}, val_interval=1)
"""


def write_survival_data(folder: Path) -> Path:
    """Write tracks, faces and the configs ``skeleton.py`` and ``face.py``; returns the folder."""
    write_tracks(folder / 'poses', 6)
    (folder / 'faces').mkdir()
    rng = np.random.default_rng(0)
    for i in range(40):
        pixels = rng.integers(0, 100, (30, 30, 3)) + 120 * (i % 2)
        name = f'{20 + i}_{i % 2}_{i % 3}_{20170000000 + i}.jpg'
        Image.fromarray(pixels.astype(np.uint8)).save(folder / 'faces' / name)
    (folder / 'skeleton.py').write_text(SKELETON)
    (folder / 'face.py').write_text(FACE)
    return folder


def training_arguments(data: Path, model: str, work: Path, *more: object) -> list[object]:
    """The arguments of ``bmoe train`` for 'skeleton' or 'face'."""
    if model == 'skeleton':
        options = [f'dataset.tracks={data / "poses"}']
    else:
        options = [f'{part}_dataloader.dataset.data_root={data / "faces"}' for part in ('train', 'val', 'test')]
    return [data / f'{model}.py', '--work-dir', work, *more, '--cfg-options', *options]
