"""One linear head a task, with its loss and its prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from bmoe_ground.errors import UserError
from face_aux.structures import FaceSample

IGNORE = -1
TYPES = ('multi_class', 'multi_label')


class TaskHead(nn.Module):
    """A linear classifier.

    Args:
        task: The task's name.
        in_features: Width of the features.
        num_classes: Number of classes; taken from ``classes`` where those are given.
        classes: Class names.
        type: ``'multi_class'`` (softmax) or ``'multi_label'`` (a yes or no each).
        label_smoothing: Of a multi-class loss, 0 to 1.
        class_weights: Weight of each class in the loss.
        loss_weight: Weight of this task among the primary tasks.
        dropout: Share of features dropped in training.
    """

    class_weights: torch.Tensor | None

    def __init__(
        self,
        task: str,
        in_features: int,
        num_classes: int | None = None,
        classes: Sequence[str] | None = None,
        type: str = 'multi_class',
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        loss_weight: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if type not in TYPES:
            raise UserError(f'heads.{task}.type must be one of {TYPES}, but got {type!r}')
        if classes is not None and num_classes not in (None, len(classes)):
            raise UserError(f'heads.{task}: num_classes={num_classes}, but there are {len(classes)} classes')
        count = len(classes) if classes is not None else num_classes
        if not count:
            raise UserError(f'heads.{task}: give num_classes, or classes')
        if class_weights is not None and len(class_weights) != count:
            raise UserError(f'heads.{task}: {len(class_weights)} class_weights for {count} classes')
        self.task, self.num_classes, self.multi_label = task, count, type == 'multi_label'
        self.classes = list(classes) if classes is not None else [str(i) for i in range(count)]
        self.label_smoothing, self.loss_weight = label_smoothing, loss_weight
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer('class_weights', weights, persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_features, count)
        nn.init.trunc_normal_(self.fc.weight, std=0.02)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, D) to logits (B, C)."""
        return self.fc(self.dropout(features))

    def targets(self, samples: Sequence[FaceSample]) -> torch.Tensor:
        """Ground truth of a batch on the head's device: (B,) int64, or (B, C) float; -1 where there is none.

        Raises:
            UserError: A label lies outside the classes.
        """
        device = self.fc.weight.device
        labels = [sample.gt.get(self.task, IGNORE) for sample in samples]
        if self.multi_label:
            missing = torch.full((self.num_classes,), float(IGNORE))
            rows = [missing if isinstance(label, int) else torch.as_tensor(label).float().cpu() for label in labels]
            if any(len(row) != self.num_classes for row in rows):
                raise UserError(f'task {self.task}: the labels are not {self.num_classes} values each')
            return torch.stack(rows).to(device)
        target = torch.tensor([int(label) for label in labels])
        if bool(((target < IGNORE) | (target >= self.num_classes)).any()):
            raise UserError(f'task {self.task}: labels {sorted(set(target.tolist()))} for {self.num_classes} classes')
        return target.to(device)

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean loss over what is annotated, 0 (with a gradient of 0) where nothing is.

        Args:
            logits: (B, C).
            target: See :meth:`targets`.

        Returns:
            Scalar, float32.
        """
        logits = logits.float()
        if self.multi_label:
            known = target != IGNORE
            each = F.binary_cross_entropy_with_logits(logits, target.clamp(min=0), self.class_weights, reduction='none')
            return (each * known).sum() / known.sum().clamp(min=1)
        if not bool((target != IGNORE).any()):
            return logits.sum() * 0
        return F.cross_entropy(
            logits, target, self.class_weights, ignore_index=IGNORE, label_smoothing=self.label_smoothing
        )

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """(B, C) probabilities, float32."""
        return logits.float().sigmoid() if self.multi_label else logits.float().softmax(dim=-1)

    def decide(self, probabilities: torch.Tensor) -> int | torch.Tensor:
        """Class index of one sample's probabilities (C,), or 0/1 for each label (at 0.5)."""
        if self.multi_label:
            return (probabilities >= 0.5).long()
        return int(probabilities.argmax())


def make_heads(heads: Mapping[str, Mapping[str, Any]], in_features: int) -> nn.ModuleDict:
    """Build the heads of all tasks.

    Raises:
        UserError: There are none, or one is described wrongly.
    """
    if not heads:
        raise UserError(
            'the model has no heads; give heads=dict(<task>=dict(classes=[...])) or a dataset that has tasks'
        )
    built = nn.ModuleDict()
    for task, options in heads.items():
        if 'loss' in task or '.' in task or not task:
            raise UserError(
                f"heads: a task cannot be called {task!r}; 'loss' and '.' have a meaning in logs and weights"
            )
        try:
            built[task] = TaskHead(task, in_features, **options)
        except (TypeError, KeyError) as error:
            raise UserError(f'heads.{task}: {error}') from error
    return built


@torch.no_grad()
def decide_all(
    heads: Mapping[str, Any], logits: Mapping[str, torch.Tensor], data_samples: Sequence[FaceSample] | None
) -> list[FaceSample]:
    """Write probabilities and decisions of a batch into its samples.

    Args:
        heads: Task name to :class:`TaskHead`.
        logits: Task name to (B, C).
        data_samples: Samples to add ``scores`` and ``pred`` to; new ones where there are none.
    """
    samples = list(data_samples) if data_samples else [FaceSample() for _ in next(iter(logits.values()))]
    scores = {task: head.probabilities(logits[task]).cpu() for task, head in heads.items()}
    for i, sample in enumerate(samples):
        sample.scores = {task: probabilities[i] for task, probabilities in scores.items()}
        sample.pred = {task: heads[task].decide(value) for task, value in sample.scores.items()}
    return samples
