"""Random numbers from torch's global generator, the one that a data loader seeds in each worker."""

from __future__ import annotations

import torch


def uniform(low: float, high: float) -> float:
    """A number drawn evenly from [low, high)."""
    return low + (high - low) * torch.rand(()).item()


def happens(probability: float) -> bool:
    """True with the given probability."""
    return torch.rand(()).item() < probability


def integer(low: int, high: int) -> int:
    """A whole number drawn evenly from low to high, both included."""
    return int(torch.randint(low, high + 1, ()).item())
