"""The score of MA-52: F1_mean and its four parts (Guo et al. 2024, arXiv 2403.05234)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from sklearn.metrics import f1_score

from bmoe_skel.datasets.ma52.classes import BODY_OF_ACTION
from bmoe_skel.registry import METRICS

BODY_SOURCES = ('action', 'own')


def f1_mean(
    action_true: Sequence[int] | np.ndarray,
    action_pred: Sequence[int] | np.ndarray,
    body_pred: Sequence[int] | np.ndarray | None = None,
    body_of_action: Sequence[int] = BODY_OF_ACTION,
) -> dict[str, float]:
    """Compute the official score of micro-action recognition.

    F1_mean = (F1_macro of body parts + F1_micro of body parts + F1_macro of actions + F1_micro of actions) / 4. Macro
    averages run over the labels that occur in truth or prediction, as scikit-learn's without ``labels`` do; a class
    that occurs in neither does not count.

    Args:
        action_true: (N,) actions, 0..C-1.
        action_pred: (N,) predicted actions.
        body_pred: (N,) predicted body parts of a model with a classifier of its own for them; None takes the body
            part of the predicted action.
        body_of_action: (C,) body part of each action.

    Returns:
        ``f1_mean``, its parts ``f1_macro_body``, ``f1_micro_body``, ``f1_macro_action``, ``f1_micro_action``, and the
        accuracies ``accuracy_body``, ``accuracy_action``; all 0..1.

    Raises:
        ValueError: There is no clip, lengths differ, or a label is not in range.
    """
    parts = np.asarray(body_of_action)
    true = _labels('action_true', action_true, len(parts))
    pred = _labels('action_pred', action_pred, len(parts), len(true))
    body_true = parts[true]
    body = parts[pred] if body_pred is None else _labels('body_pred', body_pred, int(parts.max()) + 1, len(true))
    result = {
        f'f1_{average}_{level}': float(f1_score(t, p, average=average, zero_division=0))
        for level, t, p in (('body', body_true, body), ('action', true, pred))
        for average in ('macro', 'micro')
    }
    return {
        'f1_mean': sum(result.values()) / 4,
        **result,
        'accuracy_body': float((body == body_true).mean()),
        'accuracy_action': float((pred == true).mean()),
    }


def _labels(name: str, values: Sequence[int] | np.ndarray, count: int, length: int | None = None) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in 'iu':
        raise ValueError(f'{name}: expected (N,) integers with N > 0, got {array.dtype} of shape {array.shape}')
    if length is not None and len(array) != length:
        raise ValueError(f'{name}: expected {length} labels, as action_true has, got {len(array)}')
    if array.min() < 0 or array.max() >= count:
        bad = int(array[(array < 0) | (array >= count)][0])
        raise ValueError(f'{name}: {bad} is not in 0..{count - 1}')
    return array.astype(np.int64)


def ranked(scores: np.ndarray, k: int) -> np.ndarray:
    """The k best classes of each clip, best first; of equal scores the lower class comes first.

    Args:
        scores: (N, C).
        k: At most C.

    Returns:
        (N, k) int64.
    """
    return np.argsort(-np.asarray(scores), axis=1, kind='stable')[:, :k]


def micro_action_scores(
    scores: np.ndarray,
    action_true: np.ndarray,
    body_scores: np.ndarray | None = None,
    body_of_action: Sequence[int] = BODY_OF_ACTION,
) -> dict[str, float]:
    """Compute :func:`f1_mean` and the top-1 and top-5 accuracies of both levels.

    Args:
        scores: (N, C) of the actions.
        action_true: (N,) actions.
        body_scores: (N, P) of the body parts, or None: then the body parts of the five best actions count as the five
            answers, as in the challenge's file.
        body_of_action: (C,) body part of each action.

    Returns:
        As :func:`f1_mean`, and ``top1_action``, ``top5_action``, ``top1_body``, ``top5_body``.

    Raises:
        ValueError: As :func:`f1_mean`, or shapes do not match.
    """
    scores, true, parts = np.asarray(scores), np.asarray(action_true), np.asarray(body_of_action)
    if scores.ndim != 2 or scores.shape[1] != len(parts):
        raise ValueError(f'scores: expected shape (N, {len(parts)}), got {scores.shape}')
    if not np.isfinite(scores).all():
        raise ValueError('scores: hold NaN or infinite numbers')
    actions = ranked(scores, 5)
    bodies = parts[actions] if body_scores is None else ranked(body_scores, 5)
    result = f1_mean(true, actions[:, 0], None if body_scores is None else bodies[:, 0], body_of_action)
    for level, answers, truth in (('action', actions, true), ('body', bodies, parts[true])):
        hits = answers == truth[:, None]
        result[f'top1_{level}'] = float(hits[:, 0].mean())
        result[f'top5_{level}'] = float(hits.any(1).mean())
    return result


@METRICS.register_module()
class MicroActionMetric(BaseMetric):
    """:func:`micro_action_scores` as an mmengine metric.

    Clips whose label is hidden (-1, as in MA-52's test list) have no score; a test on them ends without one.

    Args:
        body: 'action' takes the body part of the predicted action, as the official script does; 'own' takes the
            model's own body-level answer (``body_mode`` 'own' or 'derived' of the head).
        body_of_action: (C,) body part of each action.
        **kwargs: For mmengine's ``BaseMetric``.

    Raises:
        ValueError: ``body`` is unknown.
    """

    default_prefix = 'action'

    def __init__(
        self,
        body: str = 'action',
        body_of_action: Sequence[int] = BODY_OF_ACTION,
        prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        if body not in BODY_SOURCES:
            raise ValueError(f'unknown body {body!r}; choose one of {BODY_SOURCES}')
        super().__init__(prefix=prefix, **kwargs)
        self.prefix = prefix
        self.body, self.body_of_action = body, tuple(body_of_action)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep a batch's scores and labels.

        Args:
            data_batch: Unused.
            data_samples: Samples as dicts, with ``pred_scores``, ``gt_label`` and for 'own' ``pred_body_scores``.

        Raises:
            ValueError: ``body`` is 'own', but the model gives no body-level answer.
        """
        for sample in data_samples:
            own = None
            if self.body == 'own':
                if 'pred_body_scores' not in sample:
                    raise ValueError("MicroActionMetric(body='own') needs a model whose head has a body_mode")
                own = sample['pred_body_scores'].numpy()
            self.results.append((sample['pred_scores'].numpy(), own, int(sample['gt_label'])))

    def compute_metrics(self, results: list[tuple[np.ndarray, np.ndarray | None, int]]) -> dict[str, float]:
        """Compute the scores over all clips.

        Args:
            results: Action scores, body scores or None, and label of each clip.

        Returns:
            As :func:`micro_action_scores`; empty where every label is hidden.
        """
        scores, own, labels = zip(*results, strict=True)
        true = np.array(labels)
        if (true < 0).all():
            print_log('the labels of these clips are hidden: no score; use --dump', 'current', logging.WARNING)
            return {}
        body = np.stack(own) if self.body == 'own' else None
        return micro_action_scores(np.stack(scores), true, body, self.body_of_action)
