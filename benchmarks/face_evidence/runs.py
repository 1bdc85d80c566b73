"""One training and its predictions, in a process of its own so that time and memory are the run's alone."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from benchmarks.face_evidence.experiments import EXPERIMENTS, Experiment, without_labels
from benchmarks.face_evidence.floor import floor_file, run_floor
from bmoe_ground.errors import UserError, run_tool
from bmoe_ground.files import atomic_write
from bmoe_ground.media import media_of
from face_aux.images import read_image
from face_aux.registry import DATASETS, MODELS
from mm_runtime.building import complete_model
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.cli import train_main

_REPO = Path(__file__).resolve().parents[2]


def run_folder(out: Path, experiment: str, variant: str, seed: int) -> Path:
    """Where a run leaves its files."""
    return out / experiment / f'{variant}_seed{seed}'


def run_all(
    experiment: str, data: Path, out: Path, seeds: Sequence[int], variants: Sequence[str], extra: Path | None
) -> list[str]:
    """Run what is not done yet: the floor, then one process after the other, seeds in the outer loop.

    Args:
        experiment: A key of :data:`EXPERIMENTS`.
        data: Folder of the data set.
        out: Folder of all runs.
        seeds: One run each.
        variants: Keys of the experiment's variants.
        extra: UTKFace's folder, for the false positives of real_or_fake.

    Returns:
        Names of the runs that failed.
    """
    if experiment == 'utkface':
        data = shrink_images(data, out / 'utkface_small')
    run_floor(EXPERIMENTS[experiment], data, floor_file(out, experiment), extra)
    failed = []
    for seed in seeds:
        for variant in variants:
            folder = run_folder(out, experiment, variant, seed)
            if (folder / 'predictions.npz').is_file():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            run = [experiment, variant, str(seed), str(data), str(folder), *([str(extra)] if extra else [])]
            command = [sys.executable, '-m', 'benchmarks.face_evidence.runs', *run]
            with (folder / 'log.txt').open('w') as log:
                code = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, 'PYTHONPATH': str(_REPO)})
            print(f'{folder}: {"done" if code.returncode == 0 else f"failed, see {folder}/log.txt"}', flush=True)
            if code.returncode:
                failed.append(str(folder))
    return failed


def shrink_images(folder: Path, out: Path, side: int = 64) -> Path:
    """Copy a folder of images as PNGs of this shorter side, so that decoding does not outweigh a small model.

    Returns:
        The folder of copies, ``<name>.png`` each; complete ones are used again.
    """
    paths = sorted(path for path in folder.rglob('*') if media_of(path) == 'image')
    if not paths:
        raise UserError(f'{folder}: no images in it')
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        copy = out / f'{path.name}.png'
        if copy.is_file():
            continue
        image = Image.fromarray(read_image(str(path)))
        scale = side / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        with atomic_write(copy) as file:
            image.save(file, format='PNG')
    return out


def run_one(experiment: Experiment, variant: str, seed: int, data: Path, folder: Path, extra: Path | None) -> None:
    """Train, predict the test part, and write ``predictions.npz`` and ``cost.json``."""
    cfg = experiment.make_config(variant, data)
    config = folder / 'config.py'
    cfg.dump(str(config))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    # a run that was cut off is repeated as a whole: its cost is measured
    train_main([str(config), '--work-dir', str(folder), '--overwrite', '--seed', str(seed), '--no-validate'])
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    cost = {
        'cpu_seconds': after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        'wall_seconds': seconds,
        'peak_mebibytes': after.ru_maxrss / 1024,
        'threads': torch.get_num_threads(),
    }
    init_default_scope('face_aux')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model = load_model(cfg.model, folder / f'epoch_{experiment.epochs}.pth', dataset.metainfo)
    arrays = predict(model, dataset)
    if extra is not None:
        chips = predict(model, DATASETS.build(without_labels(extra, experiment.test_pipeline(), subset=1500)))
        arrays.update({f'chips/{key}': value for key, value in chips.items()})
    (folder / 'cost.json').write_text(json.dumps(cost, indent=2) + '\n')
    with atomic_write(folder / 'predictions.npz') as file:
        np.savez_compressed(file, **arrays)


def load_model(config: Any, checkpoint: Path, metainfo: dict[str, Any]) -> Any:
    """A trained model in eval mode, with its decoder if it has one."""
    options = dict(config)
    complete_model(options, metainfo)
    model = MODELS.build(options)
    model.load_state_dict(load_checkpoint(checkpoint)['state_dict'])
    return model.eval()


def predict(model: Any, dataset: Any, batch_size: int = 128) -> dict[str, np.ndarray]:
    """Scores, labels and groups of a whole dataset.

    Returns:
        ``score/<task>`` (N, C), ``label/<task>`` (N,) where the dataset has that task, and ``group/<column>`` (N,).
    """
    samples = []
    for batch in DataLoader(dataset, batch_size, collate_fn=pseudo_collate):
        samples += model(**batch, mode='predict')
    arrays = {f'score/{task}': np.stack([s.scores[task].numpy() for s in samples]) for task in model.heads}
    for task in set(samples[0].gt) & set(model.heads):
        arrays[f'label/{task}'] = np.array([int(s.gt[task]) for s in samples])
    for column in samples[0].groups:
        arrays[f'group/{column}'] = np.array([s.groups.get(column, '') for s in samples])
    return arrays


def main() -> int:
    """One run, started by :func:`run_all`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('experiment', choices=EXPERIMENTS)
    parser.add_argument('variant')
    parser.add_argument('seed', type=int)
    parser.add_argument('data', type=Path)
    parser.add_argument('folder', type=Path)
    parser.add_argument('extra', type=Path, nargs='?')
    args = parser.parse_args()
    experiment = EXPERIMENTS[args.experiment]
    if args.variant not in experiment.variants:
        raise UserError(f'{args.experiment} has no variant {args.variant!r}; it has {list(experiment.variants)}')
    torch.set_num_threads(1)
    run_one(experiment, args.variant, args.seed, args.data, args.folder, args.extra)
    return 0


if __name__ == '__main__':
    run_tool(main)
