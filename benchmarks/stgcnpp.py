"""ST-GCN++ (Duan et al. 2022, "PYSKL"), as the yardstick of the benchmark: it has no part in any model of ours.

Written from the paper's description; its parameters (1.39 M) and multiply-adds (1.95 G for two persons, 100 frames, 17
joints) agree with the published ones, which a test checks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pose_extract.skeletons import get_skeleton

_WIDTHS = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
_HALVED = (4, 7)
_DILATIONS = (1, 2, 3, 4)


def spatial_graphs(skeleton: str) -> Tensor:
    """Partition the skeleton as ST-GCN does: a joint itself, towards the root, away from the root.

    Args:
        skeleton: Name of the keypoint layout.

    Returns:
        (3, V, V) column-normalised adjacencies.
    """
    layout = get_skeleton(skeleton)
    inward = np.zeros((layout.num_keypoints,) * 2, dtype=np.float32)
    for parent, child in layout.edges:
        inward[child, parent] = 1
    graphs = np.stack([np.eye(len(inward), dtype=np.float32), inward, inward.T])
    return torch.from_numpy(graphs / np.maximum(graphs.sum(1, keepdims=True), 1))


class GraphConv(nn.Module):
    """Learned graphs that start from the skeleton, a convolution for each, and a residual."""

    def __init__(self, dims_in: int, dims_out: int, graphs: Tensor) -> None:
        super().__init__()
        self.graphs = nn.Parameter(graphs.clone())
        self.conv = nn.Conv2d(dims_in, dims_out * len(graphs), 1)
        self.bn = nn.BatchNorm2d(dims_out)
        self.down: nn.Module = nn.Identity()
        if dims_in != dims_out:
            self.down = nn.Sequential(nn.Conv2d(dims_in, dims_out, 1), nn.BatchNorm2d(dims_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        n, _, t, v = x.shape
        mixed = self.conv(x).view(n, len(self.graphs), -1, t, v)
        mixed = torch.einsum('nkctv,kvw->nctw', mixed, self.graphs)
        return torch.relu(self.bn(mixed) + self.down(x))


class MultiScaleConv(nn.Module):
    """Six temporal branches: four dilations, a maximum, and a plain projection."""

    def __init__(self, dims: int, stride: int) -> None:
        super().__init__()
        width = dims // 6
        first = dims - 5 * width

        def start(out: int) -> list[nn.Module]:
            return [nn.Conv2d(dims, out, 1), nn.BatchNorm2d(out), nn.ReLU()]

        branches: list[nn.Module] = []
        for i, dilation in enumerate(_DILATIONS):
            out = width if i else first
            conv = nn.Conv2d(out, out, (3, 1), (stride, 1), (dilation, 0), (dilation, 1))
            branches.append(nn.Sequential(*start(out), conv))
        branches.append(nn.Sequential(*start(width), nn.MaxPool2d((3, 1), (stride, 1), (1, 0))))
        branches.append(nn.Conv2d(dims, width, 1, (stride, 1)))
        self.branches = nn.ModuleList(branches)
        self.transform = nn.Sequential(nn.BatchNorm2d(dims), nn.ReLU(), nn.Conv2d(dims, dims, 1), nn.BatchNorm2d(dims))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C, T / stride, V)."""
        return self.transform(torch.cat([branch(x) for branch in self.branches], dim=1))


class Block(nn.Module):
    """Graph convolution, multi-scale temporal convolution, residual."""

    def __init__(self, dims_in: int, dims_out: int, graphs: Tensor, stride: int, residual: bool) -> None:
        super().__init__()
        self.graph = GraphConv(dims_in, dims_out, graphs)
        self.temporal = MultiScaleConv(dims_out, stride)
        self.residual: nn.Module | None = nn.Identity() if residual else None
        if residual and (dims_in != dims_out or stride > 1):
            conv = nn.Conv2d(dims_in, dims_out, 1, (stride, 1))
            self.residual = nn.Sequential(conv, nn.BatchNorm2d(dims_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T / stride, V)."""
        y = self.temporal(self.graph(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class STGCNPlusPlus(nn.Module):
    """The ten-block network with its classifier.

    Args:
        skeleton: Name of the keypoint layout.
        num_classes: C.
        channels: Channels of a keypoint.
    """

    def __init__(self, skeleton: str = 'coco17', num_classes: int = 60, channels: int = 3) -> None:
        super().__init__()
        graphs = spatial_graphs(skeleton)
        self.bn = nn.BatchNorm1d(channels * graphs.shape[1])
        blocks = []
        before = channels
        for i, width in enumerate(_WIDTHS):
            blocks.append(Block(before, width, graphs, 2 if i in _HALVED else 1, residual=i > 0))
            before = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(before, num_classes)

    def bodies(self, keypoint: Tensor) -> Tensor:
        """Describe every body.

        Args:
            keypoint: (N, M, T, V, C).

        Returns:
            (N, M, D), the mean over frames and keypoints of the last block's output.
        """
        n, m, t, v, c = keypoint.shape
        x = keypoint.permute(0, 1, 3, 4, 2).reshape(n * m, v * c, t)
        x = self.bn(x).view(n * m, v, c, t).permute(0, 2, 3, 1)
        return self.blocks(x).mean((2, 3)).view(n, m, -1)

    def forward(self, keypoint: Tensor) -> Tensor:
        """Classify.

        Args:
            keypoint: (N, M, T, V, C).

        Returns:
            (N, num_classes) logits.
        """
        return self.classifier(self.bodies(keypoint).mean(1))
