"""A keypoint layout with what follows from it: ordered bones, left-right pairs and the four regions of the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pose_extract.body_parts import FACE_PAIRS, REGIONS, region_of
from pose_extract.declarations import NEEDED, Layout
from pose_extract.layouts import LAYOUTS


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

    Example:
        >>> layout = pose_extract.get_skeleton('coco17')
        >>> [layout.keypoints[k] for k in layout.regions['lower']]
        ['left_knee', 'right_knee', 'left_ankle', 'right_ankle']
        >>> layout.flip_indices[layout.index('left_wrist')] == layout.index('right_wrist')
        True
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

    @property
    def built_in(self) -> bool:
        """Whether the project knows the layout by itself."""
        return self.name in LAYOUTS

    @property
    def declaration(self) -> dict[str, Any]:
        """The layout as plain data, which :func:`register_declaration` reads."""
        points = []
        for k, (name, parent, region) in enumerate(zip(self.keypoints, self.parents, self.region_of, strict=True)):
            point = {'name': name, 'region': REGIONS[region]}
            points.append(point if parent == k else {**point, 'parent': self.keypoints[parent]})
        return {'name': self.name, 'keypoints': points}

    def index(self, keypoint: str) -> int:
        """The index of a keypoint by its name.

        Raises:
            ValueError: The layout has no keypoint of that name.
        """
        if keypoint not in self.keypoints:
            raise ValueError(f'skeleton {self.name} has no keypoint {keypoint!r}; it has {", ".join(self.keypoints)}')
        return self.keypoints.index(keypoint)


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


def build_skeleton(name: str, layout: Layout) -> Skeleton:
    """Derive pairs, regions, centre and ordered bones from a layout as it is written down.

    Args:
        name: The layout's name.
        layout: Its keypoints and bones.

    Raises:
        ValueError: The layout contradicts itself, or lacks shoulders or hips.
    """
    keypoints = layout.keypoints
    index = {keypoint: i for i, keypoint in enumerate(keypoints)}
    lefts = [k.removeprefix('left_') for k in keypoints if k.startswith('left_')]
    pairs = [(f'left_{part}', f'right_{part}') for part in lefts]
    pairs += [pair for pair in FACE_PAIRS if pair[0] in index and pair[1] in index]
    lacking = sorted({k for k in (*(k for pair in pairs for k in pair), *NEEDED) if k not in index})
    if lacking:
        raise ValueError(f'skeleton {name}: no keypoint {", ".join(lacking)}')
    regions = {k: layout.regions.get(k) or region_of(k) for k in keypoints}
    hips = (index['left_hip'], index['right_hip'])
    return Skeleton(
        name=name,
        keypoints=keypoints,
        edges=_edges(keypoints, layout.parents),
        pairs=tuple((index[left], index[right]) for left, right in pairs),
        center=(index['hip_center'],) if 'hip_center' in index else hips,
        shoulders=(index['left_shoulder'], index['right_shoulder']),
        hips=hips,
        regions={r: tuple(i for i, k in enumerate(keypoints) if regions[k] == r) for r in REGIONS},
    )
