"""Folders of track files with the list of their labels and splits."""

from __future__ import annotations

import csv
import errno
import io
from pathlib import Path, PurePosixPath

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.folders import walk_files
from bmoe_ground.tables import read_labels
from pose_extract.convert.clips import Clip, Collection
from pose_extract.tracks import load_tracks, save_tracks

ANNOTATIONS = 'annotations.csv'
_NAME_REFUSED = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)
_HEADER = ['video', 'label', 'split']


def read_folder(folder: Path, annotations: Path | None = None) -> Collection:
    """Read all track files below a folder.

    Labels and splits come from a list with lines ``video,label[,split]`` or ``video label`` (a clip in several splits
    has a line for each); without one, a clip's class is the folder it lies in, and there is no split.

    Args:
        folder: The folder of tracks.
        annotations: The list; None takes ``annotations.csv`` in the folder where there is one.

    Raises:
        UserError: There is no track file, or the list is missing or malformed.
    """
    files = [path for path in walk_files(folder) if path.suffix == '.npz']
    if not files:
        raise UserError(f'{folder}: holds no track files (.npz)')
    if annotations is None and (folder / ANNOTATIONS).is_file():
        annotations = folder / ANNOTATIONS
    rows = None if annotations is None else _read_list(annotations)
    collection = Collection()
    classes: dict[str, str] = {}
    for path in files:
        name = path.relative_to(folder).as_posix().removesuffix('.npz')
        entries = rows.pop(name, []) if rows is not None else [(PurePosixPath(name).parent.name, '')]
        try:
            clip = Clip(name, load_tracks(path))
        except UserError as error:
            collection.failures.append(str(error))
            continue
        clip.extra = clip.tracks.provenance.get('annotation', {})
        classes[name] = entries[0][0] if entries else ''
        clip.splits = tuple(split for _, split in entries if split)
        collection.clips.append(clip)
    collection.failures += [f'{annotations}: {name}: has no track file' for name in rows or ()]
    number_classes(collection, classes)
    collection.add_all_splits()
    return collection


def number_classes(collection: Collection, classes: dict[str, str]) -> None:
    """Turn class names into labels: numbers as they are, names by their place in the alphabet."""
    names = sorted({name for name in classes.values() if name})
    numeric = all(name.isdecimal() for name in names)
    if names and not numeric:
        collection.classes = names
    for clip in collection.clips:
        name = classes[clip.name]
        clip.label = None if not name else int(name) if numeric else names.index(name)


def _read_list(path: Path) -> dict[str, list[tuple[str, str]]]:
    rows: dict[str, list[tuple[str, str]]] = {}
    for line in read_labels(path):
        rows.setdefault(line.video.removesuffix('.npz'), []).append((line.label, line.split))
    return rows


def write_folder(collection: Collection, folder: Path) -> None:
    """Write each clip's tracks as ``<folder>/<name>.npz``, and ``annotations.csv`` with labels and splits.

    Labels are written as class names where these are known. Without any label or split there is no list.

    Raises:
        UserError: Two clips would be one file, a label has no class, or a file cannot be written.
    """
    rows: dict[str, list[list[str]]] = {}
    taken: dict[str, str] = {}
    for clip in collection.clips:
        file = str(PurePosixPath(clip.name))
        if file in taken:
            raise UserError(f'{folder}: the clips {taken[file]!r} and {clip.name!r} would be one file')
        taken[file] = clip.name
        label = '' if clip.label is None else _class_name(collection, clip)
        rows[clip.name] = [[file, label, split] for split in clip.splits or ('',)]
    written = []
    for clip in collection.clips:
        try:
            save_tracks(folder / f'{clip.name}.npz', clip.tracks)
            written.append(clip)
        except UserError as error:  # a name that this file system does not take costs that clip only
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _NAME_REFUSED:
                raise
            collection.failures.append(str(error))
    collection.clips = written
    if any(clip.label is not None or clip.splits for clip in collection.clips):
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator='\n')
        writer.writerow(_HEADER)
        for clip in collection.clips:
            writer.writerows(rows[clip.name])
        with atomic_write(folder / ANNOTATIONS) as output:
            output.write(_encode(lines.getvalue()))


def _encode(text: str) -> bytes:
    """UTF-8, with the bytes of names that are in no encoding as they are."""
    try:
        return text.encode(errors='surrogateescape')
    except UnicodeEncodeError:
        return text.encode(errors='replace')


def _class_name(collection: Collection, clip: Clip) -> str:
    if collection.classes is None:
        return str(clip.label)
    if clip.label is None or clip.label >= len(collection.classes):
        raise UserError(f'{clip.name}: label {clip.label}, but there are {len(collection.classes)} classes')
    return collection.classes[clip.label]
