"""Keypoint layouts with their bones, left-right pairs and the four regions of the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.layouts import FACE_PAIRS, LAYOUTS, PART_REGION, REGIONS

__all__ = ['REGIONS', 'REGION_COLORS', 'Skeleton', 'get_skeleton', 'region_hex', 'skeleton_names']

REGION_COLORS: dict[str, tuple[int, int, int]] = {
    'head': (230, 159, 0),
    'body': (0, 114, 178),
    'upper': (0, 158, 115),
    'lower': (204, 92, 150),
}
"""Red, green, blue of each region; after Okabe and Ito's palette, told apart without red-green vision too."""


def region_hex(region: str) -> str:
    """A region's colour as plots and pages take it.

    Args:
        region: One of :data:`REGIONS`.

    Example:
        >>> region_hex('head')
        '#e69f00'
    """
    return '#{:02x}{:02x}{:02x}'.format(*REGION_COLORS[region])


@dataclass(frozen=True)
class Skeleton:
    """A keypoint layout of ``K`` keypoints.

    The bones form a tree: every keypoint but the root is the child of exactly one edge, and edges are listed parents
    first, so that walking them in order builds a body from its root. Trunk keypoints (neck, spine, shoulders, hips)
    are the region ``body``; arms from the elbow and hands are ``upper``; legs from the knee and feet are ``lower``;
    the head and face are ``head``.

    Attributes:
        name: The layout's name.
        keypoints: The ``K`` keypoint names, in order.
        edges: Bones as (parent, child), ``K - 1`` of them.
        pairs: (left, right) keypoints that mirror each other, in the person's own sense of left.
        center: Keypoints whose mean is the body's centre: the hip-centre joint, or both hips.
        shoulders: (left, right) shoulder.
        hips: (left, right) hip.
        regions: The four of :data:`REGIONS`, each with its keypoints; every keypoint is in exactly one.

    Raises:
        ValueError: The parts contradict each other (an edge that makes a cycle, a keypoint in no region and so on).
    """

    name: str
    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]
    center: tuple[int, ...]
    shoulders: tuple[int, int]
    hips: tuple[int, int]
    regions: Mapping[str, tuple[int, ...]] = field(hash=False)

    def __post_init__(self) -> None:
        every = range(len(self.keypoints))
        if len(set(self.keypoints)) != len(self.keypoints):
            raise ValueError(f'skeleton {self.name}: two keypoints have the same name')
        if tuple(self.regions) != REGIONS or any(not members for members in self.regions.values()):
            raise ValueError(f'skeleton {self.name}: regions must be {REGIONS}, none empty, got {dict(self.regions)}')
        if sorted(k for members in self.regions.values() for k in members) != list(every):
            raise ValueError(f'skeleton {self.name}: every keypoint must be in exactly one region')
        if len({k for pair in self.pairs for k in pair}) != 2 * len(self.pairs):
            raise ValueError(f'skeleton {self.name}: a keypoint is in two left-right pairs')
        for k in [k for group in (*self.edges, *self.pairs, self.center, self.shoulders, self.hips) for k in group]:
            if k not in every:
                raise ValueError(f'skeleton {self.name}: keypoint {k} is outside 0..{len(self.keypoints) - 1}')
        children = {child for _, child in self.edges}
        if len(self.edges) != len(self.keypoints) - 1 or len(children) != len(self.edges):
            raise ValueError(f'skeleton {self.name}: edges must give every keypoint but the root one parent')
        reached = set(every) - children
        for parent, child in self.edges:
            if parent not in reached:
                raise ValueError(f'skeleton {self.name}: edge {(parent, child)} comes before its parent has one')
            reached.add(child)

    @property
    def num_keypoints(self) -> int:
        """Number of keypoints ``K``."""
        return len(self.keypoints)

    @property
    def root(self) -> int:
        """The keypoint that has no parent."""
        return int(np.flatnonzero(self.parents == np.arange(self.num_keypoints))[0])

    @property
    def parents(self) -> np.ndarray:
        """The parent of each keypoint, int64 (K,); the root is its own."""
        parents = np.arange(self.num_keypoints)
        for parent, child in self.edges:
            parents[child] = parent
        return parents

    @property
    def flip_indices(self) -> np.ndarray:
        """Where each keypoint comes from in a mirrored image, int64 (K,): ``keypoints[..., flip_indices, :]``."""
        flip = np.arange(self.num_keypoints)
        for left, right in self.pairs:
            flip[left], flip[right] = right, left
        return flip

    @property
    def region_of(self) -> np.ndarray:
        """The region of each keypoint as an index into :data:`REGIONS`, int64 (K,)."""
        region_of = np.empty(self.num_keypoints, dtype=np.int64)
        for index, name in enumerate(REGIONS):
            region_of[list(self.regions[name])] = index
        return region_of

    def index(self, keypoint: str) -> int:
        """The index of a keypoint by its name.

        Raises:
            ValueError: The layout has no keypoint of that name.
        """
        if keypoint not in self.keypoints:
            raise ValueError(f'skeleton {self.name} has no keypoint {keypoint!r}; it has {", ".join(self.keypoints)}')
        return self.keypoints.index(keypoint)


def _region(keypoint: str) -> str:
    return PART_REGION[keypoint.removeprefix('left_').removeprefix('right_')]


def _edges(keypoints: tuple[str, ...], parents: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """Bones by index, parents first and otherwise in keypoint order."""
    index = {name: i for i, name in enumerate(keypoints)}
    edges: list[tuple[int, int]] = []
    frontier = [name for name in keypoints if name not in parents]
    while frontier:
        children = [name for name in keypoints if parents.get(name) in frontier]
        edges.extend((index[parents[name]], index[name]) for name in children)
        frontier = children
    return tuple(edges)


def _build(name: str) -> Skeleton:
    keypoints, parents = LAYOUTS[name]
    index = {keypoint: i for i, keypoint in enumerate(keypoints)}
    lefts = [k.removeprefix('left_') for k in keypoints if k.startswith('left_')]
    pairs = [(f'left_{part}', f'right_{part}') for part in lefts]
    pairs += [pair for pair in FACE_PAIRS if pair[0] in index]
    hips = (index['left_hip'], index['right_hip'])
    return Skeleton(
        name=name,
        keypoints=keypoints,
        edges=_edges(keypoints, parents),
        pairs=tuple((index[left], index[right]) for left, right in pairs),
        center=(index['hip_center'],) if 'hip_center' in index else hips,
        shoulders=(index['left_shoulder'], index['right_shoulder']),
        hips=hips,
        regions={r: tuple(i for i, k in enumerate(keypoints) if _region(k) == r) for r in REGIONS},
    )


_SKELETONS: dict[str, Skeleton] = {name: _build(name) for name in LAYOUTS}


def skeleton_names() -> tuple[str, ...]:
    """The names of all layouts."""
    return tuple(_SKELETONS)


def get_skeleton(name: str) -> Skeleton:
    """A layout by its name.

    Args:
        name: One of :func:`skeleton_names`.

    Raises:
        UserError: No layout has that name.
    """
    if name not in _SKELETONS:
        raise UserError(f'unknown skeleton {name!r}: choose one of {", ".join(_SKELETONS)}')
    return _SKELETONS[name]
