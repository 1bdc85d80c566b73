"""Which regions of the body show each class, where that is known: for a router that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.taxonomy import region_of_class
from mm_runtime.suggest import did_you_mean
from pose_extract.skeletons import REGIONS

_WORDS = {**{region: region for region in REGIONS}, 'hand': 'upper', 'leg': 'lower'}
"""Words in the name of a coarse class, such as 'upper limb' or 'head-hand', and the region that each speaks of."""


def class_regions_of(
    metainfo: Mapping[str, Any], given: Mapping[str, str | Sequence[str]] | Sequence[Sequence[str]] | None = None
) -> list[list[str]]:
    """Find the regions of each class: as given, by its coarse class, or by the taxonomy of everyday micro-actions.

    Args:
        metainfo: The data's ``classes``, and ``body_parts`` with ``body_part_names`` where they have coarse classes.
        given: Class name to region or regions; classes left out have none. Or the finished list.

    Returns:
        For each class in label order its regions; none where nobody knows, and such clips are not told.

    Raises:
        UserError: A name is unknown, or no class has a region.

    Example:
        >>> class_regions_of({'classes': ['nod', 'fall'], 'body_parts': [1, 0], 'body_part_names': ['body', 'head']})
        [['head'], ['body']]
    """
    classes = list(metainfo['classes'])
    names = metainfo.get('body_part_names')
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in classes]
        if unknown:
            raise UserError(f'model.router.class_regions: no class {unknown[0]!r}{did_you_mean(unknown[0], classes)}')
        found = [[one] if isinstance(one := given.get(name, []), str) else list(one) for name in classes]
    elif given is not None:
        found = [list(one) for one in given]
    elif metainfo.get('body_parts') is not None and names is not None:
        found = [_spoken_of(names[part]) for part in metainfo['body_parts']]
    else:
        found = [[region] if (region := region_of_class(name)) else [] for name in classes]
    if not any(found):
        raise UserError(
            'model.router.region_weight: the data do not say which region shows a class; give '
            'model.router.class_regions, such as {nod: head, wave: [upper]}, or set region_weight to 0'
        )
    return found


def _spoken_of(name: str) -> list[str]:
    words = name.replace('-', ' ').split()
    return [region for region in REGIONS if any(_WORDS.get(word) == region for word in words)]


def region_table(regions: Sequence[Sequence[str]] | None, num_classes: int) -> Tensor:
    """Make a table of the regions of each class.

    Args:
        regions: As :func:`class_regions_of` returns them.
        num_classes: C.

    Returns:
        (C, 4) bool, in the order of ``REGIONS``.

    Raises:
        UserError: There are none, too few or too many, or a region is unknown.
    """
    if regions is None or isinstance(regions, Mapping) or len(regions) != num_classes:
        raise UserError(
            f'model.router.region_weight needs class_regions, a list of regions for each of {num_classes} classes'
        )
    unknown = [name for one in regions for name in one if name not in REGIONS]
    if unknown:
        raise UserError(f'model.router.class_regions: unknown region {unknown[0]!r}; choose of {REGIONS}')
    return torch.tensor([[region in one for region in REGIONS] for one in regions])
