"""Group fairness criteria from confusion counts, or from fairlearn where it is installed and has them."""

from __future__ import annotations

import importlib.metadata
import warnings

import numpy as np

from face_aux.metrics import functional as F

RATES_OF = {
    'demographic_parity_difference': ('selection',),
    'demographic_parity_ratio': ('selection',),
    'equalized_odds_difference': ('tpr', 'fpr'),
    'equalized_odds_ratio': ('tpr', 'fpr'),
    'equal_opportunity_difference': ('tpr',),
    'fpr_gap': ('fpr',),
}
"""The rates whose extremes make a criterion."""


def largest_gap(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Maximum minus minimum along an axis, NaNs left out; NaN where fewer than two values are defined."""
    defined = np.isfinite(values)
    high = np.where(defined, values, -np.inf).max(axis=axis, initial=-np.inf)
    low = np.where(defined, values, np.inf).min(axis=axis, initial=np.inf)
    out = np.full(np.shape(high), np.nan)
    return np.subtract(high, low, out=out, where=defined.sum(axis=axis) >= 2)


def smallest_ratio(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Minimum over maximum along an axis, NaNs left out; NaN for fewer than two values or a maximum of zero."""
    defined = np.isfinite(values)
    high = np.where(defined, values, 0).max(axis=axis, initial=0)
    low = np.where(defined, values, np.inf).min(axis=axis, initial=np.inf)
    return F.divide(np.where(np.isfinite(low), low, 0), high * (defined.sum(axis=axis) >= 2))


def group_rates(counts: np.ndarray, positive: int | None) -> dict[str, np.ndarray]:
    """Selection, true positive and false positive rates of each group.

    Args:
        counts: (..., G, C, C), rows true.
        positive: The class to look at; None for every class against the rest.

    Returns:
        Each (..., G, K), K = 1 or C.
    """
    rates = {'selection': F.selection_rates(counts), 'tpr': F.recalls(counts), 'fpr': F.false_positive_rates(counts)}
    return rates if positive is None else {name: rate[..., [positive]] for name, rate in rates.items()}


def criteria_from_counts(counts: np.ndarray, positive: int | None) -> dict[str, np.ndarray]:
    """Criteria for each class looked at.

    Args:
        counts: (..., G, C, C) of G groups, rows true.
        positive: See :func:`group_rates`.

    Returns:
        Criterion name to (..., K).
    """
    rates = group_rates(counts, positive)
    whole = group_rates(counts.sum(axis=-3, keepdims=True), positive)
    gaps = {name: largest_gap(rate, axis=-2) for name, rate in rates.items()}
    ratios = {name: smallest_ratio(rate, axis=-2) for name, rate in rates.items()}
    away = {name: np.abs(rates[name] - whole[name]) for name in ('tpr', 'fpr')}
    sums = {name: _sum_defined(values) for name, values in away.items()}
    return {
        'demographic_parity_difference': gaps['selection'],
        'demographic_parity_ratio': ratios['selection'],
        'equalized_odds_difference': np.maximum(gaps['tpr'], gaps['fpr']),
        'equalized_odds_ratio': np.minimum(ratios['tpr'], ratios['fpr']),
        'equal_opportunity_difference': gaps['tpr'],
        'fpr_gap': gaps['fpr'],
        'f_fpr': sums['fpr'],
        'f_eo': sums['fpr'] + sums['tpr'],
    }


def criterion_draws(name: str, counts: np.ndarray, drawn: np.ndarray, positive: int | None, k: int) -> np.ndarray:
    """Bootstrap draws of a criterion, for the two groups that are furthest apart in the data.

    The largest of many gaps grows under resampling, so that its own percentiles would lie above it; the difference of
    two given groups does not.

    Args:
        name: A difference, ratio or gap of :func:`criteria_from_counts`.
        counts: (G, C, C).
        drawn: (B, G, C, C).
        positive: See :func:`group_rates`.
        k: Class, as an index into what :func:`criteria_from_counts` returns.

    Returns:
        (B,); empty for the sums over groups, which have no interval.
    """
    wanted = RATES_OF.get(name)
    if wanted is None:
        return np.zeros(0)
    points, sampled = group_rates(counts, positive), group_rates(drawn, positive)
    is_ratio = name.endswith('ratio')
    spread = smallest_ratio if is_ratio else largest_gap
    values = [float(spread(points[rate][:, k])) for rate in wanted]
    rate = wanted[int(np.nanargmin(values) if is_ratio else np.nanargmax(values))]
    high, low = int(np.nanargmax(points[rate][:, k])), int(np.nanargmin(points[rate][:, k]))
    above, below = sampled[rate][:, high, k], sampled[rate][:, low, k]
    return F.divide(below, above) if is_ratio else above - below


def _sum_defined(values: np.ndarray) -> np.ndarray:
    """Sum over groups (axis -2); NaN where fewer than two are defined."""
    enough = np.isfinite(values).sum(axis=-2) >= 2
    return np.where(enough, np.nansum(values, axis=-2), np.nan)


def fairlearn_criteria(counts: np.ndarray, positive: int = 1) -> dict[str, float] | None:
    """The criteria that fairlearn has, for two classes; None where it is not installed.

    Args:
        counts: (G, 2, 2), rows true; every group must have positives and negatives, for fairlearn takes a rate that is
            not defined as zero.
        positive: Index of the positive class.
    """
    try:
        from fairlearn import metrics
    except ImportError:
        return None
    groups, target, predicted = np.indices(counts.shape).reshape(3, -1)
    arguments = {
        'y_true': (target == positive).astype(int),
        'y_pred': (predicted == positive).astype(int),
        'sensitive_features': groups,
        'sample_weight': counts.ravel(),  # one row a cell of the table in place of one a sample
    }
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # a ratio of two zeros warns; it is reported as not defined
        return {
            'demographic_parity_difference': metrics.demographic_parity_difference(**arguments),
            'demographic_parity_ratio': metrics.demographic_parity_ratio(**arguments),
            'equalized_odds_difference': metrics.equalized_odds_difference(**arguments),
            'equalized_odds_ratio': metrics.equalized_odds_ratio(**arguments),
        }


def fairlearn_version() -> str:
    """Name and version of the installed fairlearn."""
    return f'fairlearn {importlib.metadata.version("fairlearn")}'


def worst_class(name: str, values: np.ndarray) -> int | None:
    """Index of the class with the worst value of a criterion (K,); None where none is defined."""
    if not np.isfinite(values).any():
        return None
    return int(np.nanargmin(values) if name.endswith('ratio') else np.nanargmax(values))


def why_not_defined(counts: np.ndarray, positive: int | None) -> str:
    """Why a criterion has no value: what the groups (G, C, C) lack."""
    if len(counts) < 2:
        return 'fewer than two groups'
    if positive is None:
        return 'fewer than two groups have the class, or the rate is zero in all'
    per_class = counts.sum(axis=-1)
    having = per_class[:, positive] > 0
    if having.sum() < 2:
        return 'fewer than two groups have positives'
    if ((per_class.sum(axis=-1) - per_class[:, positive]) > 0).sum() < 2:
        return 'fewer than two groups have negatives'
    return 'the rate is zero in all groups'
