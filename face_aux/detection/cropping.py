"""A folder of images and videos to a folder of face crops with the same names, so that a set stays the set it was."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from bmoe_ground.cells import writable
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.media import media_of
from face_aux.detection.source import FaceSource, Job, find_inputs
from face_aux.predictions import OK, SKIPPED, Prediction, csv_text, rows_of_csv
from face_aux.transforms.geometric import resize

LIST_NAME = 'crops.csv'
"""The rows of all runs, in the folder of the crops."""
LABEL_SUFFIXES = ('.csv', '.txt', '.json', '.npy')
# Pillow writes no HEIC; AVIF is the member of that family which it writes, and readers go by the content.
FORMATS = {
    **dict.fromkeys(('.jpg', '.jpeg', '.jpe', '.jfif'), 'JPEG'),
    **dict.fromkeys(('.ppm', '.pgm', '.pbm', '.pnm'), 'PPM'),
    **dict.fromkeys(('.avif', '.heic', '.heif', '.hif'), 'AVIF'),
    **dict.fromkeys(('.tif', '.tiff'), 'TIFF'),
    **dict.fromkeys(('.bmp', '.dib'), 'BMP'),
    **dict.fromkeys(('.jp2', '.j2k'), 'JPEG2000'),
    '.png': 'PNG',
    '.webp': 'WEBP',
    '.gif': 'GIF',
}


def crop_folder(source: FaceSource, root: Path, out: Path, size: int | None = None) -> list[Prediction]:
    """Crop the faces of a data set.

    An image ``a/b.jpg`` becomes ``out/a/b.jpg``, a video ``a/c.mp4`` the folder ``out/a/c`` of PNG frames, or
    ``out/a/c.mp4`` where another file or folder has that name. Label files (.csv, .txt, .json, .npy) are copied. What
    is there already is left alone, so a stopped run goes on; ``out/crops.csv`` then holds the rows of all runs.

    Args:
        source: Finds and cuts the faces; 'surest' only, for a name holds one face.
        root: Folder of the set.
        out: Folder of the crops, outside ``root``.
        size: Side of the crops in pixels; None for each face's own.

    Returns:
        Rows, at least one for every file that was looked at, in this run or an earlier one.

    Raises:
        UserError: ``root`` is no folder, ``out`` lies inside it, or every face is asked for.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder')
    if out.resolve().is_relative_to(root.resolve()):
        raise UserError(f'{out}: lies inside {root}, and would be searched next time; choose a folder outside')
    if source.faces == 'all':
        raise UserError("crop_folder writes one face a name; use faces='surest'")
    inputs = find_inputs([root])
    targets = _targets([name for name, _ in inputs], root, out)
    rows = _rows_before(out / LIST_NAME, [(name, kind) for name, kind in inputs if targets[name].exists()])
    folders: dict[str, Path] = {}
    try:
        for item in source.jobs([(name, kind) for name, kind in inputs if not targets[name].exists()]):
            rows.append(item.row if isinstance(item, Job) else item)
            name = rows[-1].file
            if folders and name not in folders:
                _finish(folders, targets)
            if isinstance(item, Job):
                _write(item, targets[name], folders, size)
            elif Path(name).suffix.lower() in LABEL_SUFFIXES:
                _copy(Path(name), targets[name])
        _finish(folders, targets)
    finally:  # a stopped run has its list too
        order = {name: number for number, (name, _) in enumerate(inputs)}
        rows.sort(key=lambda row: order[row.file])
        with atomic_write(out / LIST_NAME) as file:
            file.write(csv_text(rows, {}).encode('utf-8'))
    return rows


def _targets(names: list[str], root: Path, out: Path) -> dict[str, Path]:
    """Where the crops of each file go: the same name, for a video without its suffix unless two would then be one."""

    def plain(name: str) -> Path:
        keeps = media_of(name) == 'image' or Path(name).suffix.lower() in LABEL_SUFFIXES
        path = Path(name).relative_to(root)
        return out / (path if keeps else path.with_suffix(''))

    count = Counter(map(plain, names))
    folders = {out / Path(name).relative_to(root).parent for name in names}
    full = {name: out / Path(name).relative_to(root) for name in names}
    return {n: full[n] if count[plain(n)] > 1 or plain(n) in folders else plain(n) for n in names}


def _rows_before(path: Path, done: list[tuple[str, str]]) -> list[Prediction]:
    """The rows of earlier runs for the files that are done; a plain one for a file that no list has."""
    listed: dict[str, list[Prediction]] = {}
    for row in rows_of_csv(path):
        listed.setdefault(row.file, []).append(row)
    rows: list[Prediction] = []
    for name, kind in done:
        known = listed.get(writable(name)) or [Prediction(name, 'image', *_plain_status(kind))]
        for row in known:
            row.file = name  # a name that is no UTF-8 stands in the list with its bytes written out
        rows += known
    return rows


def _plain_status(kind: str) -> tuple[str, str]:
    return (SKIPPED, 'neither image nor video') if kind == SKIPPED else (OK, 'cropped in an earlier run')


def _write(job: Job, target: Path, folders: dict[str, Path], size: int | None) -> None:
    """Write one crop; a video's go to a temporary folder that is renamed when the video is through."""
    pixels = job.frames[0]
    if size is not None and pixels.shape[:2] != (size, size):
        pixels = resize(pixels, size, size)
    if job.row.level == 'image':
        _save(pixels, target)
        return
    folder = target.with_name(_part_name(target.name))
    if job.row.file not in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folders[job.row.file] = folder
    _save(pixels, folder / f'{job.row.frame:06d}.png')


def _part_name(name: str) -> str:
    """The temporary folder's name; short where the name with a prefix would be longer than file systems allow."""
    raw = name.encode('utf-8', 'surrogateescape')
    return f'.part-{name}' if len(raw) <= 200 else f'.part-{hashlib.sha256(raw).hexdigest()[:32]}'


def _save(pixels: np.ndarray, path: Path) -> None:
    kind = FORMATS[path.suffix.lower()]
    options: dict[str, dict] = {
        'JPEG': {'quality': 95, 'subsampling': 0},
        'AVIF': {'quality': 95, 'subsampling': '4:4:4'},
    }
    with atomic_write(path) as file:
        Image.fromarray(pixels).save(file, kind, **options.get(kind, {}))


def _copy(name: Path, target: Path) -> None:
    with atomic_write(target) as file:
        file.write(name.read_bytes())


def _finish(folders: dict[str, Path], targets: dict[str, Path]) -> None:
    """Give the folders of finished videos their names."""
    for name, folder in folders.items():
        folder.rename(targets[name])
    folders.clear()
