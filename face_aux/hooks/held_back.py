"""Before a training: no face of the validation or test part may be among the unlabelled ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from face_aux.datasets.content import find_held_back
from face_aux.datasets.unlabelled import UnlabelledFaces
from face_aux.registry import DATASETS, HOOKS

_SHOWN = 3


@HOOKS.register_module()
class HeldBackHook(Hook):
    """Refuses a training whose unlabelled faces hold some of the validation or test part, or leaves them out.

    They are found by content, whatever they are called: by the digest of the decoded pixels or, with
    ``unlabelled=dict(check='file', ...)``, of the file. A copy that was scaled or compressed anew is not found.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Look through the unlabelled faces, where there are any.

        Args:
            runner: The runner that trains, whose config names the other parts.

        Raises:
            UserError: Some are of the validation or test part.
        """
        dataset = runner.train_dataloader.dataset
        while hasattr(dataset, 'dataset'):
            dataset = dataset.dataset
        unlabelled = getattr(dataset, 'unlabelled', None)
        if unlabelled is None:
            return
        for part in ('val', 'test'):
            loader = runner.cfg.get(f'{part}_dataloader')
            if loader:
                self._check(runner, unlabelled, part, loader['dataset'])

    def _check(self, runner: Runner, unlabelled: UnlabelledFaces, part: str, config: dict[str, Any]) -> None:
        try:
            held_back = DATASETS.build({**config, 'pipeline': []})
        except UserError as error:
            runner.logger.log(
                logging.WARNING,
                f'the {part} part cannot be read here, so it is not known whether the unlabelled faces hold some of '
                f'it: {error}',
            )
            return
        found = find_held_back(unlabelled, items_of(held_back), unlabelled.check)
        if not found:
            return
        shown = ', '.join(f'{path} (the same as {same})' for _, path, same in found[:_SHOWN])
        text = f'{len(found)} unlabelled faces of {unlabelled.source.name} are of the {part} part: {shown}'
        if unlabelled.held_back == 'error':
            raise UserError(
                f'{text}; take them out of the folder, or leave them out here by '
                "unlabelled=dict(folder=..., held_back='skip')"
            )
        unlabelled.leave_out(i for i, _, _ in found)
        runner.logger.log(logging.WARNING, f'left out: {text}')


def items_of(dataset: Any) -> Iterator[dict[str, Any]]:
    """Every item of a dataset, as its pipeline would take it.

    Args:
        dataset: A :class:`face_aux.datasets.FaceDataset`.
    """
    for i in range(len(dataset)):
        yield dataset.get_data_info(i)
