"""The score of MA-52: F1_mean and its four parts (Guo et al. 2024, arXiv 2403.05234)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from sklearn.metrics import f1_score

from bmoe_ground.errors import UserError
from bmoe_skel.metrics.ranked import ranked
from bmoe_skel.registry import METRICS
from mm_runtime.finite import check_scores
from mm_runtime.metric import SampleMetric

BODY_SOURCES = ('action', 'own')


def f1_mean(
    action_true: Sequence[int] | np.ndarray,
    action_pred: Sequence[int] | np.ndarray,
    body_pred: Sequence[int] | np.ndarray | None = None,
    *,
    body_of_action: Sequence[int],
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


@METRICS.register_module()
class MicroActionMetric(SampleMetric):
    """:func:`f1_mean` and the top-1 and top-5 accuracies of actions and their body parts, by :meth:`calculate`.

    Clips whose label is hidden (-1, as in MA-52's test list) have no score; a test on them ends without one.

    Args:
        body: 'action' takes the body part of the predicted action, as the official script does; 'own' takes the
            model's own body-level answer (``body_mode`` 'own' or 'derived' of the head).
        body_of_action: (C,) body part of each action; None takes the data set's ``body_parts``.
        **kwargs: For :class:`SampleMetric`.

    Raises:
        ValueError: ``body`` is unknown.
    """

    def __init__(self, body: str = 'action', body_of_action: Sequence[int] | None = None, **kwargs: Any) -> None:
        if body not in BODY_SOURCES:
            raise ValueError(f'unknown body {body!r}; choose one of {BODY_SOURCES}')
        super().__init__(**kwargs)
        self.body = body
        self.body_of_action = None if body_of_action is None else tuple(body_of_action)

    def keep(self, sample: dict[str, Any]) -> tuple[Any, ...]:
        """Scores (C,) and label of a clip, and for 'own' the body-level scores (P,).

        Raises:
            ValueError: ``body`` is 'own', but the model gives no body-level answer.
        """
        kept = (sample['pred_scores'].numpy(), int(sample['gt_label']))
        if self.body == 'action':
            return kept
        if 'pred_body_scores' not in sample:
            raise ValueError("MicroActionMetric(body='own') needs a model whose head has a body_mode")
        return (*kept, sample['pred_body_scores'].numpy())

    def options(self) -> dict[str, Any]:
        """The body part of each action.

        Raises:
            UserError: Neither the metric's arguments nor the data set state it.
        """
        parts = self.body_of_action if self.body_of_action is not None else self.meta('body_parts')
        if parts is None:
            raise UserError(
                'MicroActionMetric: the data set states no body_parts; give the metric body_of_action=[...], '
                'or the data set metainfo=dict(body_parts=[...]), one number for each action'
            )
        return {'body_of_action': parts}

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Compute the scores; none, and a warning, where every label is hidden."""
        if results and all(label < 0 for _, label, *_ in results):
            print_log('the labels of these clips are hidden: no score; use --dump', 'current', logging.WARNING)
            return {}
        return super().compute_metrics(results)

    @staticmethod
    def calculate(
        scores: np.ndarray,
        action_true: np.ndarray,
        body_scores: np.ndarray | None = None,
        *,
        body_of_action: Sequence[int],
    ) -> dict[str, float]:
        """Compute :func:`f1_mean` and the top-1 and top-5 accuracies of both levels.

        Args:
            scores: (N, C) of the actions.
            action_true: (N,) actions.
            body_scores: (N, P) of the body parts, or None: then the body parts of the five best actions count as the
                five answers, as in the challenge's file.
            body_of_action: (C,) body part of each action.

        Returns:
            As :func:`f1_mean`, and ``top1_action``, ``top5_action``, ``top1_body``, ``top5_body``.

        Raises:
            ValueError: As :func:`f1_mean`, or shapes do not match.
        """
        scores, true, parts = np.asarray(scores), np.asarray(action_true), np.asarray(body_of_action)
        if scores.ndim != 2 or scores.shape[1] != len(parts):
            raise ValueError(f'scores: expected shape (N, {len(parts)}), got {scores.shape}')
        for name, values in (('scores', scores), ('body_scores', body_scores)):
            if values is not None:
                check_scores(values, name)
        actions = ranked(scores, 5)
        bodies = parts[actions] if body_scores is None else ranked(body_scores, 5)
        own = None if body_scores is None else bodies[:, 0]
        result = f1_mean(true, actions[:, 0], own, body_of_action=body_of_action)
        for level, answers, truth in (('action', actions, true), ('body', bodies, parts[true])):
            hits = answers == truth[:, None]
            result[f'top1_{level}'] = float(hits[:, 0].mean())
            result[f'top5_{level}'] = float(hits.any(1).mean())
        return result
