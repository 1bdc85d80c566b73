"""How much of a hidden target the decoder of a finished run brings back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, Subset

from benchmarks.face_evidence.experiments import EXPERIMENTS
from benchmarks.face_evidence.runs import load_model
from face_aux.models import TextureJointModel
from face_aux.registry import DATASETS


@torch.no_grad()
def explained_variance(model: TextureJointModel, dataset: Any, images: int = 256, seed: int = 0) -> dict[str, float]:
    """Share of a target's variance over hidden pixels that the reconstruction explains.

    0 is what the target's mean, one number a channel, would reach; 1 is perfect.

    Args:
        model: A model with an auxiliary task, in eval mode.
        dataset: Faces without photometric changes.
        images: How many of them, from the first on.
        seed: Of the masks.

    Returns:
        Target name to share.
    """
    torch.manual_seed(seed)
    values: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
    chosen = Subset(dataset, range(min(images, len(dataset))))
    for batch in DataLoader(chosen, 64, collate_fn=pseudo_collate):
        pictures = model.reconstruct(torch.stack(batch['inputs']))
        hidden = model.hidden_pixels(pictures.mask)[:, 0]
        for name, maps in pictures.shown.items():
            truth, filled = (m.transpose(0, 1)[:, hidden] for m in maps)  # (C, hidden pixels)
            values.setdefault(name, []).append((truth, filled))
    shares = {}
    for name, parts in values.items():
        truth, filled = (torch.cat([part[i] for part in parts], dim=1).double() for i in (0, 1))
        residual, total = (truth - filled).square().sum(), (truth - truth.mean(dim=1, keepdim=True)).square().sum()
        shares[name] = float(1 - residual / total)
    return shares


def examine(out: Path) -> str:
    """Explained variance of every finished run below ``out``, one line each; also written beside its predictions."""
    init_default_scope('face_aux')
    lines = []
    for predictions in sorted(out.glob('*/*/predictions.npz')):
        folder, experiment = predictions.parent, EXPERIMENTS[predictions.parent.parent.name]
        variant, _, seed = folder.name.rpartition('_seed')
        if experiment.variants[variant] is None:
            continue
        data = Config.fromfile(str(folder / 'config.py')).train_dataloader.dataset.data_root
        cfg = experiment.make_config(variant, Path(data))
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        checkpoint = folder / f'epoch_{experiment.epochs}.pth'
        shares = explained_variance(load_model(cfg.model, checkpoint, dataset.metainfo), dataset)
        (folder / 'reconstruction.json').write_text(json.dumps(shares) + '\n')
        text = ', '.join(f'{name} {100 * share:.1f}%' for name, share in shares.items())
        lines.append(f'{folder.parent.name} {folder.name}: {text}')
    return '\n'.join(lines)
