"""Metrics as pure functions of numpy arrays; what is not defined raises with the reason and is never dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bmoe_ground.errors import UserError


class NotDefinedError(ValueError):
    """A metric has no value on this data; the message is the reason, such as 'no negatives'."""


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Elementwise quotient, NaN where the denominator is zero."""
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    return np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)


def recalls(confusion: np.ndarray) -> np.ndarray:
    """Recall of each class, (..., C) from counts (..., C, C); NaN for a class that does not occur."""
    return divide(np.einsum('...ii->...i', confusion), confusion.sum(axis=-1))


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of correct answers, (...) from counts (..., C, C); NaN without samples."""
    return divide(np.einsum('...ii->...', confusion), confusion.sum(axis=(-2, -1)))


def balanced_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Mean recall over the classes that occur, (...) from (..., C, C); NaN where fewer than two do."""
    values = recalls(confusion)
    present = np.isfinite(values).sum(axis=-1)
    return divide(np.nansum(values, axis=-1) * (present > 1), present * (present > 1))


def f1_macro(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur or are predicted, (...) from (..., C, C); NaN without samples."""
    hits = np.einsum('...ii->...i', confusion)
    f1 = divide(2 * hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))
    present = np.isfinite(f1).sum(axis=-1)
    return divide(np.nansum(f1, axis=-1), present)


def selection_rates(confusion: np.ndarray) -> np.ndarray:
    """Share of samples that each class is predicted for, (..., C)."""
    return divide(confusion.sum(axis=-2), confusion.sum(axis=(-2, -1))[..., None])


def false_positive_rates(confusion: np.ndarray) -> np.ndarray:
    """Share of the other classes' samples that each class is predicted for, (..., C); NaN without negatives."""
    hits = np.einsum('...ii->...i', confusion)
    negatives = confusion.sum(axis=(-2, -1))[..., None] - confusion.sum(axis=-1)
    return divide(confusion.sum(axis=-2) - hits, negatives)


def check_two_classes(positive: np.ndarray) -> None:
    """Raise :class:`NotDefinedError` unless there are positives and negatives."""
    if not len(positive):
        raise NotDefinedError('no samples')
    if positive.all():
        raise NotDefinedError('no negatives')
    if not positive.any():
        raise NotDefinedError('no positives')


def roc_curve(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates from the strictest threshold to the loosest, (U + 1,) each, from 0 to 1.

    Args:
        positive: (N,) bool.
        scores: (N,), larger means more likely positive.

    Raises:
        NotDefinedError: One of the two classes is absent.
    """
    check_two_classes(positive)
    order = np.argsort(-scores, kind='stable')
    ranked = positive[order]
    last_of_ties = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    true = np.cumsum(ranked)[last_of_ties]
    false = last_of_ties + 1 - true
    return np.append(0, false / false[-1]), np.append(0, true / true[-1])


def roc_auc(positive: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Raises:
        NotDefinedError: One of the two classes is absent.
    """
    fpr, tpr = roc_curve(positive, scores)
    return float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))


def equal_error_rate(positive: np.ndarray, scores: np.ndarray) -> float:
    """Rate at which false positives and false negatives are equally frequent, on the ROC's straight segments.

    Raises:
        NotDefinedError: One of the two classes is absent.
    """
    fpr, tpr = roc_curve(positive, scores)
    gap = fpr - (1 - tpr)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    weight = gap[after] / (gap[after] - gap[after - 1])
    return float(fpr[after] + weight * (fpr[after - 1] - fpr[after]))


def average_precision(positive: np.ndarray, scores: np.ndarray) -> float:
    """Precision averaged over the recall that each distinct score adds (no interpolation).

    Raises:
        NotDefinedError: There are no positives.
    """
    if not positive.any():
        raise NotDefinedError('no samples' if not len(positive) else 'no positives')
    order = np.argsort(-scores, kind='stable')
    last_of_ties = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    true = np.cumsum(positive[order])[last_of_ties]
    precision = true / (last_of_ties + 1)
    return float(np.sum(np.diff(true, prepend=0) / true[-1] * precision))


def multiclass_auc(target: np.ndarray, scores: np.ndarray) -> float:
    """Mean one-against-the-rest AUC over the classes that occur; the plain AUC for two classes.

    Args:
        target: (N,) class indices.
        scores: (N, C).

    Raises:
        NotDefinedError: Fewer than two classes occur.
    """
    if scores.shape[1] == 2:
        return roc_auc(target == 1, scores[:, 1])
    present = np.unique(target)
    if len(present) < 2:
        raise NotDefinedError('no samples' if not len(present) else 'only one class')
    return float(np.mean([roc_auc(target == c, scores[:, c]) for c in present]))


def bootstrap_auc(
    target: np.ndarray, scores: np.ndarray, replicates: int, rng: np.random.Generator, chunk: int = 2_000_000
) -> np.ndarray:
    """:func:`multiclass_auc` of resampled data.

    Args:
        target: (N,) class indices.
        scores: (N, C).
        replicates: How often to resample, B.
        rng: Source of chance.
        chunk: Most counts held at a time.

    Returns:
        (B,); NaN where a replicate has no two classes.
    """
    n, classes = scores.shape
    if classes == 2 and n > BINNED_FROM:
        return _binned_bootstrap_auc(target == 1, scores[:, 1], replicates, rng)
    columns = [1] if classes == 2 else range(classes)
    ranked = []
    for c in columns:
        order = np.argsort(scores[:, c], kind='stable')
        starts = np.flatnonzero(np.append(True, np.diff(scores[order, c]) != 0))
        ranked.append((order, starts, target[order] == c))
    step = max(1, chunk // max(n, 1))
    result = []
    for begin in range(0, replicates, step):
        rows = min(step, replicates - begin)
        drawn = rng.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).astype(np.int32).reshape(rows, n)
        aucs = np.stack([_weighted_auc(counts[:, order], starts, hit) for order, starts, hit in ranked])
        defined = np.isfinite(aucs).sum(axis=0)
        result.append(divide(np.nansum(aucs, axis=0), defined))
    return np.concatenate(result)


BINNED_FROM = 2000
BINS = 512


def _binned_bootstrap_auc(
    positive: np.ndarray, scores: np.ndarray, replicates: int, rng: np.random.Generator
) -> np.ndarray:
    """The same for many samples: scores are first put into quantile bins, which moves the AUC by less than 1e-4."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, scores, side='right')
    width = len(edges) + 1
    counts = np.bincount(bins + width * positive, minlength=2 * width)
    drawn = rng.multinomial(len(scores), counts / len(scores), size=replicates)
    return _auc_of_counts(drawn[:, width:], drawn[:, :width])


def _weighted_auc(counts: np.ndarray, starts: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """AUC of each row of counts (B, N), samples in ascending order of score, ties beginning at ``starts``."""
    pos = np.add.reduceat(counts * positive, starts, axis=1)
    neg = np.add.reduceat(counts * ~positive, starts, axis=1)
    return _auc_of_counts(pos, neg)


def _auc_of_counts(pos: np.ndarray, neg: np.ndarray) -> np.ndarray:
    """AUC of each row of positive and negative counts (B, U), distinct scores ascending."""
    below = np.cumsum(neg, axis=1) - neg
    wins = (pos * (below + neg / 2)).sum(axis=1)
    return divide(wins, pos.sum(axis=1, dtype=np.float64) * neg.sum(axis=1))


def video_scores(
    video_ids: Sequence[str], target: np.ndarray, scores: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Mean of the frames' scores for each video.

    Args:
        video_ids: Video of each of the N frames.
        target: (N,) class index of each frame.
        scores: (N, C).

    Returns:
        Video names in first-seen order, their labels (V,) and mean scores (V, C).

    Raises:
        UserError: Frames of one video have different labels.
    """
    names, index = np.unique(np.asarray(video_ids, dtype=object).astype(str), return_inverse=True)
    first = np.full(len(names), -1, dtype=np.int64)
    first[index[::-1]] = target[::-1]
    if (bad := np.flatnonzero(first[index] != target)).size:
        raise UserError(f'video {video_ids[bad[0]]!r}: its frames have different labels')
    total = np.zeros((len(names), scores.shape[1]))
    np.add.at(total, index, scores)
    return names.tolist(), first, total / np.bincount(index)[:, None]
