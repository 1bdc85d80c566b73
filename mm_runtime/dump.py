"""Predictions as a pickle that any reader can open: plain dicts of numbers, texts and numpy arrays."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import DumpResults
from torch import Tensor

from bmoe_ground.files import atomic_write


class PlainDump(DumpResults):
    """Write every prediction, with numpy arrays in the place of tensors, whole or not at all.

    Args:
        out_file_path: The ``.pkl`` file.
        **kwargs: For mmengine's ``DumpResults``.
    """

    def process(self, data_batch: Any, predictions: Sequence[dict[str, Any]]) -> None:
        """Keep a batch's predictions.

        Args:
            data_batch: Unused.
            predictions: Samples as dicts.
        """
        self.results.extend(plain(prediction) for prediction in predictions)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the file.

        Args:
            results: One dict a sample.

        Returns:
            Nothing to report.
        """
        with atomic_write(self.out_file_path) as file:
            pickle.dump(results, file, protocol=4)
        print(f'predictions: {self.out_file_path}')
        return {}


def plain(value: Any) -> Any:
    """Turn tensors into numpy arrays, in containers too.

    Args:
        value: Anything a sample holds.
    """
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype.is_floating_point else value).numpy()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    return value
