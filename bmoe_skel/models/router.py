"""The router: which region to believe, step by step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

KINDS = ('attention', 'mean')
_LEAST = 1e-6  # a weight below this counts as this before its logarithm is taken


class Routed(NamedTuple):
    """What a router makes of the experts' tokens; N bodies, T steps, R regions.

    Attributes:
        tokens: (N, T, D), the weighted sum.
        weights: (N, T, R), how much each region is believed: 1 in sum where any region is seen.
        dense: (N, T, R), the softmax over all seen regions, before a router with ``top_k`` chooses; what the penalties
            are computed from. The same as ``weights`` where nothing is chosen.
    """

    tokens: Tensor
    weights: Tensor
    dense: Tensor


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
        gate: With ``top_k``, scale the sum by the share that the chosen regions had before the choice (Switch, Fedus et
            al. 2021). Without it a single chosen region has weight 1 whatever the query says, so that ``top_k=1``
            learns nothing from the class.
        relations: Let the regions of a step attend to each other before they are weighed, so that how much one is
            believed depends on what the others show. The keys change; the values stay each region's own, so that a
            weight still says whose evidence it lets through.
        region_weight: Weight of the penalty :func:`region_loss` in the loss, which needs the regions of the classes;
            0 for none.

    Raises:
        ValueError: ``kind`` is unknown, ``top_k`` below 1, or ``gate`` without ``top_k``.
    """

    def __init__(
        self,
        dims: int,
        top_k: int | None = None,
        kind: str = 'attention',
        balance_weight: float = 0.0,
        gate: bool = False,
        relations: bool = False,
        region_weight: float = 0.0,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f'unknown router kind {kind!r}; choose one of {KINDS}')
        if top_k is not None and top_k < 1:
            raise ValueError(f'top_k must be at least 1 or None, got {top_k}')
        if gate and top_k is None:
            raise ValueError('gate scales what top_k chooses: give top_k too')
        self.top_k = top_k
        self.balance_weight = balance_weight
        self.gate = gate
        self.region_weight = region_weight
        self.kind = kind
        self.value = nn.Linear(dims, dims)
        if kind == 'attention':
            self.query = nn.Linear(dims, dims)
            self.key = nn.Linear(dims, dims)
            self.relations = RegionRelations(dims) if relations else None

    def forward(self, query: Tensor, regions: Tensor, seen: Tensor) -> Routed:
        """Route.

        Args:
            query: (N, T, D), the global stream.
            regions: (N, T, R, D), the experts.
            seen: (N, T, R) bool.

        Returns:
            The weighted sum and the weights.
        """
        if self.kind == 'mean':
            logits = torch.zeros(seen.shape, dtype=regions.dtype, device=regions.device)
        else:
            asked = regions if self.relations is None else self.relations(regions, seen)
            logits = torch.einsum('ntd,ntrd->ntr', self.query(query), self.key(asked)) / query.shape[-1] ** 0.5
        dense = masked_softmax(logits, seen)
        weights = dense if self._keeps_all(logits) else masked_softmax(logits, self._chosen(logits, seen))
        tokens = torch.einsum('ntr,ntrd->ntd', weights, self.value(regions))
        if self.gate:
            tokens = tokens * (dense * (weights > 0)).sum(-1, keepdim=True)
        return Routed(tokens, weights, dense)

    def _keeps_all(self, logits: Tensor) -> bool:
        return self.top_k is None or self.top_k >= logits.shape[-1]

    def _chosen(self, logits: Tensor, seen: Tensor) -> Tensor:
        best = logits.masked_fill(~seen, -torch.inf).topk(self.top_k or 1, dim=-1).indices
        return seen & torch.zeros_like(seen).scatter(-1, best, True)


class RegionRelations(nn.Module):
    """Single-head self-attention among the regions of a step, with a residual.

    ``y_r = x_r + W sum_s a_rs v_s`` with ``a_r = softmax_s(q_r k_s^T / sqrt(D))`` over the seen regions and q, k, v of
    the normalised tokens. Which region is which is known from its expert, whose weights are its own.

    Args:
        dims: D.
    """

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dims)
        self.mix = nn.Linear(dims, 3 * dims)
        self.out = nn.Linear(dims, dims)

    def forward(self, regions: Tensor, seen: Tensor) -> Tensor:
        """Relate the regions.

        Args:
            regions: (N, T, R, D).
            seen: (N, T, R) bool.

        Returns:
            (N, T, R, D).
        """
        query, key, value = self.mix(self.norm(regions)).chunk(3, -1)
        logits = torch.einsum('ntrd,ntsd->ntrs', query, key) / regions.shape[-1] ** 0.5
        weights = masked_softmax(logits, seen.unsqueeze(-2).expand_as(logits))
        return regions + self.out(torch.einsum('ntrs,ntsd->ntrd', weights, value))


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


def load_balance(routed: Routed, seen: Tensor) -> Tensor:
    """Penalty for a router that believes the same regions always.

    R times the sum over regions of ``f_r p_r``, where p is the mean of the dense weights over the steps in which any
    region is seen, and f what is let through. Where all are let through f is p, the importance loss of Shazeer et al.
    (2017); where ``top_k`` chooses, f is the share of the choices that fall on the region, which has no gradient, as in
    Switch (Fedus et al. 2021).

    Args:
        routed: Of a router.
        seen: (N, T, R) bool.

    Returns:
        () the penalty: 1 when all regions share alike, R when one has all.
    """
    steps = seen.any(-1)
    count = steps.sum().clamp(min=1)
    mean = (routed.dense * steps.unsqueeze(-1)).sum((0, 1)) / count
    if routed.dense is routed.weights:
        return mean.shape[-1] * mean.square().sum()
    chosen = (routed.weights.detach() > 0).to(mean.dtype).sum((0, 1))
    return mean.shape[-1] * (chosen / chosen.sum().clamp(min=1) * mean).sum()


def region_loss(weights: Tensor, seen: Tensor, wanted: Tensor) -> Tensor:
    """Penalty for believing other regions than those that show the class.

    Minus the logarithm of what the wanted regions together are believed, on average over the steps of a body. Bodies
    whose class has no known region, or of whom no wanted region is seen, do not count.

    Args:
        weights: (N, T, R) of a router, before it chooses.
        seen: (N, T, R) bool.
        wanted: (N, R) bool, the regions that show the body's class.

    Returns:
        () the mean over the bodies that count; 0 where none does.
    """
    steps = seen.any(-1, keepdim=True)
    believed = (weights * steps).sum(1) / steps.sum(1).clamp(min=1)
    counts = (wanted & seen.any(1)).any(-1)
    loss = -(believed * wanted).sum(-1).clamp(min=_LEAST).log()
    return (loss * counts).sum() / counts.sum().clamp(min=1)
