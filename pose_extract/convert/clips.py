"""What every file format is read into and written from: clips with their tracks, label and splits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.layouts import LAYOUTS
from pose_extract.skeletons import get_skeleton, resolve_skeleton
from pose_extract.tracks import PoseTracks


@dataclass(frozen=True)
class ReadOptions:
    """What a foreign file may leave open.

    Attributes:
        skeleton: Layout of the keypoints, by name or by the YAML file that declares it; None takes it from the file, or
            from their number where only one built-in layout has so many.
        image_size: (height, width) of the frames, for files that do not say.
        fps: Frames a second, for files that have no times.

    Example:
        >>> pose_extract.ReadOptions(skeleton='ntu25', image_size=(1080, 1920)).fps
        30.0
    """

    skeleton: str | None = None
    image_size: tuple[int, int] | None = None
    fps: float = 30.0

    def __post_init__(self) -> None:
        if self.skeleton is not None:
            object.__setattr__(self, 'skeleton', resolve_skeleton(self.skeleton).name)
        if not 0 < self.fps < np.inf:
            raise UserError(f'fps: must be above 0, got {self.fps}')
        if self.image_size is not None and min(self.image_size) < 1:
            raise UserError(f'image size: must be at least one pixel, got {self.image_size}')


@dataclass(eq=False)
class Clip:
    """One clip.

    Attributes:
        name: Its path below the data set's folder, such as ``nodding/0001.mp4``.
        tracks: Its keypoints.
        label: Index of its class; None where unknown.
        splits: Names of the splits it belongs to.
        extra: Further facts as JSON types (``subject``, ``view``); kept in ``provenance['annotation']`` of its tracks.
    """

    name: str
    tracks: PoseTracks
    label: int | None = None
    splits: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.extra:
            self.tracks.provenance = {**self.tracks.provenance, 'annotation': self.extra}


@dataclass
class Collection:
    """Clips read from one source.

    Attributes:
        clips: What could be read.
        classes: Names of the classes by label, where known.
        splits: Names of all splits, also of empty ones.
        failures: One line for each clip that could not be read.
    """

    clips: list[Clip] = field(default_factory=list)
    classes: list[str] | None = None
    splits: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add_all_splits(self) -> None:
        """List the splits that the clips name, in order of appearance, after those already listed."""
        named = [split for clip in self.clips for split in clip.splits]
        self.splits = list(dict.fromkeys([*self.splits, *named]))


def check_name(name: str) -> None:
    """Refuse names that cannot be a file's path below a folder.

    Raises:
        UserError: The name is empty, absolute, or leads out of its folder.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith('/') or '..' in parts or '\\' in name or ':' in parts[0] or '\0' in name:
        raise UserError(f'clip name {name!r}: must be a relative path that stays in its folder')


def layout_for(options: ReadOptions, declared: object, keypoints: int) -> str:
    """The layout of a foreign file: as asked, else as declared, else the only one with this number of keypoints.

    17 keypoints that nobody names are COCO's, as MMPose and pyskl write them; Human3.6M's 17 must be named, and so must
    layouts of one's own.

    Raises:
        UserError: The number of keypoints fits no layout or several, or the declared layout is not known.
    """
    if options.skeleton is not None:
        return options.skeleton
    if isinstance(declared, str):
        return get_skeleton(declared).name
    fitting = [name for name, layout in LAYOUTS.items() if len(layout.keypoints) == keypoints and layout.guessed]
    if len(fitting) != 1:
        which = f'several layouts have: {", ".join(fitting)}' if fitting else 'no layout has'
        raise UserError(f'{keypoints} keypoints, which {which}; choose one with --skeleton')
    return fitting[0]


def extent_boxes(keypoints: np.ndarray) -> np.ndarray:
    """The boxes around all keypoints that are there, for files without boxes.

    Args:
        keypoints: (M, T, K, 2), NaN where absent.

    Returns:
        (M, T, 4) float32 xyxy, NaN where a person has no keypoint.
    """
    absent = np.isnan(keypoints)
    low = np.where(absent, np.inf, keypoints).min(2, initial=np.inf)
    high = np.where(absent, -np.inf, keypoints).max(2, initial=-np.inf)
    boxes = np.concatenate([low, high], -1)
    return np.where(np.isfinite(boxes).all(-1, keepdims=True), boxes, np.nan).astype(np.float32)


def json_type(value: Any) -> Any:
    """The value as JSON types (numpy scalars become plain numbers); None for what has no such form."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple):
        value = list(value)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return value
