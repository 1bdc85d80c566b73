"""Which clips train and which test: seeded, stratified, by subject or by view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.splits import stratified_split


def fold_mask(clips: Sequence[Mapping[str, Any]], fold: dict[str, Any]) -> np.ndarray:
    """Choose the clips of one side of a cross-validation split.

    Args:
        clips: Clips with ``label``, and the key that ``by`` names.
        fold: ``part`` 'train' or 'test', ``index`` of the fold, ``by`` a key such as 'subject' or 'view' (None for
            stratified clips), ``num_folds`` (with ``by``: None leaves one value out, 'half' tests on a random half of
            the values, an int deals the values into that many folds), ``seed``.

    Returns:
        (N,) bool.

    Raises:
        UserError: A key is unknown, a clip lacks the key, or the index is out of range.
    """
    unknown = set(fold) - {'part', 'index', 'by', 'num_folds', 'seed'}
    if unknown or fold.get('part') not in ('train', 'test'):
        raise UserError(
            f'fold {fold}: expected keys part ("train" or "test"), index, by, num_folds, seed; '
            f'unknown: {sorted(unknown)}'
        )
    by, num_folds, index, seed = fold.get('by'), fold.get('num_folds'), int(fold.get('index', 0)), fold.get('seed', 0)
    if by is None:
        if not isinstance(num_folds, int) or num_folds < 2:
            raise UserError(f'fold {fold}: num_folds must be an int of at least 2')
        parts = stratified_split([clip['label'] for clip in clips], [1.0] * num_folds, seed)
        _check_index(index, num_folds, fold)
        tested = parts == index
    else:
        missing = [clip.get('frame_dir') for clip in clips if by not in clip]
        if missing:
            raise UserError(f'fold by {by!r}: {len(missing)} clips have no key {by!r}, the first is {missing[0]!r}')
        values = np.array([clip[by] for clip in clips])
        tested = np.isin(values, _tested_values(np.unique(values), num_folds, index, seed, fold))
    return tested if fold['part'] == 'test' else ~tested


def _tested_values(values: np.ndarray, num_folds: Any, index: int, seed: int, fold: dict[str, Any]) -> np.ndarray:
    if num_folds is None:
        _check_index(index, len(values), fold)
        return values[index : index + 1]
    if num_folds == 'half':
        return np.random.default_rng((seed, index)).permutation(values)[: len(values) // 2]
    if not isinstance(num_folds, int) or not 2 <= num_folds <= len(values):
        raise UserError(f'fold {fold}: num_folds must be None, "half" or an int from 2 to {len(values)}')
    _check_index(index, num_folds, fold)
    return np.random.default_rng(seed).permutation(values)[index::num_folds]


def _check_index(index: int, count: int, fold: dict[str, Any]) -> None:
    if not 0 <= index < count:
        raise UserError(f'fold {fold}: index {index} is not in 0..{count - 1}')
