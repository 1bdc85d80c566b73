"""A keypoint layout as it is written down: an entry of the project's own table, or somebody's declaration in YAML.

A declaration says the layout's name and its keypoints in order, each with its region and the point it hangs from::

    name: sofa9
    keypoints:
      - {name: nose, region: head}
      - {name: left_shoulder, region: body, parent: nose}
      - {name: right_shoulder, region: body, parent: nose}
      ...

``left_x`` and ``right_x`` mirror each other. A point of a name that the project knows
(:mod:`pose_extract.body_parts`) may leave its region out. The same as plain data goes into track files and checkpoints
made with the layout, so that they can be read where the YAML file is not.
"""

from __future__ import annotations

import difflib
import os
import re
import reprlib
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.texts import NO_VALUE
from pose_extract.body_parts import REGIONS, region_of

MAX_KEYPOINTS = 500
"""Declarations of more keypoints are refused."""
MAX_BYTES = 2**18
"""Larger YAML files are refused before they are parsed."""
NEEDED = ('left_shoulder', 'right_shoulder', 'left_hip', 'right_hip')
"""Points that every layout has: poses are centred, scaled and turned to the front by them."""

_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]{0,63}')
_KEYS = ('name', 'keypoints')
_POINT_KEYS = ('name', 'region', 'parent')


@dataclass(frozen=True)
class Layout:
    """A keypoint layout as it is written down; :class:`pose_extract.skeletons.Skeleton` is what follows from it.

    Attributes:
        keypoints: Names in order. Names that the project knows (:mod:`pose_extract.body_parts`) are used for the same
            point only.
        parents: Name of each keypoint's parent, for all but the root.
        regions: Region of keypoints by the whole name; the others' follow from their names.
        source: What it comes with, short, for the sheet and the page.
        detail: Further words about that, for the page.
        checked: What the order of its points was checked against, for the page.
        mmpose: MMPose's data sets of these points, as their ``dataset_name`` has them.
        guessed: Whether a file that says nothing may be taken for this layout by its number of keypoints.
    """

    keypoints: tuple[str, ...]
    parents: Mapping[str, str]
    regions: Mapping[str, str] = field(default_factory=dict)
    source: str = ''
    detail: str = ''
    checked: str = ''
    mmpose: tuple[str, ...] = ()
    guessed: bool = True


def parse_declaration(data: object, source: str) -> tuple[str, Layout]:
    """Check a declaration.

    Args:
        data: Plain data as the module's docstring shows it.
        source: Where it comes from, for the errors.

    Returns:
        The layout's name, and the layout.

    Raises:
        UserError: The data declares no layout; the message names the source, the keypoint and what was expected.

    Example:
        >>> parse_declaration({'name': 'sofa9'}, 'mine.yaml')
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: mine.yaml: keypoints: missing; a layout has the keys name, keypoints
    """
    content = _mapping(data, _KEYS, source, 'a layout')
    name = _name(content, source)
    points = content.get('keypoints')
    if not isinstance(points, Sequence) or isinstance(points, str):
        what = 'missing' if points is None else f'expected a list, got {reprlib.repr(points)}'
        raise UserError(f'{source}: keypoints: {what}; a layout has the keys {", ".join(_KEYS)}')
    if not 1 <= len(points) <= MAX_KEYPOINTS:
        raise UserError(f'{source}: keypoints: expected 1 to {MAX_KEYPOINTS}, got {len(points)}')
    names, parents, regions = [], {}, {}
    for number, point in enumerate(points):
        where = f'{source}: keypoint {number}'
        entry = _mapping(point, _POINT_KEYS, where, 'a keypoint')
        names.append(_name(entry, where))
        regions[names[-1]] = _region(entry, names[-1], f'{where} ({names[-1]})')
        if entry.get('parent') is not None:
            parents[names[-1]] = entry['parent']
    layout = Layout(tuple(names), parents, regions)
    _check_names(layout, source)
    _check_tree(layout, source)
    _check_regions(layout, source)
    return name, layout


def read_declaration(path: str | os.PathLike[str]) -> object:
    """Read a declaration from a YAML file.

    Args:
        path: The file.

    Returns:
        Plain data, unchecked.

    Raises:
        UserError: The file is missing, larger than :data:`MAX_BYTES`, no YAML, or says a key twice.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses a key that is there twice, of which YAML would keep the last, and aliases, which can multiply."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.composer.ComposerError(None, None, 'aliases are not read', self.peek_event().start_mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            repeated = _repeated(key.value for key, _ in node.value if isinstance(key.value, str))
            if repeated:
                raise yaml.constructor.ConstructorError(None, None, f'key {repeated[0]!r} twice', node.start_mark)
            return super().construct_mapping(node, deep)

    path = Path(path)
    try:
        with path.open('rb') as file:
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UserError(f'no such layout file: {path}') from error
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    if len(text) > MAX_BYTES:
        raise UserError(f'{path}: larger than {MAX_BYTES // 1024} KiB, which no layout is')
    try:
        return yaml.load(text, Loader)
    except (RecursionError, yaml.YAMLError, *NO_VALUE) as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{path}: cannot be read as YAML: {reason}') from error


def _mapping(value: object, keys: Collection[str], where: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f'{where}: expected {what} with the keys {", ".join(keys)}, got {reprlib.repr(value)}')
    for key in value:
        if key not in keys:
            raise UserError(f'{where}: unknown key {reprlib.repr(key)}{_meant(key, keys)}')
    return value


def _name(content: Mapping[str, Any], where: str) -> str:
    name = content.get('name')
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        got = 'it is missing' if name is None else f'got {reprlib.repr(name)}'
        raise UserError(f'{where}: name: expected a letter and up to 63 letters, digits and underscores, {got}')
    return name


def _region(entry: Mapping[str, Any], name: str, where: str) -> str:
    region = entry.get('region')
    if region is None:
        region = region_of(name)
        if region is None:
            raise UserError(f'{where}: region: missing, and the name says nothing; choose one of {", ".join(REGIONS)}')
    if region not in REGIONS:
        meant = _meant(region, REGIONS)
        raise UserError(f'{where}: region {reprlib.repr(region)}: choose one of {", ".join(REGIONS)}{meant}')
    return str(region)


def _check_names(layout: Layout, source: str) -> None:
    repeated = _repeated(layout.keypoints)
    if repeated:
        raise UserError(f'{source}: two keypoints are called {repeated[0]}')
    for name in layout.keypoints:
        side = name.partition('_')[0]
        if side in ('left', 'right'):
            mirrored = ('right' if side == 'left' else 'left') + name[len(side) :]
            if mirrored not in layout.keypoints:
                meant = _meant(mirrored, layout.keypoints)
                raise UserError(f'{source}: keypoint {name} has no mirror image {mirrored}{meant}')
            if layout.regions[name] != layout.regions[mirrored]:
                raise UserError(
                    f'{source}: {name} is in region {layout.regions[name]}, {mirrored} in {layout.regions[mirrored]}'
                )
    lacking = [name for name in NEEDED if name not in layout.keypoints]
    if lacking:
        raise UserError(
            f'{source}: no keypoint {", ".join(lacking)}; a layout needs {", ".join(NEEDED)}, by which poses are '
            'centred, scaled and turned to the front'
        )


def _check_tree(layout: Layout, source: str) -> None:
    for name, parent in layout.parents.items():
        if parent not in layout.keypoints:
            meant = _meant(parent, layout.keypoints)
            raise UserError(f'{source}: keypoint {name}: parent {reprlib.repr(parent)} is no keypoint{meant}')
    rooted: set[str] = set()
    for name in layout.keypoints:
        way, at = {name: None}, name
        while at in layout.parents and at not in rooted:
            at = layout.parents[at]
            if at in way:
                loop = [*way][[*way].index(at) :]
                raise UserError(
                    f'{source}: the bones go round in a loop: {" -> ".join([*loop, at])}; one keypoint has no parent'
                )
            way[at] = None
        rooted.update(way)
    roots = [name for name in layout.keypoints if name not in layout.parents]
    if len(roots) > 1:
        raise UserError(
            f'{source}: the bones make {len(roots)} trees: {", ".join(roots)} have no parent; one keypoint may lack it'
        )


def _check_regions(layout: Layout, source: str) -> None:
    empty = [region for region in REGIONS if region not in layout.regions.values()]
    if empty:
        raise UserError(
            f'{source}: no keypoint in region {", ".join(empty)}; the model has an expert for each of '
            f'{", ".join(REGIONS)}'
        )


def _repeated(names: Any) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _meant(word: object, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1) if isinstance(word, str) and len(word) <= 64 else []
    return f'; did you mean {near[0]!r}?' if near else ''
