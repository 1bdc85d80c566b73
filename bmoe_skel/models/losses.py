"""Losses: one label or several, and the long tail of rare classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from bmoe_ground.errors import UserError

BALANCES = (None, 'class_balanced', 'logit_adjusted')


class ActionLoss(nn.Module):
    """Cross-entropy for one label a clip, binary cross-entropy for several.

    Args:
        num_classes: C.
        multi_label: Whether targets are 0/1 vectors.
        label_smoothing: Share of the target spread evenly over all classes (one label only).
        balance: None; 'class_balanced' weighs a class by (1 - beta) / (1 - beta^n), scaled to mean 1 (Cui et al.
            2019); 'logit_adjusted' adds tau log(prior) to the logits in training (Menon et al. 2021).
        class_counts: Training clips of each class; needed for ``balance``.
        beta: For 'class_balanced'.
        tau: For 'logit_adjusted'.

    Raises:
        UserError: ``balance`` is unknown, or the counts are missing or of another length.
    """

    weight: Tensor
    adjustment: Tensor

    def __init__(
        self,
        num_classes: int,
        multi_label: bool = False,
        label_smoothing: float = 0.0,
        balance: str | None = None,
        class_counts: Sequence[int] | None = None,
        beta: float = 0.999,
        tau: float = 1.0,
    ) -> None:
        super().__init__()
        if balance not in BALANCES:
            raise UserError(f'unknown loss balance {balance!r}; choose one of {BALANCES}')
        self.multi_label, self.label_smoothing, self.balance = multi_label, label_smoothing, balance
        weight, adjustment = torch.ones(num_classes), torch.zeros(num_classes)
        if balance is not None:
            if class_counts is None or len(class_counts) != num_classes:
                found = None if class_counts is None else len(class_counts)
                raise UserError(f'loss balance {balance!r} needs class_counts of {num_classes} classes, got {found}')
            counts = torch.tensor(list(class_counts), dtype=torch.float64).clamp(min=1)
            if balance == 'class_balanced':
                weight = (1 - beta) / (1 - beta**counts)
                weight = (weight / weight.mean()).float()
            else:
                adjustment = (tau * (counts / counts.sum()).log()).float()
        self.register_buffer('weight', weight, persistent=False)
        self.register_buffer('adjustment', adjustment, persistent=False)

    def forward(self, logits: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Compute the mean loss.

        Args:
            logits: (B, C).
            target: (B,) int64, or (B, C) float 0/1.
            sample_weight: (B,) factor on each clip's loss; the mean is over their sum.

        Returns:
            () the loss.
        """
        logits = logits.float()
        if self.multi_label:
            loss = F.binary_cross_entropy_with_logits(
                logits + self.adjustment, target.float(), weight=self.weight, reduction='none'
            ).mean(-1)
            clip_weight = torch.ones_like(loss)
        else:
            loss = F.cross_entropy(
                logits + self.adjustment, target, label_smoothing=self.label_smoothing, reduction='none'
            )
            clip_weight = self.weight[target]
        if sample_weight is not None:
            clip_weight = clip_weight * sample_weight
        return (loss * clip_weight).sum() / clip_weight.sum().clamp(min=1e-6)


def tree_log_probabilities(coarse: Tensor, fine: Tensor, parents: Tensor) -> tuple[Tensor, Tensor]:
    """Log marginals of a two-level class tree (Chen et al. 2022, hierarchical residual network, eq. 4-6).

    Legal states are: nothing; a coarse class alone; a fine class with its parent. A state's potential is the
    exponential of the sum of the logits that are on.

    Args:
        coarse: (B, P) logits.
        fine: (B, C) logits.
        parents: (C,) int64, the coarse class of each fine class.

    Returns:
        Log marginal of each coarse class (B, P) and of each fine class (B, C).
    """
    joint = fine + coarse[:, parents]
    nothing = torch.zeros(len(coarse), 1, dtype=coarse.dtype, device=coarse.device)
    partition = torch.logsumexp(torch.cat([nothing, coarse, joint], dim=1), dim=1, keepdim=True)
    members = [torch.nonzero(parents == p).flatten() for p in range(coarse.shape[1])]
    below = torch.stack(
        [
            torch.logsumexp(torch.cat([coarse[:, p : p + 1], joint[:, members[p]]], dim=1), dim=1)
            for p in range(coarse.shape[1])
        ],
        dim=1,
    )
    return below - partition, joint - partition


class TreeLoss(nn.Module):
    """Negative log marginal of the labelled action and of its body part, see :func:`tree_log_probabilities`.

    Args:
        parents: The body part of each class.
    """

    parents: Tensor

    def __init__(self, parents: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer('parents', torch.tensor(list(parents), dtype=torch.long), persistent=False)

    def forward(self, coarse: Tensor, fine: Tensor, target: Tensor) -> Tensor:
        """Compute the mean loss.

        Args:
            coarse: (B, P) logits of the body parts.
            fine: (B, C) logits of the actions.
            target: (B,) int64 action.

        Returns:
            () the loss.
        """
        coarse_log, fine_log = tree_log_probabilities(coarse.float(), fine.float(), self.parents)
        return F.nll_loss(fine_log, target) + F.nll_loss(coarse_log, self.parents[target])
