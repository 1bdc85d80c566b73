"""Conversions: between keypoint layouts, and between track files and the files of other projects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Collection, ReadOptions
from pose_extract.convert.coco_json import read_coco
from pose_extract.convert.deeplabcut import read_deeplabcut
from pose_extract.convert.folder import number_classes, read_folder, write_folder
from pose_extract.convert.kinetics import read_kinetics
from pose_extract.convert.mmpose_json import read_mmpose
from pose_extract.convert.openpose import read_openpose
from pose_extract.convert.pickles import read_mmn, read_pickle, write_pickle
from pose_extract.convert.sleap import read_sleap
from pose_extract.convert.sniff import kind_of
from pose_extract.layout_conversion import convert_keypoints, convert_layout
from pose_extract.skeletons import resolve_skeleton
from pose_extract.smoothing import AfterCare, apply_after_care

__all__ = ['SOURCES', 'TARGETS', 'ConvertSettings', 'convert_keypoints', 'convert_layout', 'convert_poses']

Reader = Callable[[Path, ReadOptions], Collection]

SOURCES: dict[str, Reader | None] = {
    'tracks': None,  # the one that has labels and splits beside it
    'pyskl': read_pickle,
    'mmn': read_mmn,
    'mmpose': read_mmpose,
    'openpose': read_openpose,
    'alphapose': read_coco,
    'coco': read_coco,
    'kinetics': read_kinetics,
    'deeplabcut': read_deeplabcut,
    'sleap': read_sleap,
}
"""What can be read, by kind."""
SHOWN = 20  # notes; they are alike for the clips of a data set
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
    """Turn pose files of one kind into another; what was guessed or left out is said on standard error.

    Args:
        source: A file or folder of one of :data:`SOURCES`.
        target: ``.pkl`` file or folder of tracks.
        settings: How.

    Returns:
        What was written; its ``failures`` say what could not be, its ``notes`` what was guessed or left out.

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
    for note in collection.notes[:SHOWN]:
        print(f'note: {note}', file=sys.stderr)
    if len(collection.notes) > SHOWN:
        print(f'note: {len(collection.notes) - SHOWN} more, in the provenance of the tracks', file=sys.stderr)
    return collection


def _read(source: Path, settings: ConvertSettings) -> Collection:
    kind = settings.source_kind or kind_of(source)
    if kind not in SOURCES:
        raise UserError(f'unknown kind of source {kind!r}: choose one of {", ".join(SOURCES)}')
    reader = SOURCES[kind]
    if reader is None:
        return read_folder(source, settings.annotations)
    collection = reader(source, settings.read)
    _label_by_folder(collection)
    return collection


def _label_by_folder(collection: Collection) -> None:
    """Clips of files without labels are of the class whose folder they lie in, as tracks are, if all lie in one."""
    folders = {clip.name: PurePosixPath(clip.name).parent.name for clip in collection.clips}
    unlabelled = collection.classes is None and all(clip.label is None for clip in collection.clips)
    if unlabelled and folders and all(folders.values()):
        number_classes(collection, folders)
        classes = sorted(set(folders.values()))
        collection.notes.append(f'labels are the names of the folders: {", ".join(classes)[:200]}')
