"""Random numbers of the transforms: from torch's global generator, or from one that a sample was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_generator: torch.Generator | None = None


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Draw from a generator of its own inside the block, so that a sample depends on nothing but these numbers.

    Args:
        *numbers: Whole numbers of at least 0, such as seed, epoch and index.
    """
    global _generator
    before = _generator
    _generator = torch.Generator().manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
    try:
        yield
    finally:
        _generator = before


def uniform(low: float, high: float) -> float:
    """A number drawn evenly from [low, high)."""
    return low + (high - low) * torch.rand((), generator=_generator).item()


def happens(probability: float) -> bool:
    """True with the given probability."""
    return torch.rand((), generator=_generator).item() < probability


def integer(low: int, high: int) -> int:
    """A whole number drawn evenly from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=_generator).item())


def normal(*shape: int) -> np.ndarray:
    """Standard normal noise, float32."""
    return torch.randn(shape, generator=_generator).numpy()
