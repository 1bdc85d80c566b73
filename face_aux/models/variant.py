"""The paper's names of variants: what is Masked, what is Reconstructed, what is Classified."""

from __future__ import annotations

import re
from typing import NamedTuple

from bmoe_ground.errors import UserError
from face_aux.textures import texture_names


class Variant(NamedTuple):
    """Inputs and targets of the two passes, each ``'RGB'`` or a pattern's name.

    Attributes:
        masked: Input of the masked pass.
        reconstructed: One or two targets, of which one may be ``'HOG'``: no picture, so it is no input.
        classified: Input of the primary pass.
    """

    masked: str
    reconstructed: tuple[str, ...]
    classified: str

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read ``'MRGB/RLDP/CRGB'``; two targets are joined by a plus sign, ``'MRGB/RRGB+LDP/CRGB'``.

        Raises:
            UserError: The text is no variant.
        """
        match = re.fullmatch(r'M(\w+)/R(\w+(?:\+\w+)?)/C(\w+)', text)
        sources = ('RGB', *texture_names())
        targets = (*sources, 'HOG')
        parts = [] if match is None else [match[1], *match[2].split('+'), match[3]]
        known = match is not None and {parts[0], parts[-1]} <= set(sources) and set(parts[1:-1]) <= set(targets)
        if match is None or not known or (len(parts) == 4 and parts[1] == parts[2]):
            raise UserError(
                f"variant {text!r} is not understood; expected 'M<input>/R<target>/C<input>' with each of "
                f"{', '.join(sources)} (a target also HOG), for example 'MRGB/RLDP/CRGB' or, with two targets, "
                "'MRGB/RRGB+LDP/CRGB'"
            )
        return cls(match[1], tuple(match[2].split('+')), match[3])
