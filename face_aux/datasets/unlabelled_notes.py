"""What a training says of its unlabelled faces: how many, of which groups, and how they differ from the labelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from face_aux.datasets.unlabelled import UnlabelledFaces
from face_aux.images import picture_header

_LOOKED_AT = 64
_SHOWN_GROUPS = 8


def notes_on(unlabelled: UnlabelledFaces, labelled: Callable[[int], dict[str, Any]], samples: int) -> list[str]:
    """Lines for the screen.

    Args:
        unlabelled: The faces without labels.
        labelled: A labelled item by its index.
        samples: How many labelled ones there are.

    Returns:
        How many faces there are and their groups, where known; then a line for each way in which the two differ:
        their sizes do not overlap, or one is grey and the other is not.
    """
    lines = [
        f'unlabelled: {len(unlabelled):,} faces of {unlabelled.source.name}, {unlabelled.ratio} beside each labelled '
        f'one; {_describe_groups(unlabelled)}'
    ]
    ours, theirs = (_headers(item, count) for item, count in ((unlabelled.item, len(unlabelled)), (labelled, samples)))
    if not len(ours) or not len(theirs):
        return lines
    (low, high), (lowest, highest) = ((h[:, 0].min(), h[:, 0].max()) for h in (ours, theirs))
    if low > highest or high < lowest:
        lines.append(
            f'note: the unlabelled faces have {_range(low, high)} pixels on their shorter side, the labelled '
            f'{_range(lowest, highest)}: scaled to one size, their textures differ'
        )
    if ours[:, 1].mean() == 1 - theirs[:, 1].mean() and ours[:, 1].mean() in (0, 1):
        grey = 'unlabelled' if ours[0, 1] else 'labelled'
        lines.append(f'note: only the {grey} faces are grey; RandomGray in train_pipeline makes the others alike')
    return lines


def _describe_groups(unlabelled: UnlabelledFaces) -> str:
    counts = unlabelled.group_counts()
    if not counts:
        return 'their groups are not known'
    texts = []
    for column, values in counts.items():
        shown = ', '.join(f'{name} {count:,}' for name, count in values.most_common(_SHOWN_GROUPS))
        rest = len(values) - _SHOWN_GROUPS
        unknown = len(unlabelled) - sum(values.values())
        texts.append(
            f'{column}: {shown}{f" and {rest} more" if rest > 0 else ""}{f", unknown {unknown:,}" if unknown else ""}'
        )
    return '; '.join(texts)


def _headers(item: Callable[[int], dict[str, Any]], count: int) -> np.ndarray:
    """(n, 2): shorter side and whether it is grey, of still images evenly spread over all."""
    found = []
    for i in np.unique(np.linspace(0, count - 1, _LOOKED_AT).round().astype(int)):
        each = item(int(i))
        if each['media'] == 'array':
            found.append((min(each['array'].shape[:2]), each['array'].ndim == 2))
        elif each['media'] == 'image' and (header := picture_header(each['path'])):
            found.append((min(header[:2]), header[2]))
    return np.array(found, dtype=int).reshape(-1, 2)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f'{low} to {high}'
