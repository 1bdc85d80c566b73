"""The layout that a file declares, by the name of a data set or by the names of its points."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import ReadOptions
from pose_extract.skeletons import OF_MMPOSE, get_skeleton, skeleton_names


def _halpe136() -> tuple[str, ...]:
    """Order of Halpe's full body (github.com/Fang-Haoshu/Halpe-FullBody): 26 of the body, face, left and right hand."""
    whole = get_skeleton('coco_wholebody133').keypoints
    return (*get_skeleton('halpe26').keypoints, *whole[23:])


def narrowed(keypoints: int) -> tuple[str, list[int]] | None:
    """For numbers of points that no layout has: the layout to take out of them, and the places of its points.

    Halpe's 136 points hold COCO-WholeBody's 133; the top of the head, the neck and the middle of the hips are left out.
    """
    if keypoints != 136:
        return None
    names = _halpe136()
    return 'coco_wholebody133', [names.index(name) for name in get_skeleton('coco_wholebody133').keypoints]


_ALIASES = {
    'root': 'hip_center',
    'pelvis': 'hip_center',
    'mid_hip': 'hip_center',
    'hip_centre': 'hip_center',
    'hip': 'hip_center',
    'top_of_head': 'head_top',
    'headtop': 'head_top',
    'bigtoe': 'big_toe',
    'smalltoe': 'small_toe',
}
_SIDES = {'l': 'left', 'r': 'right', 'left': 'left', 'right': 'right', 'lft': 'left', 'rgt': 'right'}


def keypoint_name(text: str) -> str:
    """A point's name in this project's spelling: ``LShoulder``, ``shoulder_left``, ``Left Shoulder``: left_shoulder."""
    words = re.sub(r'([a-z])([A-Z])|([A-Z])([A-Z][a-z])', r'\1\3 \2\4', text[:100])
    parts = [part for part in re.split(r'[\s_.\-]+', words.lower()) if part]
    sides = [_SIDES[part] for part in parts if part in _SIDES]
    rest = '_'.join(part for part in parts if part not in _SIDES)
    rest = _ALIASES.get(rest, rest) if not sides else {'bigtoe': 'big_toe', 'smalltoe': 'small_toe'}.get(rest, rest)
    return f'{sides[0]}_{rest}' if len(sides) == 1 else rest


def declared_layout(dataset: object, names: Sequence[str], options: ReadOptions) -> tuple[str | None, list[str]]:
    """The layout of points that come in a fixed order, as a file declares it.

    Args:
        dataset: Name of a data set as MMPose has it, or None.
        names: Names of the points in order; empty where the file has none.
        options: A layout given there wins, with a note where the file says otherwise.

    Returns:
        The layout, None where the file declares nothing, and notes.

    Raises:
        UserError: What it declares is no layout that is known here, and none is given.
    """
    found = _by_declaration(dataset, names)
    if options.skeleton is not None:
        differs = found is not None and found != options.skeleton
        return options.skeleton, [f'the file declares {found}; read as {options.skeleton}, as asked'] if differs else []
    if found is None and (names or isinstance(dataset, str)):
        what = f'{dataset[:80]!r}' if isinstance(dataset, str) else f'{len(names)} points ({", ".join(names)[:200]})'
        raise UserError(f'declares the layout {what}, which is not known; choose the one it equals with --skeleton')
    return found, []


def _by_declaration(dataset: object, names: Sequence[str]) -> str | None:
    spelled = tuple(keypoint_name(name) for name in names)
    for name in skeleton_names():
        if spelled and spelled == get_skeleton(name).keypoints:
            return name
    layout = OF_MMPOSE.get(dataset.lower()) if isinstance(dataset, str) else None
    if layout is not None and len(names) not in (0, get_skeleton(layout).num_keypoints):
        return None
    return layout


def match_names(names: Sequence[str], options: ReadOptions) -> tuple[str, list[int | None], list[str]]:
    """The layout whose points are among named ones in any order.

    Args:
        names: Names as their owner gave them.
        options: A layout given there is used, whatever of it is there.

    Returns:
        The layout, for each of its keypoints the place among ``names`` (None where absent), and notes.

    Raises:
        UserError: No layout has all of its points there, and none is given or none of its points is there.
    """
    place = {keypoint_name(name): index for index, name in reversed(list(enumerate(names)))}
    layout, notes = options.skeleton, []
    if layout is None:
        whole = [name for name in skeleton_names() if all(k in place for k in get_skeleton(name).keypoints)]
        if not whole:
            lacks = {n: [k for k in get_skeleton(n).keypoints if k not in place] for n in skeleton_names()}
            nearest = min(lacks, key=lambda name: (len(lacks[name]) / get_skeleton(name).num_keypoints, name))
            raise UserError(
                f'the points {", ".join(names)[:300]} hold no layout whole; {nearest} comes nearest, without '
                f'{", ".join(lacks[nearest])[:200]}. With --skeleton {nearest} these are absent'
            )
        layout = max(whole, key=lambda name: get_skeleton(name).num_keypoints)
    keypoints = get_skeleton(layout).keypoints
    order = [place.get(keypoint) for keypoint in keypoints]
    if all(index is None for index in order):
        if len(names) != len(keypoints):
            raise UserError(f'none of the points {", ".join(names)[:300]} is in the layout {layout}')
        notes.append(f'names of points that say nothing here: taken in the order of {layout}')
        return layout, list(range(len(names))), notes
    missing = [keypoint for keypoint, index in zip(keypoints, order, strict=True) if index is None]
    unused = [name for index, name in enumerate(names) if index not in order]
    if missing:
        notes.append(f'absent in every frame: {", ".join(missing)[:300]}')
    if unused:
        notes.append(f'points that {layout} does not have are left out: {", ".join(unused)[:300]}')
    return layout, order, notes
