"""The texture descriptors by the names that variants give them, such as the ``LDP`` of ``'MRGB/RLDP/CRGB'``.

A line of :data:`DESCRIPTORS` is all that a new operator needs: inputs, reconstruction targets, the names of variants,
the benchmark and the page of operators are derived from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from bmoe_ground.errors import UserError
from face_aux.textures.directional import local_directional_number, local_directional_pattern
from face_aux.textures.lbp import center_symmetric_lbp, local_binary_pattern, n_labels

RESERVED = ('RGB', 'HOG')
"""Names in variants that are no pattern."""


@dataclass(frozen=True)
class Descriptor:
    """A texture operator and what is to be known of its codes.

    Attributes:
        operator: Grey images (N, H, W) uint8, and options, to codes (N, H, W) of an integer type.
        labels: Number of codes (the largest + 1), or a function of the options that gives it.
        options: Options that are set unless a config says otherwise.
        edges: Whether the codes come from Kirsch's edge responses, which can then be reconstructed in their place.
        what: What the operator does, for the page.
        codes: Which codes there are, for the page.
    """

    operator: Callable[..., torch.Tensor]
    labels: int | Callable[..., int]
    options: Mapping[str, Any] = field(default_factory=dict)
    edges: bool = False
    what: str = ''
    codes: str = ''

    def count_labels(self, options: Mapping[str, Any]) -> int:
        """Number of codes under these options.

        Args:
            options: All options that the operator is called with.
        """
        return self.labels if isinstance(self.labels, int) else self.labels(**options)


DESCRIPTORS: dict[str, Descriptor] = {
    'LBP': Descriptor(
        local_binary_pattern,
        labels=lambda P, method='default', **_: n_labels(int(P), str(method)),
        options={'P': 8, 'R': 1.0},
        what='which of P points on a circle of radius R are at least as bright as the centre; methods `default`, '
        '`ror`, `uniform`, `nri_uniform`',
        codes='2^P, 2^P, P + 2, P(P-1) + 3',
    ),
    'LDP': Descriptor(
        local_directional_pattern,
        labels=256,
        edges=True,
        what='which k absolute responses are the largest',
        codes="256, or C(8, k) with `ties='first'`",
    ),
    'LDN': Descriptor(
        local_directional_number,
        labels=64,
        edges=True,
        what='8 · direction of the largest + direction of the smallest response',
        codes='0 to 62',
    ),
    'CSLBP': Descriptor(
        center_symmetric_lbp,
        labels=lambda P=8, **_: 2 ** (int(P) // 2),
        what='opposite points that differ by more than `threshold`',
        codes='2^(P/2)',
    ),
}


def texture_names() -> tuple[str, ...]:
    """The names of all descriptors, those registered from outside last."""
    return tuple(DESCRIPTORS)


def get_descriptor(name: str) -> Descriptor:
    """A descriptor by its name.

    Args:
        name: One of :func:`texture_names`.

    Raises:
        UserError: No descriptor has that name.

    Example:
        >>> get_descriptor('CSLBP').count_labels({'P': 8})
        16
    """
    if name not in DESCRIPTORS:
        raise UserError(f'unknown pattern {name!r}; the patterns are {", ".join(DESCRIPTORS)}')
    return DESCRIPTORS[name]


def register_texture(name: str, descriptor: Descriptor) -> None:
    """Make an operator of one's own known to variants and configs by a name.

    A config reaches the module that does so with ``custom_imports = dict(imports=['my_texture'])``.

    Args:
        name: Letters and digits, such as ``'WLD'``; not ``'RGB'`` or ``'HOG'``, which stand for the colours and for
            histograms of gradients.
        descriptor: The operator.

    Raises:
        UserError: The name is no such word, or another descriptor has it.
    """
    if not re.fullmatch('[A-Za-z][A-Za-z0-9]*', name) or name in RESERVED:
        raise UserError(f"texture {name!r}: expected letters and digits, such as 'WLD', and not 'RGB' or 'HOG'")
    if DESCRIPTORS.setdefault(name, descriptor) != descriptor:
        raise UserError(f'texture {name!r}: another descriptor has this name; the names are {", ".join(DESCRIPTORS)}')
