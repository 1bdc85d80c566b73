"""CTR-GCN (Chen et al. 2021, "Channel-wise topology refinement graph convolution"), as a yardstick.

It has no part in any model of ours. Written anew from the paper's equations; its parameters (1.46 M) and multiply-adds
(1.97 G for two persons, 64 frames, the 25 joints of NTU) agree with the published ones, which a test checks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.stgcnpp import spatial_graphs

_WIDTHS = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
_HALVED = (4, 7)
_DILATIONS = (1, 2)
_KERNEL = 5
_REDUCTION = 8  # channels in which two joints are compared, as a share of those that come in


def _conv(dims_in: int, dims_out: int, stride: int = 1, kernel: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution over time, started as its authors start it."""
    padding = dilation * (kernel - 1) // 2
    conv = nn.Conv2d(dims_in, dims_out, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1))
    nn.init.kaiming_normal_(conv.weight, mode='fan_out')
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv


class RefinedConv(nn.Module):
    """One graph, refined for each channel and clip by how two joints differ.

    ``A_c = A + alpha * W tanh(a(x_u) - b(x_v))`` with ``a`` and ``b`` averaged over time; ``y_u = sum_v A_c[u, v] x_v``
    of each channel c.
    """

    def __init__(self, dims_in: int, dims_out: int) -> None:
        super().__init__()
        inner = dims_in // _REDUCTION if dims_in >= 4 * _REDUCTION else _REDUCTION  # of coordinates, eight
        self.here, self.there = _conv(dims_in, inner), _conv(dims_in, inner)
        self.value = _conv(dims_in, dims_out)
        self.refine = _conv(inner, dims_out)

    def forward(self, x: Tensor, graph: Tensor, alpha: Tensor) -> Tensor:
        """(N, C, T, V) and (V, V) -> (N, C', T, V)."""
        here, there = self.here(x).mean(2), self.there(x).mean(2)  # (N, inner, V)
        differences = torch.tanh(here.unsqueeze(3) - there.unsqueeze(2))
        graphs = alpha * self.refine(differences) + graph  # (N, C', V, V)
        return torch.einsum('ncuv,nctv->nctu', graphs, self.value(x))


class GraphConv(nn.Module):
    """Three learned graphs that start from the skeleton, and a residual; the sum starts near 0."""

    def __init__(self, dims_in: int, dims_out: int, graphs: Tensor) -> None:
        super().__init__()
        self.graphs = nn.Parameter(graphs.clone())
        self.alpha = nn.Parameter(torch.zeros(1))
        self.convs = nn.ModuleList(RefinedConv(dims_in, dims_out) for _ in graphs)
        self.bn = nn.BatchNorm2d(dims_out)
        nn.init.constant_(self.bn.weight, 1e-6)
        self.down: nn.Module = nn.Identity()
        if dims_in != dims_out:
            self.down = nn.Sequential(_conv(dims_in, dims_out), nn.BatchNorm2d(dims_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        convs = zip(self.convs, self.graphs, strict=True)
        mixed = torch.stack([conv(x, graph, self.alpha) for conv, graph in convs]).sum(0)
        return torch.relu(self.bn(mixed) + self.down(x))


class MultiScaleConv(nn.Module):
    """Four temporal branches: two dilations, a maximum, and a plain projection."""

    def __init__(self, dims: int, stride: int) -> None:
        super().__init__()
        width = dims // (len(_DILATIONS) + 2)

        def start() -> list[nn.Module]:
            return [_conv(dims, width), nn.BatchNorm2d(width), nn.ReLU()]

        ends: list[nn.Module] = [_conv(width, width, stride, _KERNEL, dilation) for dilation in _DILATIONS]
        ends.append(nn.MaxPool2d((3, 1), (stride, 1), (1, 0)))
        branches = [nn.Sequential(*start(), end, nn.BatchNorm2d(width)) for end in ends]
        branches.append(nn.Sequential(_conv(dims, width, stride), nn.BatchNorm2d(width)))
        self.branches = nn.ModuleList(branches)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C, T / stride, V)."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Block(nn.Module):
    """Graph convolution, multi-scale temporal convolution, residual."""

    def __init__(self, dims_in: int, dims_out: int, graphs: Tensor, stride: int, residual: bool) -> None:
        super().__init__()
        self.graph = GraphConv(dims_in, dims_out, graphs)
        self.temporal = MultiScaleConv(dims_out, stride)
        self.residual: nn.Module | None = nn.Identity() if residual else None
        if residual and (dims_in != dims_out or stride > 1):
            self.residual = nn.Sequential(_conv(dims_in, dims_out, stride), nn.BatchNorm2d(dims_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T / stride, V)."""
        y = self.temporal(self.graph(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class CTRGCN(nn.Module):
    """The ten-block network with its classifier.

    Args:
        skeleton: Name of the keypoint layout.
        num_classes: C.
        channels: Channels of a keypoint.
        persons: M of every clip: each person's place in a clip has statistics of its own in the first normalisation.
    """

    def __init__(self, skeleton: str = 'ntu25', num_classes: int = 60, channels: int = 3, persons: int = 2) -> None:
        super().__init__()
        graphs = spatial_graphs(skeleton)  # a joint gives in all what it has: columns, read as sources here, sum to 1
        self.bn = nn.BatchNorm1d(persons * channels * graphs.shape[1])
        blocks = []
        before = channels
        for i, width in enumerate(_WIDTHS):
            blocks.append(Block(before, width, graphs, 2 if i in _HALVED else 1, residual=i > 0))
            before = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(before, num_classes)
        nn.init.normal_(self.classifier.weight, 0, (2 / num_classes) ** 0.5)

    def bodies(self, keypoint: Tensor) -> Tensor:
        """Describe every body.

        Args:
            keypoint: (N, M, T, V, C).

        Returns:
            (N, M, D), the mean over frames and keypoints of the last block's output.
        """
        n, m, t, v, c = keypoint.shape
        x = self.bn(keypoint.permute(0, 1, 3, 4, 2).reshape(n, m * v * c, t))
        x = x.view(n * m, v, c, t).permute(0, 2, 3, 1)
        return self.blocks(x).mean((2, 3)).view(n, m, -1)

    def forward(self, keypoint: Tensor) -> Tensor:
        """Classify.

        Args:
            keypoint: (N, M, T, V, C).

        Returns:
            (N, num_classes) logits.
        """
        return self.classifier(self.bodies(keypoint).mean(1))
