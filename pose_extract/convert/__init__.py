"""Conversions: between keypoint layouts, and between track files and the files of other projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Collection, ReadOptions
from pose_extract.convert.folder import read_folder, write_folder
from pose_extract.convert.layout import convert_keypoints, convert_layout
from pose_extract.convert.mmpose_json import read_mmpose
from pose_extract.convert.pickles import read_mmn, read_pickle, write_pickle
from pose_extract.skeletons import resolve_skeleton
from pose_extract.smoothing import AfterCare, apply_after_care

__all__ = ['SOURCES', 'TARGETS', 'ConvertSettings', 'convert_keypoints', 'convert_layout', 'convert_poses']

SOURCES: tuple[str, ...] = ('tracks', 'pyskl', 'mmn', 'mmpose')
TARGETS: tuple[str, ...] = ('tracks', 'pyskl')


@dataclass(frozen=True)
class ConvertSettings:
    """How a conversion is done.

    Attributes:
        source_kind: One of :data:`SOURCES`; None tells by the source.
        target_kind: One of :data:`TARGETS`; None tells by the target's ending.
        read: What a foreign file leaves open.
        annotations: List of labels for a folder of tracks.
        layout: Layout to turn the keypoints into, by name or by its YAML file; None keeps theirs.
        care: Interpolation and smoothing on the way.
        overwrite: Whether the target may exist already.

    Example:
        >>> settings = pose_extract.ConvertSettings(layout='openpose18', overwrite=True)
        >>> settings.read.fps
        30.0
    """

    source_kind: str | None = None
    target_kind: str | None = None
    read: ReadOptions = ReadOptions()
    annotations: Path | None = None
    layout: str | None = None
    care: AfterCare = AfterCare()
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.layout is not None:
            object.__setattr__(self, 'layout', resolve_skeleton(self.layout).name)


def convert_poses(source: Path, target: Path, settings: ConvertSettings) -> Collection:
    """Turn pose files of one kind into another.

    Args:
        source: Folder of tracks, pickle, folder of MMN's pickles, MMPose's JSON file or a folder of them.
        target: ``.pkl`` file or folder of tracks.
        settings: How.

    Returns:
        What was written; its ``failures`` say what could not be.

    Raises:
        UserError: The source cannot be read at all, the kinds cannot be told, or the target exists or cannot be
            written.

    Example:
        >>> settings = pose_extract.ConvertSettings()
        >>> done = pose_extract.convert_poses(pathlib.Path('poses'), pathlib.Path('all.pkl'), settings)
        >>> len(done.clips), done.failures
        (6, [])
    """
    if not source.exists():
        raise UserError(f'{source}: no such file or folder')
    kind = settings.target_kind or ('pyskl' if target.suffix == '.pkl' else 'tracks')
    occupied = any(target.iterdir()) if target.is_dir() else target.exists()
    if occupied and not settings.overwrite:
        raise UserError(f'{target}: exists already; choose another target, or --overwrite')
    collection = _read(source, settings)
    kept = []
    for clip in collection.clips:
        try:
            clip.tracks = apply_after_care(clip.tracks, settings.care)
            if settings.layout is not None and settings.layout != clip.tracks.skeleton:
                clip.tracks = convert_layout(clip.tracks, settings.layout)
            kept.append(clip)
        except ValueError as error:
            collection.failures.append(f'{source}: {clip.name}: {error}')
    collection.clips = kept
    if collection.clips:
        (write_pickle if kind == 'pyskl' else write_folder)(collection, target)
    return collection


def _read(source: Path, settings: ConvertSettings) -> Collection:
    kind = settings.source_kind or _kind_of(source)
    if kind == 'tracks':
        return read_folder(source, settings.annotations)
    if kind == 'pyskl':
        return read_pickle(source, settings.read)
    return (read_mmn if kind == 'mmn' else read_mmpose)(source, settings.read)


def _kind_of(source: Path) -> str:
    if source.is_file():
        kinds = {'.pkl': 'pyskl', '.pickle': 'pyskl', '.json': 'mmpose'}
        if source.suffix in kinds:
            return kinds[source.suffix]
    else:
        for kind, pattern in (('tracks', '*.npz'), ('mmn', '*_data.pkl'), ('mmpose', '*.json')):
            if next(source.rglob(pattern), None) is not None:
                return kind
    raise UserError(
        f"{source}: neither a folder of tracks (.npz), a pickle (.pkl), a folder with MMN's <split>_data.pkl and "
        "<split>_label.pkl, nor MMPose's predictions (.json); say with --from which it is"
    )
