"""A ridge regression onto the classes in closed form; leaving one out chooses its strength and makes probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

STRENGTHS = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Of the penalty, as a share of the features' variance."""
_SLACK = 1e-3  # of the calibration: keeps it finite where the left-out scores separate the classes


@dataclass(frozen=True)
class Linear:
    """A fitted classifier.

    Args:
        weight: (C, D).
        bias: (C,).
        strength: The penalty that was chosen.
        log_loss: Of the samples, each left out in turn.
        accuracy: Likewise.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    strength: float
    log_loss: float
    accuracy: float


class Ridge:
    """The decomposition of a set of samples, from which regressions onto any targets follow at little cost.

    Args:
        features: (N, D) float32; N may be smaller or larger than D, but the cost grows with N cubed.
    """

    def __init__(self, features: torch.Tensor) -> None:
        self.mean = features.mean(dim=0)
        self.features = features = features - self.mean
        kernel = (features @ features.T).double()
        self.variance = float(kernel.diagonal().mean())
        values, self.vectors = torch.linalg.eigh(kernel)
        self.values = values.clamp(min=0)

    def classify(self, labels: torch.Tensor, classes: int, strengths: Sequence[float] = STRENGTHS) -> Linear:
        """Fit a classifier.

        Args:
            labels: (N,) class indices; or (N, C) of 0 and 1, for classes that do not exclude each other.
            classes: How many there are.
            strengths: Penalties to choose from, by the likelihood of the labels of left-out samples.
        """
        targets = F.one_hot(labels, classes).double() if labels.dim() == 1 else labels.double()
        middle = targets.mean(dim=0)
        best: Linear | None = None
        for strength in strengths:
            shrunk = self.values + strength * self.variance * len(targets)
            coefficients = self.vectors @ ((self.vectors.T @ (targets - middle)) / shrunk[:, None])
            share = (self.vectors.square() * (self.values / shrunk)).sum(dim=1) + 1 / len(targets)
            fitted = middle + self.vectors @ (self.vectors.T @ (targets - middle) * (self.values / shrunk)[:, None])
            left_out = targets - (targets - fitted) / (1 - share).clamp(min=1e-9)[:, None]
            scale, offset, loss, right = calibrate(left_out, labels)
            if best is None or loss < best.log_loss:
                weight = (self.features.T @ coefficients.float()).T * scale[:, None].float()
                bias = (middle * scale + offset).float() - weight @ self.mean
                best = Linear(weight, bias, strength, loss, right)
        assert best is not None  # mypy: there are strengths
        return best


def calibrate(scores: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float, float]:
    """Factor and offsets that make logits of scores (Platt 1999; one factor for classes that exclude each other).

    Args:
        scores: (N, C) float64, of samples that the classifier was not fitted on.
        labels: (N,) or (N, C), as :meth:`Ridge.classify` takes them.

    Returns:
        (C,) factors, (C,) offsets, and the log loss and accuracy that they give.
    """
    exclusive = labels.dim() == 1
    count = scores.shape[1]
    log_scale = torch.zeros(1 if exclusive else count, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_scale, offset], max_iter=200, line_search_fn='strong_wolfe')

    def logits() -> torch.Tensor:
        return scores * log_scale.exp() + offset

    def loss() -> torch.Tensor:
        if exclusive:
            return F.cross_entropy(logits(), labels)
        return F.binary_cross_entropy_with_logits(logits(), labels.double())

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss() + _SLACK * (log_scale.square().sum() + offset.square().sum()) / len(scores)
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(step)
    with torch.no_grad():
        decided = logits().argmax(dim=1) if exclusive else (logits() >= 0).long()
        right = float((decided == labels).double().mean())
        return log_scale.exp().expand(count).clone(), offset.detach(), float(loss()), right
