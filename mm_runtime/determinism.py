"""Runs that can be repeated and resumed exactly: every epoch starts from a seed of its own.

The state of a random generator after an epoch depends on validations and worker start-ups that a resumed run does not
repeat. Seeding each epoch from ``(seed, epoch, rank)`` makes an epoch depend on nothing but its number, so that a
run that was stopped between two epochs ends with the weights of one that was not.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor


class SharedEpoch:
    """The current epoch, readable in data loader workers that outlive an epoch.

    Attributes:
        seed: The run's seed.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._epoch: Tensor = torch.zeros(1, dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """The number of the running epoch, from 0."""
        return int(self._epoch)

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._epoch.fill_(value)

    def generator(self, index: int) -> np.random.Generator:
        """Random numbers for one sample of the running epoch, the same in whichever worker it is loaded.

        Args:
            index: The sample's position in the dataset.

        Returns:
            A generator seeded by ``(seed, epoch, index)``.
        """
        return np.random.default_rng((self.seed, self.epoch, index))


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed torch, numpy and random at the start of each training epoch, and tell the dataset which epoch it is.

    A dataset takes part by an attribute ``shared_epoch`` (:class:`SharedEpoch`).
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the dataset which epoch is about to start, before its workers read ahead."""
        dataset = runner.train_dataloader.dataset
        while dataset is not None:
            shared = getattr(dataset, 'shared_epoch', None)
            if shared is not None:
                shared.seed, shared.epoch = int(runner.seed), int(runner.epoch)
            dataset = getattr(dataset, 'dataset', None)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed at the epoch's first batch: a data loader that starts its workers anew draws a number before that."""
        if batch_idx:
            return
        seed = int(np.random.SeedSequence((runner.seed, runner.epoch, get_rank())).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (libraries that draw from the global generator)
        torch.manual_seed(seed)
