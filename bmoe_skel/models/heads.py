"""From a clip's feature to its action and the part of the body that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npy
from bmoe_skel.models.losses import ActionLoss, TreeLoss

BODY_MODES = (None, 'derived', 'own')


class ActionHead(nn.Module):
    """Classify clips; with a class map also by body part, and optionally embed them beside their label's word vector.

    Args:
        dims: Channels of a clip's feature.
        num_classes: C.
        multi_label: Whether a clip may have several labels.
        drop: Dropout before the classifier.
        loss: Further arguments of :class:`ActionLoss`.
        body_parts: Body part of each class (C ints), or None.
        body_mode: None for no body-level answer; 'derived' sums the actions' probabilities; 'own' has a classifier of
            its own with a tree loss.
        tree_weight: Weight of the tree loss.
        label_embeddings: ``.npy`` file of (C, E) word vectors of the labels, or None.
        embedding_weight: Weight of the mean squared error to the label's vector (50 in MANet, Guo et al. 2024).
        side_weight: Weight of the losses of the classifiers that a mixture gives each of its parts in training; 0 for
            no such classifiers. A model without parts ignores it.

    Raises:
        UserError: Class map or embeddings do not fit ``num_classes``.
    """

    parts: Tensor
    label_vectors: Tensor
    body_classifier: nn.Linear
    tree_loss: TreeLoss

    def __init__(
        self,
        dims: int,
        num_classes: int,
        multi_label: bool = False,
        drop: float = 0.0,
        loss: dict[str, Any] | None = None,
        body_parts: Sequence[int] | None = None,
        body_mode: str | None = None,
        tree_weight: float = 0.5,
        label_embeddings: str | None = None,
        embedding_weight: float = 50.0,
        side_weight: float = 0.2,
    ) -> None:
        super().__init__()
        self.multi_label = multi_label
        self.side_weight = side_weight
        self.drop = nn.Dropout(drop)
        self.classifier = nn.Linear(dims, num_classes)
        self.loss = ActionLoss(num_classes, multi_label=multi_label, **(loss or {}))
        self._init_body(dims, num_classes, body_parts, body_mode, tree_weight)
        self._init_embedding(dims, num_classes, label_embeddings, embedding_weight)

    def _init_body(
        self, dims: int, num_classes: int, parts: Sequence[int] | None, mode: str | None, tree_weight: float
    ) -> None:
        if mode not in BODY_MODES:
            raise UserError(f'unknown body_mode {mode!r}; choose one of {BODY_MODES}')
        self.body_mode, self.tree_weight = mode, tree_weight
        if mode is None:
            return
        if parts is None or len(parts) != num_classes:
            found = 'none' if parts is None else f'{len(parts)} classes'
            raise UserError(f'body_mode {mode!r} needs the body part of each of {num_classes} classes, got {found}')
        self.register_buffer('parts', torch.tensor(list(parts), dtype=torch.long), persistent=False)
        if mode == 'own':
            if self.multi_label:
                raise UserError("body_mode 'own' is for one label a clip; use 'derived' for several")
            self.body_classifier = nn.Linear(dims, int(max(parts)) + 1)
            self.tree_loss = TreeLoss(parts)

    def _init_embedding(self, dims: int, num_classes: int, path: str | None, weight: float) -> None:
        self.embedding_weight = weight
        self.embedder: nn.Module | None = None
        if path is None:
            return
        vectors = load_label_embeddings(path, num_classes)
        self.register_buffer('label_vectors', vectors, persistent=False)
        size = vectors.shape[1]
        self.embedder = nn.Sequential(nn.Linear(dims, size), nn.Tanh(), nn.Linear(size, size))

    def forward(self, feature: Tensor) -> Tensor:
        """(B, D) -> (B, C) logits."""
        return self.classifier(self.drop(feature))

    def losses(self, feature: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> dict[str, Tensor]:
        """Compute the losses that the head has.

        Args:
            feature: (B, D).
            target: (B,) int64, or (B, C) 0/1.
            sample_weight: (B,) factor on each clip's classification loss.

        Returns:
            ``loss_cls``, and ``loss_tree`` and ``loss_embedding`` where configured.
        """
        logits = self(feature)
        losses = {'loss_cls': self.loss(logits, target, sample_weight)}
        if self.body_mode == 'own':
            losses['loss_tree'] = self.tree_weight * self.tree_loss(self.body_classifier(feature), logits, target)
        if self.embedder is not None:
            wanted = target.float() @ self.label_vectors if self.multi_label else self.label_vectors[target]
            losses['loss_embedding'] = self.embedding_weight * F.mse_loss(self.embedder(feature).float(), wanted)
        return losses

    def scores(self, logits: Tensor) -> Tensor:
        """(B, C) logits -> (B, C) probabilities, by softmax or, for several labels, sigmoid."""
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)

    def body_scores(self, feature: Tensor, scores: Tensor) -> Tensor | None:
        """Body-level answer.

        Args:
            feature: (B, D).
            scores: (B, C) probabilities of the actions.

        Returns:
            (B, P) probabilities, or None where the head has no class map.
        """
        if self.body_mode is None:
            return None
        if self.body_mode == 'own':
            return self.body_classifier(feature).softmax(-1)
        parts = int(self.parts.max()) + 1
        if self.multi_label:
            index = self.parts.expand_as(scores)
            return scores.new_zeros(len(scores), parts).scatter_reduce(1, index, scores, 'amax')
        return scores.new_zeros(len(scores), parts).index_add(1, self.parts, scores)


def load_label_embeddings(path: str, num_classes: int) -> Tensor:
    """Read the word vectors of the labels.

    Args:
        path: ``.npy`` of (C, E) numbers.
        num_classes: C.

    Returns:
        (C, E) float32.

    Raises:
        UserError: The file is missing, has another shape or holds other things than finite numbers.
    """
    try:
        vectors = load_npy(path)
    except UserError as error:
        raise UserError(f'label embeddings {path} cannot be read: {error}') from error
    if vectors.dtype.kind not in 'fiu':
        raise UserError(f'label embeddings {path} hold {vectors.dtype}, expected numbers')
    if vectors.ndim != 2 or len(vectors) != num_classes or not vectors.size:
        raise UserError(f'label embeddings {path} have shape {vectors.shape}, expected ({num_classes}, E)')
    if not np.isfinite(vectors).all():
        raise UserError(f'label embeddings {path} hold NaN or infinite numbers')
    return torch.from_numpy(vectors.astype(np.float32))
