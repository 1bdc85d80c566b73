from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import FolderFaces
from face_aux.hooks import HeldBackHook

PARTS = {'train': 0.5, 'val': 0.25, 'test': 0.25}


def runner(root: Path, unlabelled: Any) -> SimpleNamespace:
    for i in range(16):
        trees.image(root / 'ab'[i % 2] / f'{i}.png', seed=i)

    def part(name: str) -> dict[str, Any]:
        return {'type': 'FolderFaces', 'data_root': str(root), 'fractions': PARTS, 'part': name}

    options = {key: value for key, value in part('train').items() if key != 'type'}
    train = FolderFaces(**options, unlabelled=unlabelled)
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(dataset=train)),
        cfg={f'{name}_dataloader': {'dataset': part(name)} for name in PARTS},
        logger=logging.getLogger('test_held_back'),
    )


def test_faces_of_the_test_part_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"4 unlabelled faces of .* are of the val part: .*held_back='skip'"):
        HeldBackHook().before_train(runner(tmp_path, str(tmp_path)))


def test_or_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = runner(tmp_path, {'folder': str(tmp_path), 'held_back': 'skip'})
    train = run.train_dataloader.dataset.dataset
    assert len(train.unlabelled) == 16
    HeldBackHook().before_train(run)
    left = {train.unlabelled.item(i)['path'] for i in range(len(train.unlabelled))}
    assert left == {train.get_data_info(i)['path'] for i in range(len(train))}
    assert [record.message.split(':')[0] for record in caplog.records] == ['left out', 'left out']


def test_a_test_part_that_is_not_there_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = runner(tmp_path / 'labelled', str(trees.image(tmp_path / 'more' / '0.png', seed=99).parent))
    run.cfg = {'test_dataloader': {'dataset': {'type': 'FolderFaces', 'data_root': str(tmp_path / 'gone')}}}
    HeldBackHook().before_train(run)
    assert 'the test part cannot be read here' in caplog.text
    run.train_dataloader.dataset.dataset.unlabelled = None
    HeldBackHook().before_train(run)
