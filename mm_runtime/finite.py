"""Scores must be numbers: NaN compares as nothing, so that an answer of NaN would silently be the first class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from bmoe_ground.errors import UserError

IN_TRAINING = 'the model in training'
ADVICE = 'the training diverged; use an earlier checkpoint, or train with a lower learning rate'


def is_finite(values: Any) -> bool:
    """Tell whether all numbers of a tensor, an array or a list are finite.

    Args:
        values: Numbers of any shape; what holds other things than numbers counts as finite.

    Example:
        >>> is_finite([0.1, float('nan')])
        False
    """
    if isinstance(values, torch.Tensor):
        return bool(torch.isfinite(values).all())
    array = np.asarray(values)
    return array.dtype.kind not in 'fc' or bool(np.isfinite(array).all())


def check_sample(sample: Any, source: str = IN_TRAINING) -> None:
    """Refuse a predicted sample with scores that are no numbers.

    Args:
        sample: A dict or mmengine's data element; its ``scores``, and all that ends in ``_scores``, are looked at, in
            nested dicts as well.
        source: The checkpoint, for the error.

    Raises:
        UserError: A score is NaN or infinite; the message names sample and checkpoint.

    Example:
        >>> check_sample({'name': 'nod/01.mp4', 'pred_scores': torch.tensor([0.2, 0.8])})
    """
    for key in sample.keys():  # noqa: SIM118  (an element of data has keys and no iterator)
        if key == 'scores' or key.endswith('_scores'):
            for place, values in _leaves(sample.get(key), key):
                if not is_finite(values):
                    raise UserError(f'{source}: {place} of {sample_name(sample)} are NaN or infinite: {ADVICE}')


def check_scores(scores: Any, what: str = 'scores') -> None:
    """Refuse an array of scores that are no numbers, in a function that knows neither samples nor a checkpoint.

    Args:
        scores: (N, ...) scores.
        what: What they are, for the error.

    Raises:
        ValueError: One is NaN or infinite; the message says of which sample.
    """
    array = np.asarray(scores)
    if not is_finite(array):
        rows = array.reshape(len(array), -1)
        bad = np.flatnonzero(~np.isfinite(rows).all(1))
        raise ValueError(f'{what}: hold NaN or infinite numbers, {len(bad)} of {len(rows)} samples, the first {bad[0]}')


def sample_name(sample: Any) -> str:
    """What a sample is called in an error: its name, or its file."""
    for key in ('name', 'frame_dir', 'path'):
        if name := sample.get(key):
            return repr(str(name))
    return 'a sample without a name'


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f'{place} {key!r}')
    else:
        yield place, value
