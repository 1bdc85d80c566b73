"""All keypoint layouts that are known: the project's own, and those that somebody declared.

Example:
    >>> get_skeleton('coco17').regions['lower']
    (13, 14, 15, 16)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.body_parts import REGIONS
from pose_extract.declarations import parse_declaration, read_declaration
from pose_extract.layouts import LAYOUTS
from pose_extract.skeleton import Skeleton, build_skeleton

__all__ = [
    'DECLARATION',
    'OF_MMPOSE',
    'REGIONS',
    'REGION_COLORS',
    'Skeleton',
    'embed_declaration',
    'get_skeleton',
    'load_layout',
    'region_hex',
    'register_declaration',
    'register_embedded',
    'register_layout',
    'resolve_skeleton',
    'skeleton_names',
]

DECLARATION = 'layout_declaration'
"""Key under which data sets, pickles, track files and checkpoints keep a layout that is not built in."""
LAYOUT_FILES = ('.yaml', '.yml')
"""Endings by which :func:`resolve_skeleton` tells a file from a name."""

OF_MMPOSE: Mapping[str, str] = {dataset: name for name, layout in LAYOUTS.items() for dataset in layout.mmpose}
"""Layout of each data set of MMPose (``dataset_name`` in its ``configs/_base_/datasets``)."""

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


_SKELETONS: dict[str, Skeleton] = {name: build_skeleton(name, layout) for name, layout in LAYOUTS.items()}


def skeleton_names() -> tuple[str, ...]:
    """The names of all layouts: the project's own, then those that were registered.

    Example:
        >>> 'ntu25' in pose_extract.skeleton_names()
        True
    """
    return tuple(_SKELETONS)


def get_skeleton(name: str) -> Skeleton:
    """A layout by its name; nothing is opened.

    Args:
        name: One of :func:`skeleton_names`.

    Raises:
        UserError: No layout has that name.

    Example:
        >>> get_skeleton('coco17').keypoints[:3]
        ('nose', 'left_eye', 'right_eye')
    """
    if name not in _SKELETONS:
        hint = '; a layout of your own is read with load_layout(FILE) first' if name.endswith(LAYOUT_FILES) else ''
        raise UserError(f'unknown skeleton {name!r}: choose one of {", ".join(_SKELETONS)}{hint}')
    return _SKELETONS[name]


def register_layout(name: str, keypoints: Sequence[Mapping[str, str]]) -> Skeleton:
    """Declare a layout of one's own, under whose name it is then known everywhere in this process.

    Args:
        name: Its name.
        keypoints: For each keypoint in order its ``name``, ``region`` and, for all but one, ``parent``; see
            :mod:`pose_extract.declarations`.

    Returns:
        The layout.

    Raises:
        UserError: The keypoints make no layout, or another layout has the name.

    Example:
        >>> arm, leg = ('shoulder', 'elbow'), ('hip', 'knee')
        >>> points = [{'name': 'nose'}]
        >>> for side in ('left', 'right'):
        ...     for parent, child in (('nose', 'shoulder'), arm, ('shoulder', 'hip'), leg):
        ...         above = parent if parent == 'nose' else f'{side}_{parent}'
        ...         points.append({'name': f'{side}_{child}', 'parent': above})
        >>> register_layout('limbs9', points).regions['lower']
        (4, 8)
    """
    return register_declaration({'name': name, 'keypoints': list(keypoints)}, f'layout {name}')


def register_declaration(declaration: object, source: str) -> Skeleton:
    """Register what a file declares: see :attr:`Skeleton.declaration`.

    Args:
        declaration: Plain data. It is checked like anything from outside.
        source: Where it comes from, for the errors.

    Returns:
        The layout; registering the same again changes nothing.

    Raises:
        UserError: The data declares no layout, or another layout has the name.
    """
    name, layout = parse_declaration(declaration, source)
    skeleton = build_skeleton(name, layout)
    known = _SKELETONS.setdefault(name, skeleton)
    if known != skeleton:
        what = 'built in' if name in LAYOUTS else 'known already'
        raise UserError(
            f'{source}: another layout of the name {name!r} is {what}, with other keypoints, regions or bones; '
            'choose another name'
        )
    return known


def embed_declaration(facts: dict[str, Any], skeleton: Skeleton) -> None:
    """Put a layout that is not built in among the facts that a file keeps of its data.

    Args:
        facts: What the file says of its data, such as a data set's metainfo; gets the key :data:`DECLARATION`.
        skeleton: The data's layout.
    """
    if not skeleton.built_in:
        facts[DECLARATION] = skeleton.declaration


def register_embedded(facts: Mapping[str, Any], source: str) -> None:
    """Register the layout that a file brings along, if it does; see :func:`embed_declaration`.

    Args:
        facts: What the file says of its data.
        source: The file, for the errors.

    Raises:
        UserError: The declaration is none, or another layout has its name.
    """
    if facts.get(DECLARATION) is not None:
        register_declaration(facts[DECLARATION], source)


def load_layout(path: str | os.PathLike[str]) -> Skeleton:
    """Read a layout of one's own from a YAML file and register it.

    Args:
        path: The file; its form is in :mod:`pose_extract.declarations`.

    Returns:
        The layout.

    Raises:
        UserError: The file cannot be read, declares no layout, or its name is another layout's.

    Example:
        >>> layout = pose_extract.load_layout('mine.yaml')
        >>> layout.name, layout.num_keypoints
        ('mine9', 9)
    """
    return register_declaration(read_declaration(path), os.fspath(path))


def resolve_skeleton(name: str | os.PathLike[str]) -> Skeleton:
    """A layout as a user names it: by its name, or by the YAML file that declares it.

    For options and arguments only. What a checkpoint or a track file names goes to :func:`get_skeleton`, which opens
    nothing.

    Args:
        name: One of :func:`skeleton_names`, or a path that ends in ``.yaml`` or ``.yml``.

    Raises:
        UserError: As :func:`get_skeleton` and :func:`load_layout`.
    """
    text = os.fspath(name)
    return load_layout(text) if text.lower().endswith(LAYOUT_FILES) else get_skeleton(text)
