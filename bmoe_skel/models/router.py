"""The router: which region to believe, step by step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

KINDS = ('attention', 'mean')


class CrossAttentionRouter(nn.Module):
    """Weigh the regions at every time step by single-head cross-attention.

    The query is the global stream's token, keys and values are the regions' tokens of the same step:
    ``w = softmax(q k^T / sqrt(D))`` over the regions that are seen, ``z = sum_r w_r v_r``. An unseen region has weight
    exactly 0; a step without any region has z = 0.

    Args:
        dims: D.
        top_k: Keep only the k largest weights of a step, renormalised; None keeps all (as the paper does).
        kind: 'attention', or 'mean' for equal weights over the seen regions (ablation).
        balance_weight: Weight of the penalty :func:`load_balance` in the loss; 0 for none.

    Raises:
        ValueError: ``kind`` is unknown, or ``top_k`` below 1.
    """

    def __init__(
        self, dims: int, top_k: int | None = None, kind: str = 'attention', balance_weight: float = 0.0
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f'unknown router kind {kind!r}; choose one of {KINDS}')
        if top_k is not None and top_k < 1:
            raise ValueError(f'top_k must be at least 1 or None, got {top_k}')
        self.top_k = top_k
        self.balance_weight = balance_weight
        self.kind = kind
        self.value = nn.Linear(dims, dims)
        if kind == 'attention':
            self.query = nn.Linear(dims, dims)
            self.key = nn.Linear(dims, dims)

    def forward(self, query: Tensor, regions: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Route.

        Args:
            query: (N, T, D), the global stream.
            regions: (N, T, R, D), the experts.
            seen: (N, T, R) bool.

        Returns:
            z (N, T, D) and weights (N, T, R), which sum to 1 where any region is seen.
        """
        if self.kind == 'mean':
            logits = torch.zeros(seen.shape, dtype=regions.dtype, device=regions.device)
        else:
            logits = torch.einsum('ntd,ntrd->ntr', self.query(query), self.key(regions)) / query.shape[-1] ** 0.5
        weights = masked_softmax(logits, self._chosen(logits, seen))
        return torch.einsum('ntr,ntrd->ntd', weights, self.value(regions)), weights

    def _chosen(self, logits: Tensor, seen: Tensor) -> Tensor:
        if self.top_k is None or self.top_k >= logits.shape[-1]:
            return seen
        best = logits.masked_fill(~seen, -torch.inf).topk(self.top_k, dim=-1).indices
        return seen & torch.zeros_like(seen).scatter(-1, best, True)


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension of what a mask lets through; the rest, and rows without any, are exactly 0.

    Args:
        logits: (..., R).
        mask: (..., R) bool.

    Returns:
        (..., R).
    """
    logits = logits.masked_fill(~mask, -1e4)
    return logits.softmax(-1) * mask


def load_balance(weights: Tensor, seen: Tensor) -> Tensor:
    """Penalty for a router that believes the same regions always: R times the sum of squared mean weights.

    After the importance loss of Shazeer et al. (2017): 1 when all regions share alike, R when one has all. Each
    step's weights are compared with an even share of the regions seen there.

    Args:
        weights: (N, T, R).
        seen: (N, T, R) bool.

    Returns:
        () the penalty, 1 at the best.
    """
    steps = seen.any(-1)
    count = steps.sum().clamp(min=1)
    mean = (weights * steps.unsqueeze(-1)).sum((0, 1)) / count
    return weights.shape[-1] * mean.square().sum()
