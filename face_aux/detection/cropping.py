"""A folder of images and videos to a folder of face crops with the same names, so that a set stays the set it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.media import media_of
from face_aux.detection.source import FaceSource, Job, find_inputs
from face_aux.predictions import Prediction
from face_aux.transforms.geometric import resize

LABEL_SUFFIXES = ('.csv', '.txt', '.json', '.npy')
FORMATS = {'.jpg': 'JPEG', '.jpeg': 'JPEG', '.png': 'PNG', '.bmp': 'BMP', '.webp': 'WEBP', '.tif': 'TIFF',
           '.tiff': 'TIFF', '.ppm': 'PPM', '.pgm': 'PPM', '.gif': 'GIF'}  # fmt: skip


def crop_folder(source: FaceSource, root: Path, out: Path, size: int | None = None) -> list[Prediction]:
    """Crop the faces of a data set.

    An image ``a/b.jpg`` becomes ``out/a/b.jpg``, a video ``a/c.mp4`` the folder ``out/a/c`` of PNG frames. Label files
    (.csv, .txt, .json, .npy) are copied. What is there already is left alone, so a stopped run goes on.

    Args:
        source: Finds and cuts the faces; 'largest' only, for a name holds one face.
        root: Folder of the set.
        out: Folder of the crops, outside ``root``.
        size: Side of the crops in pixels; None for each face's own.

    Returns:
        Rows, at least one for every file that was looked at.

    Raises:
        UserError: ``root`` is no folder, ``out`` lies inside it, or more than the largest face is asked for.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder')
    if out.resolve().is_relative_to(root.resolve()):
        raise UserError(f'{out}: lies inside {root}, and would be searched next time; choose a folder outside')
    if source.faces != 'largest':
        raise UserError("crop_folder writes one face a name; use faces='largest'")
    wanted = [(name, kind) for name, kind in find_inputs([root]) if not _target(Path(name), root, out).exists()]
    rows: list[Prediction] = []
    folders: dict[str, Path] = {}
    for item in source.jobs(wanted):
        rows.append(item.row if isinstance(item, Job) else item)
        name = Path(rows[-1].file)
        if folders and str(name) not in folders:
            _finish(folders)
        if isinstance(item, Job):
            _write(item, _target(name, root, out), folders, size)
        elif name.suffix.lower() in LABEL_SUFFIXES:
            _copy(name, _target(name, root, out))
    _finish(folders)
    return rows


def _target(name: Path, root: Path, out: Path) -> Path:
    """Where the crops of a file go: the same name, for a video without its suffix."""
    target = out / name.relative_to(root)
    keeps_name = media_of(name) == 'image' or name.suffix.lower() in LABEL_SUFFIXES
    return target if keeps_name else target.with_suffix('')


def _write(job: Job, target: Path, folders: dict[str, Path], size: int | None) -> None:
    """Write one crop; a video's go to a temporary folder that is renamed when the video is through."""
    pixels = job.frames[0]
    if size is not None and pixels.shape[:2] != (size, size):
        pixels = resize(pixels, size, size)
    if job.row.level == 'image':
        _save(pixels, target)
        return
    folder = target.with_name(f'.part-{target.name}')
    if job.row.file not in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folders[job.row.file] = folder
    _save(pixels, folder / f'{job.row.frame:06d}.png')


def _save(pixels: np.ndarray, path: Path) -> None:
    with atomic_write(path) as file:
        options = {'quality': 95, 'subsampling': 0} if FORMATS[path.suffix.lower()] == 'JPEG' else {}
        Image.fromarray(pixels).save(file, FORMATS[path.suffix.lower()], **options)


def _copy(name: Path, target: Path) -> None:
    with atomic_write(target) as file:
        file.write(name.read_bytes())


def _finish(folders: dict[str, Path]) -> None:
    """Give the folders of finished videos their names."""
    for folder in folders.values():
        folder.rename(folder.with_name(folder.name.removeprefix('.part-')))
    folders.clear()
