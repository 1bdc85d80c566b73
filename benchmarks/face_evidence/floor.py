"""The row that every table begins with: HOG and logistic regression on the images of the runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmengine.registry import init_default_scope

from benchmarks.face_evidence.experiments import BASELINE, Experiment, without_labels
from benchmarks.face_floor import as_arrays, build_part, examine, fit_floor, framing
from bmoe_ground.files import atomic_write
from face_aux.registry import DATASETS

FLOOR = 'HOG + logistic regression'
CELL = 8  # pixels


def floor_file(out: Path, experiment: str) -> Path:
    """Where the floor's predictions lie; no seed changes them."""
    return out / experiment / 'floor' / 'predictions.npz'


def run_floor(experiment: Experiment, data: Path, path: Path, extra: Path | None) -> None:
    """Fit the floor on the experiment's training part and write its predictions, unless they are there.

    Args:
        experiment: Its parts and the framing of its test images are taken.
        data: Folder of the data set.
        path: The file to write.
        extra: UTKFace chips, for false positives.
    """
    if path.is_file():
        return
    init_default_scope('face_aux')
    cfg = experiment.make_config(BASELINE, data)
    floor = fit_floor(build_part(cfg, 'train'), build_part(cfg, 'val'), CELL)
    arrays = as_arrays(floor.results(examine(build_part(cfg, 'test'), CELL)))
    if extra is not None:
        chips = DATASETS.build(without_labels(extra, framing(experiment.test_pipeline()), subset=1500))
        found = as_arrays(floor.results(examine(chips, CELL)))
        arrays.update({f'chips/{key}': value for key, value in found.items() if not key.startswith('label/')})
    with atomic_write(path) as file:
        np.savez_compressed(file, **arrays)
    print(f'{path}: done, C by validation: {floor.chosen}', flush=True)
