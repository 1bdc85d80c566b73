"""The embedding in front of an expert: joints of one region, mixed in space and time, pooled to one token a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from bmoe_skel.models.layers import DropPath, Mlp, masked_mean

_ATTENTION_DIMS = 4


def normalized_adjacency(num_joints: int, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Row-normalised adjacency with self-loops, the start of the learned graph.

    Args:
        num_joints: V.
        edges: Pairs of joints, in either direction.

    Returns:
        (V, V) float32, rows sum to 1.
    """
    adjacency = np.eye(num_joints, dtype=np.float32)
    for i, j in edges:
        adjacency[i, j] = adjacency[j, i] = 1
    return adjacency / adjacency.sum(1, keepdims=True)


class GraphMixing(nn.Module):
    """Mix joints by a learned graph plus an attention graph of the clip, a graph for each group of channels.

    The static graphs start as the skeleton; the clip's graph is an attention between joints, from features averaged
    over time, weighted by a learned gate that starts at 0 (after DG-STGCN, Duan et al. 2022).

    Args:
        dims: Channels.
        num_joints: V.
        edges: Bones between the V joints.
        heads: Groups of channels with a graph of their own.
    """

    def __init__(self, dims: int, num_joints: int, edges: Sequence[tuple[int, int]], heads: int = 8) -> None:
        super().__init__()
        if dims % heads:
            raise ValueError(f'dims {dims} must be a multiple of heads {heads}')
        self.heads = heads
        start = torch.from_numpy(normalized_adjacency(num_joints, edges))
        # half of the groups start from the bones, half from the joint itself, so that identity is never lost
        graphs = torch.stack([start if head % 2 else torch.eye(num_joints) for head in range(heads)])
        self.graph = nn.Parameter(graphs + 0.02 * torch.randn_like(graphs))
        self.query_key = nn.Linear(dims, 2 * heads * _ATTENTION_DIMS)
        self.gate = nn.Parameter(torch.zeros(heads, 1, 1))

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """Mix.

        Args:
            x: (N, T, V, C), 0 for invisible joints.
            visible: (N, T, V) bool.

        Returns:
            (N, T, V, C).
        """
        n, t, v, c = x.shape
        pooled = masked_mean(x, visible.unsqueeze(-1), dim=1)
        query, key = self.query_key(pooled).view(n, v, 2, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (N, H, V, 4)
        logits = query @ key.transpose(-1, -2) / _ATTENTION_DIMS**0.5
        seen = visible.any(1)[:, None, None, :]
        attention = logits.masked_fill(~seen, -1e4).softmax(-1)
        graph = self.graph + self.gate * attention  # (N, H, V, V)
        grouped = x.view(n, t, v, self.heads, c // self.heads)
        return torch.einsum('nhvw,ntwhc->ntvhc', graph, grouped).reshape(n, t, v, c)


class JointBlock(nn.Module):
    """Mix joints, then time, then channels; residual throughout.

    Args:
        dims: Channels.
        num_joints: V.
        edges: Bones between the V joints.
        heads: Graphs.
        kernel: Size of the depthwise convolution over time, odd.
        expansion: Width of the MLP over ``dims``.
        drop_path: Chance to skip a residual branch, a sample at a time, in training.
    """

    def __init__(
        self,
        dims: int,
        num_joints: int,
        edges: Sequence[tuple[int, int]],
        heads: int = 8,
        kernel: int = 7,
        expansion: float = 2.0,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dims)
        self.graph = GraphMixing(dims, num_joints, edges, heads)
        self.spatial = nn.Linear(dims, dims)
        self.temporal = nn.Conv2d(dims, dims, (kernel, 1), padding=(kernel // 2, 0), groups=dims)
        self.out = nn.Linear(dims, dims)
        self.mlp = Mlp(dims, int(dims * expansion))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """Mix.

        Args:
            x: (N, T, V, C), 0 for invisible joints.
            visible: (N, T, V) bool.

        Returns:
            (N, T, V, C), 0 for invisible joints.
        """
        mask = visible.unsqueeze(-1)
        y = self.spatial(self.graph(self.norm(x) * mask, visible)) * mask
        # (N, T, V, C) seen as (N, C, T, V) is in channels-last order: no copy is made
        y = F.gelu(y + self.temporal(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        x = x + self.drop_path(self.out(y))
        return (x + self.drop_path(self.mlp(x))) * mask


class JointStage(nn.ModuleList):
    """Blocks of one width, one after the other."""

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """(N, T, V, C) and (N, T, V) bool -> (N, T, V, C)."""
        for block in self:
            x = block(x, visible)
        return x


class JointEncoder(nn.Module):
    """Embed the joints of one region, or of the whole body, as one token for each (halved) time step.

    Args:
        in_channels: Input channels of a joint.
        joints: The joints it sees, as indices into the skeleton.
        edges: Bones of the skeleton; those between two of ``joints`` are used.
        out_dims: Channels of a token.
        dims: Channels of each stage; between two stages time is halved.
        depths: Blocks of each stage.
        groups: Sets of joints (indices into the skeleton) that are pooled apart, so that a token says where on the
            body it saw something; None pools all joints together.
        columns: Which of the ``in_channels`` are looked at; None for all.
        heads: Graphs of a block.
        drop_path: Chance to skip a branch in the last block; rises linearly from 0.

    Raises:
        ValueError: ``dims`` and ``depths`` differ in length, or a column is none of the ``in_channels``.
    """

    joints: Tensor
    columns: Tensor

    def __init__(
        self,
        in_channels: int,
        joints: Sequence[int],
        edges: Sequence[tuple[int, int]],
        out_dims: int,
        dims: Sequence[int] = (48, 64),
        depths: Sequence[int] = (1, 1),
        groups: Sequence[Sequence[int]] | None = None,
        heads: int = 8,
        drop_path: float = 0.0,
        columns: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if len(dims) != len(depths):
            raise ValueError(f'dims {tuple(dims)} and depths {tuple(depths)} must have the same length')
        columns = list(range(in_channels) if columns is None else columns)
        if not all(0 <= column < in_channels for column in columns):
            raise ValueError(f'columns {min(columns)} to {max(columns)} are not all among {in_channels} channels')
        order = {joint: i for i, joint in enumerate(joints)}
        inner = [(order[i], order[j]) for i, j in edges if i in order and j in order]
        # stored with the weights, so that those of another region or skeleton are told apart
        self.register_buffer('joints', torch.tensor(list(joints), dtype=torch.long))
        self.register_buffer('columns', torch.tensor(columns), persistent=False)
        self.chooses = columns != list(range(in_channels))
        self.embed = nn.Linear(len(columns), dims[0])
        self.identity = nn.Parameter(0.02 * torch.randn(len(joints), dims[0]))
        rates = iter(np.linspace(0, drop_path, sum(depths)).tolist())
        self.stages = nn.ModuleList(
            JointStage([JointBlock(d, len(joints), inner, heads, drop_path=next(rates)) for _ in range(depth)])
            for d, depth in zip(dims, depths, strict=True)
        )
        self.widen = nn.ModuleList(nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:], strict=True))
        self.groups = [[order[joint] for joint in group] for group in groups or [joints]]
        self.norm = nn.LayerNorm(dims[-1])
        self.pool = nn.Linear(2 * len(self.groups) * dims[-1], out_dims)

    @property
    def stride(self) -> int:
        """Frames a token stands for."""
        return 2 ** len(self.widen)

    def forward(self, features: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Embed.

        Args:
            features: (N, T, V, F) of the whole skeleton.
            visible: (N, T, V) bool.

        Returns:
            tokens (N, T', D), and which of them show at least one joint, (N, T') bool. T' = ceil(T / stride).
        """
        seen = visible[:, :, self.joints]
        channels = features.index_select(2, self.joints)
        if self.chooses:  # choosing columns is slow
            channels = channels.index_select(3, self.columns)
        x = (self.embed(channels) + self.identity) * seen.unsqueeze(-1)
        for i, stage in enumerate(self.stages):
            if i:
                x, seen = halve_time(x, seen)
                x = self.widen[i - 1](x) * seen.unsqueeze(-1)
            x = stage(x, seen)
        x = self.norm(x)
        pooled: list[Tensor] = []
        for group in self.groups:
            part, mask = x[:, :, group], seen[:, :, group].unsqueeze(-1)
            largest = part.masked_fill(~mask, -torch.inf).amax(2)
            pooled += [masked_mean(part, mask, dim=2), largest.masked_fill(~mask.any(2), 0)]
        token = self.pool(torch.cat(pooled, dim=-1))
        shown = seen.any(2)
        return token * shown.unsqueeze(-1), shown


def halve_time(x: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Average pairs of frames over what is visible in them; the last frame of an odd clip stands alone.

    Args:
        x: (N, T, V, C).
        visible: (N, T, V) bool.

    Returns:
        x (N, ceil(T / 2), V, C) and visible (N, ceil(T / 2), V).
    """
    if x.shape[1] % 2:
        x, visible = F.pad(x, (0, 0, 0, 0, 0, 1)), F.pad(visible, (0, 0, 0, 1))
    n, t, v, c = x.shape
    pairs, seen = x.view(n, t // 2, 2, v, c), visible.view(n, t // 2, 2, v)
    return masked_mean(pairs, seen.unsqueeze(-1), dim=2), seen.any(2)
