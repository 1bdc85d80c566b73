"""Which samples an epoch draws, where some kinds of faces are rarer than others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from bmoe_ground.errors import UserError
from face_aux.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class BalancedSampler(Sampler):
    """Draws every combination of labels and groups as often, with replacement; an epoch is as long as it was.

    Weights instead of a drawing, where only labels are to be balanced: ``heads.<task>.class_weights``. A face that is
    drawn twice in an epoch comes twice as the same picture, so a cell of few faces is learned by heart sooner.

    Args:
        dataset: A :class:`face_aux.datasets.FaceDataset`.
        by: Tasks (their labels) and group columns, such as ``['gender', 'race']``. A face without a value in one of
            them is of a kind of its own.
        strength: 1 draws all combinations equally often, 0 as often as they are, 0.5 lies between: each counts
            ``n ** (1 - strength)``.
        seed: Of the drawing; None for one that all processes share.

    Raises:
        UserError: A name that no face has, or a strength outside 0 to 1.
    """

    def __init__(self, dataset: Any, by: Sequence[str], strength: float = 1.0, seed: int | None = None) -> None:
        if not 0 <= strength <= 1:
            raise UserError(f'BalancedSampler: strength must lie in 0..1, but got {strength}')
        self.rank, self.processes = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        cells = cells_of(dataset, by)
        self.counts = Counter(cells)
        self.weights = torch.tensor([self.counts[cell] ** -strength for cell in cells], dtype=torch.float64)

    def __iter__(self) -> Iterator[int]:
        """The indices of this process, all of an epoch drawn from ``(seed, epoch)``."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        drawn = torch.multinomial(self.weights, len(self) * self.processes, replacement=True, generator=generator)
        return iter(drawn[self.rank :: self.processes].tolist())

    def __len__(self) -> int:
        return -(-len(self.weights) // self.processes)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew; called by mmengine.

        Args:
            epoch: Of the training, from 0.
        """
        self.epoch = epoch


def cells_of(dataset: Any, by: Sequence[str]) -> list[tuple[str, ...]]:
    """The combination that each sample belongs to.

    Args:
        dataset: A :class:`face_aux.datasets.FaceDataset`.
        by: Tasks and group columns; a task goes before a column of its name.

    Raises:
        UserError: No sample has such a task or column.
    """
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    known = {name for item in items for name in (*item['gt'], *item['groups'])}
    if not by or (unknown := [name for name in by if name not in known]):
        raise UserError(f'BalancedSampler: by={list(by)}; name some of {sorted(known)}' + (
            f', there is no {unknown}' if by else ''
        ))  # fmt: skip
    return [tuple(str(item['gt'].get(name, item['groups'].get(name, ''))) for name in by) for item in items]
