from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook

from mm_runtime.announce import after_test, after_training, opening_lines, poor_splits


def fake_runner(work_dir='', best: str | None = None) -> SimpleNamespace:
    hook = CheckpointHook(save_best='f1', rule='greater')
    hook.best_ckpt_path = best
    return SimpleNamespace(model=torch.nn.Linear(1000, 500), max_epochs=4, hooks=[hook], work_dir=str(work_dir))


class Loader(list):
    def __init__(self, samples: int, steps: int, **metainfo) -> None:
        super().__init__([0] * steps)
        self.dataset = type('Data', (list,), {'unit': 'clips', 'metainfo': metainfo})([0] * samples)


def test_what_a_training_says_of_itself() -> None:
    loaders = {'train_dataloader': Loader(1234, 10, classes=['nod', 'shrug']), 'val_dataloader': Loader(5, 1)}
    assert opening_lines(fake_runner(), loaders) == [
        'data: clips train 1,234, val 5; 2 classes (nod, shrug)',
        'model: Linear, 0.50 M parameters, on cpu; 4 epochs of 10 steps',
    ]


@pytest.mark.parametrize(
    ('counts', 'said'),
    [([0, 4], ['val has clips of one class only (shrug)']), ([0, 0], ['val has clips of no class']), ([1, 1], [])],
)
def test_splits_whose_scores_mean_little_are_said(counts: list[int], said: list[str]) -> None:
    facts = {'classes': ['nod', 'shrug']}
    loaders = {
        'train_dataloader': Loader(8, 1, **facts, class_counts=[4, 4]),
        'val_dataloader': Loader(4, 1, **facts, class_counts=counts),
    }
    notes = opening_lines(fake_runner(), loaders)[2:]
    assert [note.removeprefix('note: ').partition(';')[0] for note in notes] == said


def test_splits_of_several_tasks() -> None:
    counts = {'gender': {'male': 4, 'female': 0}, 'age': {'a': 0, 'b': 0}, 'race': {'x': 1, 'y': 2, 'z': 0}}
    assert poor_splits({'val_dataloader': Loader(4, 1, class_counts=counts)}) == [
        'note: val has clips of one class only (gender: male); its scores say nothing of the others',
        'note: val has clips of no class of age; its scores say nothing of the others',
    ]
    counts = {'look:Bald': {'not Bald': 9, 'Bald': 0}, 'race': {'x': 1, 'y': 2, 'z': 0}}
    assert poor_splits({'train_dataloader': Loader(4, 1, class_counts=counts)}) == [
        'note: train has clips of one class only (look:Bald: not Bald); they are not learned',
        'note: train has no clips of race: z; what is not shown is not learned',
    ]


def test_tasks_and_many_classes() -> None:
    tasks = {'age': {'classes': list(range(10))}, 'gender': {'classes': ['male', 'female']}}
    (line, _) = opening_lines(fake_runner(), {'train_dataloader': Loader(3, 1, tasks=tasks)})
    assert line.endswith('age: 10 classes (0, 1, 2, 3, 4, 5, 6, 7 and 2 more); gender: 2 classes (male, female)')


@pytest.mark.parametrize(
    ('program', 'command'),
    [('tools/train.py', 'python tools/test.py '), ('/usr/bin/bmoe', 'bmoe test '), ('-c', 'python tools/test.py ')],
)
def test_next_command_after_training(tmp_path, monkeypatch, program: str, command: str) -> None:
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'test.py').touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', [program])
    work = tmp_path / 'my work'
    work.mkdir()
    assert after_training(fake_runner(work), 'c.py', str(work), False, None) is None
    (work / 'last_checkpoint').write_text('my work/epoch_4.pth')
    assert after_training(fake_runner(work), 'c.py', 'my work', False, None) == f"{command}c.py 'my work/epoch_4.pth'"
    (work / 'best.pth').touch()
    found = after_training(fake_runner(work, 'x/best_f1_epoch_2.pth'), 'c.py', 'my work', True, ['dataset.tracks=a b'])
    assert found == f"{command}c.py 'my work/best.pth' --work-dir 'my work' --cfg-options 'dataset.tracks=a b'"


def test_next_command_after_a_test(monkeypatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['/usr/bin/bmoe'])
    assert (
        after_test('infer.py poses/ --checkpoint {checkpoint}', 'a b.pth') == "bmoe infer poses/ --checkpoint 'a b.pth'"
    )
    assert after_test('predict_faces.py photos/ --checkpoint {checkpoint}', 'c.pth') == (
        'bmoe face predict photos/ --checkpoint c.pth'
    )
    assert after_test(None, 'c.pth') is None
