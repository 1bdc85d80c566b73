"""The order of writing and deleting: whenever it stops, the newest whole checkpoint goes on to the same end."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.runner import Runner
from one_weight import OneWeight

from bmoe_ground import files
from mm_runtime import best  # noqa: F401  (registers its hook)
from mm_runtime.checkpoint import register_safe_loader
from mm_runtime.whole_checkpoints import MakeUpValidationHook, WholeCheckpointHook, write_whole
from mm_runtime.work_folder import find_resume

CHECKPOINTS = {
    'type': 'WholeCheckpointHook',
    'interval': 1,
    'max_keep_ckpts': 2,
    'save_best': 'f1',
    'rule': 'greater',
}
SCORES = {1: 0.2, 2: 0.5, 3: 0.4, 4: 0.9, 5: 0.1}


class Scores(BaseMetric):
    """A score for each epoch; takes down which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.runner: Runner | None = None
        self.asked: list[int] = []

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results) -> dict[str, float]:
        assert self.runner is not None
        self.asked.append(self.runner.epoch)
        return {'f1': SCORES[self.runner.epoch]}


def train(work: Path, epochs: int = 5) -> list[int]:
    """Train on from what is there; returns the epochs that were validated."""
    register_safe_loader()
    found = find_resume('auto', work, False)
    loader = {'dataset': [{'inputs': 0}], 'sampler': {'type': 'DefaultSampler', 'shuffle': False}, 'batch_size': 1}
    scores = Scores()
    runner = Runner(
        OneWeight(),
        str(work),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        val_cfg={},
        val_evaluator=Evaluator([scores]),
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        default_hooks={'checkpoint': CHECKPOINTS},
        custom_hooks=[{'type': 'BestCheckpointHook'}, {'type': 'SafeCheckpointHook'}],
        load_from=found[0] if found else None,
        resume=found is not None,
        log_level='ERROR',
        experiment_name=uuid.uuid4().hex,
        default_scope='mmengine',
    )
    scores.runner = runner
    runner.register_hook(MakeUpValidationHook())
    runner.train()
    return scores.asked


def content(work: Path) -> dict[str, float]:
    return {
        path.name: float(torch.load(path, weights_only=True)['state_dict']['weight']) for path in work.glob('*.pth')
    }


class Killed(BaseException):
    """Stands for a kill: nothing that catches errors sees it."""


@pytest.fixture
def kill_at(monkeypatch):
    """Let the n-th of the moments at which files change be the last one; later ones do not happen."""

    def arm(number: int) -> list[str]:
        moments: list[str] = []

        def counted(name, real):
            def change(path, *arguments, **options):
                if len(moments) >= number:
                    raise Killed
                moments.append(f'{name} {Path(arguments[0] if arguments else path).name}')
                return real(path, *arguments, **options)

            return change

        monkeypatch.setattr(files.os, 'replace', counted('write', files.os.replace))
        unlink = Path.unlink

        def delete(path, *arguments, **options):
            return (
                unlink(path, *arguments, **options)
                if path.name.startswith(files.TEMPORARY_PREFIX)
                else counted('delete', lambda path: unlink(path, *arguments, **options))(path)
            )

        monkeypatch.setattr(Path, 'unlink', delete)
        return moments

    return arm


@pytest.mark.slow
def test_killed_between_any_two_changes_of_files(tmp_path, kill_at, monkeypatch) -> None:
    assert train(tmp_path / 'straight') == [1, 2, 3, 4, 5]
    expected = content(tmp_path / 'straight')
    assert set(expected) == {'epoch_4.pth', 'epoch_5.pth', 'best_f1_epoch_4.pth', 'best.pth'}
    number = 0
    while True:
        work = tmp_path / str(number)
        with monkeypatch.context():
            moments = kill_at(number)
            try:
                train(work)
                killed = False
            except Killed:
                killed = True
            monkeypatch.undo()
        if not killed:
            break
        whole = content(work)  # every file that is there can be loaded
        assert number < 2 or whole
        train(work)
        assert content(work) == expected, (number, moments[-1:])
        assert (work / 'last_checkpoint').read_text() == str(work / 'epoch_5.pth')
        number += 1
    assert number > 20
    deleted = moments.index('delete epoch_1.pth')
    assert 'write epoch_3.pth' in moments[:deleted]
    assert moments.index('write best_f1_epoch_4.pth') < moments.index('delete best_f1_epoch_2.pth')


def test_a_validation_is_made_up_once(tmp_path) -> None:
    assert train(tmp_path, 2) == [1, 2]
    assert train(tmp_path, 3) == [3]
    path = tmp_path / 'epoch_3.pth'
    saved = torch.load(path, weights_only=True)
    saved['message_hub']['runtime_info']['validated_epoch'] = 2
    torch.save(saved, path)
    assert train(tmp_path, 4) == [3, 4]


def test_deletes_only_checkpoints_of_its_folder(tmp_path) -> None:
    work = tmp_path / 'work'
    train(work, 2)
    outside = tmp_path / 'best_outside.pth'
    names = ['../best_outside.pth', str(outside), 'notes.txt', 'epoch_2.pth', 7]
    for path in (outside, work / 'notes.txt'):
        path.write_bytes(b'mine')
    saved = torch.load(work / 'epoch_2.pth', weights_only=True)
    saved['message_hub']['runtime_info'].update(outdated_files=names, best_ckpt=str(outside))
    torch.save(saved, work / 'epoch_2.pth')
    train(work, 5)  # finds a better one, and drops the one that it takes for the best so far
    assert outside.read_bytes() == (work / 'notes.txt').read_bytes() == b'mine'


def test_config_is_changed_for_local_files_only() -> None:
    cfg = Config({})
    write_whole(cfg)
    assert cfg.default_hooks.checkpoint.type == 'WholeCheckpointHook'
    cfg = Config({'default_hooks': {'checkpoint': {'type': 'CheckpointHook', 'interval': 3, 'backend_args': None}}})
    write_whole(cfg)
    assert cfg.default_hooks.checkpoint == {'type': 'WholeCheckpointHook', 'interval': 3}
    assert WholeCheckpointHook(interval=3).interval == 3
    elsewhere = {'type': 'CheckpointHook', 'backend_args': {'backend': 'petrel'}}
    cfg = Config({'default_hooks': {'checkpoint': elsewhere}})
    write_whole(cfg)
    assert cfg.default_hooks.checkpoint == elsewhere
