"""best.pth follows the best checkpoint, through a stop and a resume."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.runner import Runner
from one_weight import OneWeight

from bmoe_ground import files
from mm_runtime import best
from mm_runtime.checkpoint import register_safe_loader

CHECKPOINTS = {'type': 'CheckpointHook', 'interval': 1, 'rule': 'greater'}


class Scores(BaseMetric):
    """Hands out the scores that a test wants."""

    def __init__(self, scores: list[float]) -> None:
        super().__init__()
        self.scores = scores

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results) -> dict[str, float]:
        return {'f1': self.scores.pop(0)}


def train(work: Path, scores: list[float], epochs: int, resume: bool = False, save_best: str | None = 'f1') -> None:
    register_safe_loader()
    loader = {'dataset': [{'inputs': 0}], 'sampler': {'type': 'DefaultSampler', 'shuffle': False}, 'batch_size': 1}
    runner = Runner(
        OneWeight(),
        str(work),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        val_cfg={},
        val_evaluator=Evaluator([Scores(scores)]),
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        default_hooks={'checkpoint': {**CHECKPOINTS, 'save_best': save_best}},
        custom_hooks=[{'type': 'BestCheckpointHook'}, {'type': 'SafeCheckpointHook'}],
        resume=resume,
        log_level='ERROR',
        experiment_name=uuid.uuid4().hex,  # runs of one second would share what they remember of the best
        default_scope='mmengine',
    )
    runner.train()


def weight(path: Path) -> float:
    return float(torch.load(path, weights_only=True)['state_dict']['weight'])


def test_follows_the_best(tmp_path: Path) -> None:
    train(tmp_path, [0.2, 0.5, 0.4], 3)
    assert weight(tmp_path / 'best.pth') == weight(tmp_path / 'epoch_2.pth') != weight(tmp_path / 'epoch_3.pth')
    assert (tmp_path / 'best.pth').read_bytes() == (tmp_path / 'best_f1_epoch_2.pth').read_bytes()


@pytest.mark.parametrize(('scores', 'chosen'), [([0.1, 0.3], 2), ([0.1, 0.9], 4)])
def test_follows_it_through_a_resume(tmp_path: Path, scores: list[float], chosen: int) -> None:
    train(tmp_path, [0.2, 0.5], 2)
    (tmp_path / 'best.pth').unlink()  # as if the run had been killed before the copy
    train(tmp_path, scores, 4, resume=True)
    assert weight(tmp_path / 'best.pth') == weight(tmp_path / f'epoch_{chosen}.pth')
    assert [file.name for file in tmp_path.glob('best_*')] == [f'best_f1_epoch_{chosen}.pth']


def test_a_copy_that_fails_leaves_the_older_one_whole(tmp_path: Path, monkeypatch) -> None:
    train(tmp_path, [0.2], 1)
    before = (tmp_path / 'best.pth').read_bytes()

    def full(source, target) -> None:
        target.write(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(best.shutil, 'copyfileobj', full)
    with pytest.raises(files.UserError, match='No space left'):
        train(tmp_path, [0.2, 0.9], 2)
    assert (tmp_path / 'best.pth').read_bytes() == before
    assert not list(tmp_path.glob(f'{files.TEMPORARY_PREFIX}*'))


def test_no_best_without_a_metric(tmp_path: Path) -> None:
    train(tmp_path, [0.2], 1, save_best=None)
    assert not (tmp_path / 'best.pth').exists()
