"""What the page of a test run is made from: plain arrays, so that it can be made and tested without a runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from bmoe_skel.report_page.learning import Curve
from bmoe_skel.report_page.motion import Motion

STEPS = 24
"""Steps that routing over time is brought to, from the clip's begin to its end."""


@dataclass(frozen=True)
class TestRun:
    """One test.

    N clips, C classes, R regions, B coarse classes.

    Attributes:
        title: What was tested, for the heading.
        classes: C names.
        labels: (N,) int.
        predicted: (N,) int.
        confidence: (N,) 0..1, the probability of the predicted class.
        names: N names of clips.
        routing: (N, R, STEPS) weight of each region over normalised time, or None for a model without a router.
        coarse: (C,) coarse class of each class, or None.
        coarse_names: B names.
        trained: (C,) training clips of each class, or None where the checkpoint does not say.
        scores: Metric to value, as the test printed it.
        facts: Line of the settings to its text: config, checkpoint, data, versions.
        config: The config's text.
        mistakes: Number of a clip to its movement, for those shown; see :func:`surest_mistakes`.
        curve: The training's, or None where its log was not found.
    """

    title: str
    classes: Sequence[str]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    names: Sequence[str]
    routing: np.ndarray | None = None
    coarse: Sequence[int] | None = None
    coarse_names: Sequence[str] = ()
    trained: Sequence[int] | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    config: str = ''
    mistakes: Mapping[int, Motion | None] = field(default_factory=dict)
    curve: Curve | None = None

    __test__ = False  # no test, whatever its name makes pytest think

    @cached_property
    def confusion(self) -> np.ndarray:
        """(C, C) counts, rows are the labels."""
        return confusion_matrix(self.labels, self.predicted, labels=range(len(self.classes)))


def resample(routing: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Bring a clip's routing to a number of steps, so that clips of any length can be averaged.

    Args:
        routing: (R, T').
        steps: How many.

    Returns:
        (R, steps) float32, linear between the middles of the model's steps, level beyond the first and last.
    """
    middles = (np.arange(routing.shape[1]) + 0.5) / routing.shape[1]
    wanted = (np.arange(steps) + 0.5) / steps
    return np.stack([np.interp(wanted, middles, row) for row in routing]).astype(np.float32)


def surest_mistakes(labels: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, count: int = 12) -> list[int]:
    """The wrong clips of which the model was surest.

    Args:
        labels: (N,) int.
        predicted: (N,) int.
        confidence: (N,).
        count: At most so many.

    Returns:
        Numbers of clips, the surest first; of equals the first in the set.
    """
    wrong = np.nonzero(labels != predicted)[0]
    return wrong[np.argsort(-confidence[wrong], kind='stable')][:count].tolist()
