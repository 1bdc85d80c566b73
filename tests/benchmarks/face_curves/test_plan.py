from __future__ import annotations

from pathlib import Path

from benchmarks.face_curves.plan import SETS, TARGETS, Run, epochs_for, experiment_of, make_config
from face_aux.models import TextureJointModel


def test_every_run_has_a_config_that_builds(tmp_path: Path) -> None:
    for name in SETS:
        for target in TARGETS:
            cfg = make_config(Run(name, target, 0.05, 2), tmp_path, steps=100, labelled=70, ratio=3)
            dataset = cfg.train_dataloader.dataset
            assert (cfg.model.auxiliary is None, dataset.unlabelled is None) == (target == 'none',) * 2
            assert (dataset.subset, dataset.subset_seed, dataset.unlabelled_ratio) == (0.05, 2, 3)
            if dataset.unlabelled is not None:
                assert 'subset' not in dataset.unlabelled
                assert dataset.unlabelled['part'] == 'train'
            options = {key: value for key, value in cfg.model.items() if key != 'type'}
            TextureJointModel(**{**options, 'heads': {'x': {'num_classes': 2}}})
            assert cfg.train_cfg.max_epochs == 50  # two steps of 32 an epoch
            assert cfg.train_cfg.val_interval == 2


def test_all_labels_leave_none_unlabelled(tmp_path: Path) -> None:
    dataset = make_config(Run('utkface', 'HOG', 1.0, 0), tmp_path, 100, 2827, 1).train_dataloader.dataset
    assert dataset.unlabelled is None
    assert 'subset' not in dataset


def test_few_labels_make_short_epochs_and_as_many_steps() -> None:
    assert epochs_for(1000, 57, 32) == 1000
    assert epochs_for(1000, 2827, 32) == 12
    assert epochs_for(10, 5, 32) == 10
    assert experiment_of(Run('utkface', 'LDP-cells', 0.1, 0)).kinds == {'LDP-cells': 'histogram'}
