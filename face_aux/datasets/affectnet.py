"""Reader of AffectNet, in the layouts of its two releases."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.tables import iter_table, parse_int
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import (
    AFFECTNET_EMOTION,
    AFFECTNET_NOT_EMOTION,
    Task,
)
from face_aux.registry import DATASETS
from face_aux.videos import natural_key


@DATASETS.register_module()
class AffectNet(FaceDataset):
    """AffectNet in either of its layouts.

    The first release has ``training.csv`` and ``validation.csv``, as unpacked in ``Manually_Annotated_file_lists``
    beside the images' ``Manually_Annotated_Images``; the smaller one ``train_set`` and ``val_set`` (or ``train`` and
    ``val``) with ``images/*.jpg`` and ``annotations/<id>_exp.npy``. Expressions 8 to 10 (None, Uncertain, Non-face) are
    no emotions and are left out and counted. The release has no demographics: join published ones with ``group_file``.

    Args:
        contempt: Whether class 7 is kept (8 classes) or left out (7).
        layout: 'csv', 'npy', or 'auto' for whichever is there.
        image_prefix: Folder of the CSV layout's images below ``data_root``; None to look where the release has them.
        **kwargs: See :class:`FaceDataset`.
    """

    CSV_FILES = {'train': 'training.csv', 'val': 'validation.csv'}
    NPY_FOLDERS = {'train': ('train_set', 'train'), 'val': ('val_set', 'val', 'validation')}
    LISTS = ('', 'Manually_Annotated_file_lists', 'Manually_Annotated/Manually_Annotated_file_lists')
    IMAGES = ('', 'Manually_Annotated_Images', 'Manually_Annotated/Manually_Annotated_Images',
              'Manually_Annotated_compressed/Manually_Annotated_Images', 'Manually_Annotated', 'images')  # fmt: skip
    COLUMNS = ('subDirectory_filePath', 'face_x', 'face_y', 'face_width', 'face_height', 'facial_landmarks',
               'expression', 'valence', 'arousal')  # fmt: skip

    def __init__(
        self, contempt: bool = True, layout: str = 'auto', image_prefix: str | None = None, **kwargs: Any
    ) -> None:
        if layout not in ('auto', 'csv', 'npy'):
            raise UserError(f"AffectNet: layout={layout!r}; use 'auto', 'csv' or 'npy'")
        self.contempt, self.layout, self.image_prefix = contempt, layout, image_prefix
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """Seven or eight emotions."""
        return {'emotion': Task(AFFECTNET_EMOTION if self.contempt else AFFECTNET_EMOTION[:7])}

    def read(self) -> list[Record]:
        """The splits that are there, or the one that is wanted."""
        splits = list(self.CSV_FILES)
        if self.split is not None and self.split not in splits:
            raise UserError(f'{self._describe()}: no such split; AffectNet has {splits}')
        tables = {split: self._first(f'{base}/{self.CSV_FILES[split]}' for base in self.LISTS) for split in splits}
        folders = {split: self._first(f'{name}/annotations' for name in self.NPY_FOLDERS[split]) for split in splits}
        has_csv = self.layout == 'csv' or (self.layout == 'auto' and any(tables.values()))
        found: dict[str, Path | None] = tables if has_csv else folders
        records: list[Record] = []
        for split in [self.split] if self.split else splits:
            path = found[split]
            if path is not None:
                records += self._read_csv(split, path) if has_csv else self._read_npy(split, path.parent)
            elif self.split is not None:
                raise UserError(f'{self._describe()}: not there; {self._expected()}')
        if not any(found.values()):
            raise UserError(f'{self.root}: {self._expected()}')
        return records

    def _first(self, names: Iterable[str]) -> Path | None:
        """The first of several files or folders below the root that is there."""
        paths = (self.root / name.lstrip('/') for name in names)
        return next((path for path in paths if path.exists()), None)

    def _expected(self) -> str:
        return (
            'neither training.csv (or Manually_Annotated_file_lists/training.csv) nor train_set/annotations; '
            "data_root must be AffectNet's folder, with validation.csv or val_set beside it"
        )

    def _read_csv(self, split: str, path: Path) -> list[Record]:
        records = []
        prefix = self.image_prefix
        for row in iter_table(path, self.COLUMNS):
            where = row.where
            label = self._emotion(row['expression'], where)
            if label is None:
                continue
            x, y, width, height = (row.number(c) for c in self.COLUMNS[1:5])
            name = row['subDirectory_filePath']
            if prefix is None:  # the first image that is labelled decides for all
                prefix = next((base for base in self.IMAGES if (self.root / base / name).is_file()), '')
            image = self.root / prefix / name
            records.append(
                Record(str(image), {'emotion': label}, {}, split, face_box=(x, y, width, height), where=where)
            )
        return records

    def _read_npy(self, split: str, folder: Path) -> list[Record]:
        files = sorted((folder / 'annotations').glob('*_exp.npy'), key=natural_key)
        if not files:
            raise UserError(f'{folder}/annotations: no *_exp.npy; data_root must hold train_set and val_set')
        images = folder / 'images'
        suffixes = {p.stem: p.suffix for p in images.iterdir()} if images.is_dir() else {}
        records = []
        for path in files:
            label = self._emotion(_one_value(path), str(path))
            if label is not None:
                stem = path.name.removesuffix('_exp.npy')
                image = images / f'{stem}{suffixes.get(stem, ".jpg")}'
                records.append(Record(str(image), {'emotion': label}, {}, split, where=str(path)))
        return records

    def _emotion(self, text: str, where: str) -> int | None:
        value = parse_int(text, where, 'expression')
        if value in AFFECTNET_NOT_EMOTION:
            self.skip(where, f'expression {value} ({AFFECTNET_NOT_EMOTION[value]})')
        elif value == 7 and not self.contempt:
            self.skip(where, 'expression 7 (Contempt), with contempt=False')
        elif 0 <= value < len(AFFECTNET_EMOTION):
            return value
        else:
            raise UserError(f'{where}: expression {value}, expected 0 to 10')
        return None


def _one_value(path: Path) -> str:
    """The text of a .npy file with one value.

    Raises:
        UserError: It is something else; numpy's header parser raises almost anything on a damaged one.
    """
    try:
        if path.stat().st_size > 65536:
            raise ValueError('it is too large for one value')
        return str(np.load(path, allow_pickle=False).item())
    except Exception as error:
        raise UserError(f'{path}: not a one-value .npy file ({error})') from error
