"""One training of the curves: its test, its curve, and a linear probe of what the encoder holds."""

from __future__ import annotations

import json
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader

from benchmarks.face_curves.plan import SETS, Run, experiment_of, make_config
from benchmarks.face_evidence.runs import load_model, predict
from bmoe_ground.files import atomic_write
from face_aux.registry import DATASETS
from mm_runtime.cli import train_main
from mm_runtime.work_folder import numbered_checkpoints


def result_file(out: Path, run: Run) -> Path:
    """A run's result: whole or not there."""
    return out / f'{run.name}.json'


def predictions_file(out: Path, run: Run) -> Path:
    """A run's predictions on the test part, written before its result."""
    return out / f'{run.name}.npz'


def train_one(run: Run, data: Path, out: Path, steps: int, ratio: int) -> None:
    """Train, test and probe a run, and write its predictions and its result.

    A training that was cut off goes on from its last checkpoint, to the weights that it would have had.

    Args:
        run: Which.
        data: Folder of the set.
        out: Folder of all results.
        steps: Steps of the training, at least.
        ratio: Unlabelled images beside each labelled one.
    """
    init_default_scope('face_aux')
    labelled = count_labelled(run, data)
    cfg = make_config(run, data, steps, labelled, ratio)
    folder = out / run.name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'config.py'
    cfg.dump(str(config))
    last = folder / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    if not last.is_file():
        go_on = ['--resume'] if numbered_checkpoints(folder) else []
        train_main([str(config), '--work-dir', str(folder), '--seed', str(run.seed), *go_on])
        init_default_scope('face_aux')
    test = DATASETS.build(cfg.test_dataloader.dataset)
    model = load_model(cfg.model, last, test.metainfo).remove_auxiliary()
    arrays = predict(model, test)
    train = DATASETS.build(whole_part(cfg))
    used = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        **vars(run),
        'labelled': labelled,
        'unlabelled': 0 if cfg.train_dataloader.dataset.unlabelled is None else len(train),
        'steps': steps,
        'ratio': ratio,
        'epochs': cfg.train_cfg.max_epochs,
        'test': {t: accuracy_of(arrays[f'score/{t}'].argmax(axis=1), arrays[f'label/{t}']) for t in SETS[run.set]},
        'probe': probe(model, train, test, SETS[run.set]),
        'curve': curve_of(folder, f'{SETS[run.set][0]}/accuracy'),
        'cpu_seconds_of_the_last_start': used.ru_utime + used.ru_stime,
        'torch': torch.__version__,
    }
    with atomic_write(predictions_file(out, run)) as file:
        np.savez_compressed(file, **arrays)
    with atomic_write(result_file(out, run)) as file:
        file.write((json.dumps(result, indent=1) + '\n').encode())


def count_labelled(run: Run, data: Path) -> int:
    """Images of the training part that keep their labels."""
    cfg = experiment_of(run).make_config(run.target, data)
    part = DATASETS.build({**whole_part(cfg), **({} if run.share == 1 else {'subset': run.share})})
    return len(part)


def whole_part(cfg: Any) -> dict[str, Any]:
    """The whole training part, framed as the test is."""
    left_out = ('unlabelled', 'unlabelled_ratio', 'subset', 'subset_seed')
    own = {key: value for key, value in cfg.train_dataloader.dataset.items() if key not in left_out}
    return {**own, 'pipeline': cfg.test_dataloader.dataset.pipeline, 'test_mode': True}


@torch.no_grad()
def encode(model: Any, dataset: Any, tasks: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Mean of the patch tokens (N, D) of every image, and the labels (N,) of each task."""
    features, labels = [], []
    for batch in DataLoader(dataset, 128, collate_fn=pseudo_collate):
        tokens = model.forward_features(torch.stack(batch['inputs']))
        features.append(tokens[:, model.encoder.num_prefix_tokens :].mean(dim=1))
        labels += [[int(sample.gt[task]) for task in tasks] for sample in batch['data_samples']]
    columns = np.array(labels).T
    return torch.cat(features).numpy(), dict(zip(tasks, columns, strict=True))


def probe(model: Any, train: Any, test: Any, tasks: Sequence[str]) -> dict[str, float]:
    """Accuracy of a logistic regression on the frozen encoder, learned from all labels of the training part.

    It says what the encoder holds, whether or not the head, which saw few labels, could make use of it.

    Args:
        model: In eval mode.
        train: The whole training part.
        test: The test part.
        tasks: Their names.
    """
    (known, labels), (asked, truth) = (encode(model, part, tasks) for part in (train, test))
    found = {}
    for task in tasks:
        fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(known, labels[task])
        found[task] = accuracy_of(fit.predict(asked), truth[task])
    return found


def accuracy_of(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Share of right decisions."""
    return float((predicted == truth).mean())


def curve_of(folder: Path, key: str) -> list[tuple[int, float]]:
    """Epoch and validation score over a training, from the logs of all its starts."""
    points: dict[int, float] = {}
    for log in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in log.read_text().splitlines():
            record = json.loads(line)
            if key in record:
                points[int(record['step'])] = float(record[key])
    return sorted(points.items())
