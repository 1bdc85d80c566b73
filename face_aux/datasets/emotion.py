"""Readers of the emotion sets: AffectNet, RAF-DB, FER2013 and FER+."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.tables import Row, iter_table, parse_int, read_lines, read_text
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import (
    AFFECTNET_EMOTION,
    AFFECTNET_NOT_EMOTION,
    FER2013_EMOTION,
    FERPLUS_EMOTION,
    RAFDB_AGE,
    RAFDB_EMOTION,
    RAFDB_GENDER,
    RAFDB_RACE,
    Task,
)
from face_aux.registry import DATASETS
from face_aux.videos import natural_key


@DATASETS.register_module()
class AffectNet(FaceDataset):
    """AffectNet in either of its layouts.

    The first release has ``training.csv`` and ``validation.csv``; the smaller one ``train_set`` and ``val_set`` with
    ``images/*.jpg`` and ``annotations/<id>_exp.npy``. Expressions 8 to 10 (None, Uncertain, Non-face) are no emotions
    and are left out and counted. The release has no demographics: join published ones with ``group_file``.

    Args:
        contempt: Whether class 7 is kept (8 classes) or left out (7).
        layout: 'csv', 'npy', or 'auto' for whichever is there.
        image_prefix: Folder of the CSV layout's images below ``data_root``.
        **kwargs: See :class:`FaceDataset`.
    """

    CSV_FILES = {'train': 'training.csv', 'val': 'validation.csv'}
    NPY_FOLDERS = {'train': 'train_set', 'val': 'val_set'}
    COLUMNS = ('subDirectory_filePath', 'face_x', 'face_y', 'face_width', 'face_height', 'facial_landmarks',
               'expression', 'valence', 'arousal')  # fmt: skip

    def __init__(self, contempt: bool = True, layout: str = 'auto', image_prefix: str = '', **kwargs: Any) -> None:
        if layout not in ('auto', 'csv', 'npy'):
            raise UserError(f"AffectNet: layout={layout!r}; use 'auto', 'csv' or 'npy'")
        self.contempt, self.layout, self.image_prefix = contempt, layout, image_prefix
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """Seven or eight emotions."""
        return {'emotion': Task(AFFECTNET_EMOTION if self.contempt else AFFECTNET_EMOTION[:7])}

    def read(self) -> list[Record]:
        """The splits that are there, or the one that is wanted."""
        layout = self.layout
        if layout == 'auto':
            layout = 'csv' if any((self.root / f).is_file() for f in self.CSV_FILES.values()) else 'npy'
        names = self.CSV_FILES if layout == 'csv' else self.NPY_FOLDERS
        if self.split is not None and self.split not in names:
            raise UserError(f'{self._describe()}: no such split; AffectNet has {list(names)}')
        wanted = [s for s in names if s == self.split or (self.split is None and (self.root / names[s]).exists())]
        if not wanted:
            raise UserError(f"{self.root}: neither training.csv nor train_set; data_root must be AffectNet's folder")
        read = self._read_csv if layout == 'csv' else self._read_npy
        return [record for split in wanted for record in read(split)]

    def _read_csv(self, split: str) -> list[Record]:
        path = self.root / self.CSV_FILES[split]
        records = []
        for row in iter_table(path, self.COLUMNS):
            where = row.where
            label = self._emotion(row['expression'], where)
            if label is None:
                continue
            x, y, width, height = (row.number(c) for c in self.COLUMNS[1:5])
            image = self.root / self.image_prefix / row['subDirectory_filePath']
            records.append(
                Record(str(image), {'emotion': label}, {}, split, face_box=(x, y, width, height), where=where)
            )
        return records

    def _read_npy(self, split: str) -> list[Record]:
        folder = self.root / self.NPY_FOLDERS[split]
        files = sorted((folder / 'annotations').glob('*_exp.npy'), key=natural_key)
        if not files:
            raise UserError(f'{folder}/annotations: no *_exp.npy; data_root must hold train_set and val_set')
        records = []
        for path in files:
            try:
                value = str(np.load(path, allow_pickle=False).item())
            except (ValueError, OSError, EOFError) as error:
                raise UserError(f'{path}: not a one-value .npy file ({error})') from error
            label = self._emotion(value, str(path))
            if label is not None:
                image = folder / 'images' / f'{path.name.removesuffix("_exp.npy")}.jpg'
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


@DATASETS.register_module()
class RafDb(FaceDataset):
    """RAF-DB's basic emotions, with gender, race and age groups from its manual attributes where they are there.

    Official splits 'train' and 'test', by file name. Hold a validation part out of 'train' with ``fractions``.

    Args:
        aligned: Use ``Image/aligned`` (100x100, ``_aligned.jpg``) or else ``Image/original``.
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'emotion': Task(RAFDB_EMOTION)}
    GROUPS = (('gender', RAFDB_GENDER), ('race', RAFDB_RACE), ('age', RAFDB_AGE))

    def __init__(self, aligned: bool = True, **kwargs: Any) -> None:
        self.aligned = aligned
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """One record a line of ``list_patition_label.txt`` (the authors' spelling)."""
        base = self.root / 'basic' if (self.root / 'basic').is_dir() else self.root
        path = base / 'EmoLabel' / 'list_patition_label.txt'
        records = []
        for line, text in read_lines(path):
            where, fields = f'{path}:{line}', text.split()
            if len(fields) != 2:
                raise UserError(f'{where}: expected an image name and a label, found {fields}')
            name, label = Path(fields[0]), parse_int(fields[1], where, 'the label')
            if not 1 <= label <= len(RAFDB_EMOTION):
                raise UserError(f'{where}: label {label}, expected 1 to {len(RAFDB_EMOTION)}')
            split = name.name.split('_')[0]
            if split not in ('train', 'test'):
                raise UserError(f'{where}: {name} begins with neither train_ nor test_')
            image = f'aligned/{name.stem}_aligned{name.suffix}' if self.aligned else f'original/{name}'
            groups = self._groups(base / 'Annotation' / 'manual' / f'{name.stem}_manu_attri.txt')
            records.append(Record(str(base / 'Image' / image), {'emotion': label - 1}, groups, split, where=where))
        return records

    def _groups(self, path: Path) -> dict[str, str]:
        """Groups of one attribute file: five landmark lines, then gender, race and age codes."""
        if not path.is_file():
            return {}
        codes = read_text(path).split()[10:]
        if len(codes) != len(self.GROUPS):
            raise UserError(f'{path}: expected five landmarks, then gender, race and age; found {len(codes)} codes')
        groups = {}
        for code, (column, names) in zip(codes, self.GROUPS, strict=True):
            value = parse_int(code, str(path), column)
            if not 0 <= value < len(names):
                raise UserError(f'{path}: {column} is {value}, expected 0 to {len(names) - 1}')
            groups[column] = names[value]
        return groups


@DATASETS.register_module()
class Fer2013(FaceDataset):
    """FER2013's 48x48 grey faces from ``fer2013.csv``, or from one ``<split>.npz`` (x, y) a split.

    Splits: 'Training', 'PublicTest', 'PrivateTest'. The set has no group columns.

    Args:
        ann_name: File below ``data_root`` to read instead of ``fer2013.csv``.
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'emotion': Task(FER2013_EMOTION)}
    SPLITS = ('Training', 'PublicTest', 'PrivateTest')
    SIDE = 48

    def __init__(self, ann_name: str = 'fer2013.csv', **kwargs: Any) -> None:
        self.ann_name = ann_name
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """The CSV where it is, else the npz files."""
        if self.split is not None and self.split not in self.SPLITS:
            raise UserError(f'{self._describe()}: no such split; FER2013 has {list(self.SPLITS)}')
        if (self.root / self.ann_name).is_file():
            return self._read_csv(self.root / self.ann_name)
        files = {s: self.root / f'{s}.npz' for s in ([self.split] if self.split else self.SPLITS)}
        present = {split: path for split, path in files.items() if path.is_file()}
        if not present:
            raise UserError(f'{self.root}: neither {self.ann_name} nor {", ".join(p.name for p in files.values())}')
        return self._read_npz(present)

    def _read_npz(self, files: dict[str, Path]) -> list[Record]:
        pixels: list[np.ndarray] = []
        records: list[Record] = []
        for split, path in files.items():
            try:
                with np.load(path, allow_pickle=False) as archive:
                    x, y = archive['x'], archive['y']
            except (ValueError, OSError, KeyError, EOFError) as error:
                raise UserError(f'{path}: expected an npz with x (N, 48, 48) uint8 and y (N,) ({error})') from error
            if x.dtype != np.uint8 or x.ndim != 3 or len(x) != len(y):
                raise UserError(f'{path}: x is {x.dtype} {x.shape}, y {y.shape}; expected uint8 (N, H, W) and (N,)')
            if len(y) and not 0 <= y.min() <= y.max() < len(FER2013_EMOTION):
                raise UserError(f'{path}: labels {y.min()} to {y.max()}, expected 0 to {len(FER2013_EMOTION) - 1}')
            offset = len(records)
            pixels.append(x)
            records += [self._record(f'{path.name}:{i}', int(v), split, offset + i) for i, v in enumerate(y)]
        self.arrays = np.concatenate(pixels)
        return records

    def _read_csv(self, path: Path) -> list[Record]:
        pixels: list[np.ndarray] = []
        records: list[Record] = []
        for row in iter_table(path, ['emotion', 'pixels', 'Usage']):
            where = row.where
            if row['Usage'] not in self.SPLITS:
                raise UserError(f'{where}: Usage {row["Usage"]!r}; expected one of {self.SPLITS}')
            label = self._label(row, len(pixels))
            pixels.append(self._face(row['pixels'], where))
            if label is not None:
                records.append(self._record(f'{path.name}:{row.line}', label, row['Usage'], len(pixels) - 1))
        self._check_rows(len(pixels))
        self.arrays = np.stack(pixels) if pixels else np.zeros((0, self.SIDE, self.SIDE), np.uint8)
        return records

    def _label(self, row: Row, index: int) -> int | None:
        label = row.integer('emotion')
        if not 0 <= label < len(FER2013_EMOTION):
            raise UserError(f'{row.where}: emotion {label}, expected 0 to {len(FER2013_EMOTION) - 1}')
        return label

    def _check_rows(self, rows: int) -> None:
        """Nothing beside the CSV has to match it."""

    def _face(self, text: str, where: str) -> np.ndarray:
        try:
            values = np.array(text.split(), dtype=np.int64)
        except ValueError:
            raise UserError(f'{where}: pixels are not whole numbers') from None
        if values.size != self.SIDE**2 or values.min() < 0 or values.max() > 255:
            raise UserError(f'{where}: expected {self.SIDE**2} pixels of 0 to 255, found {values.size}')
        return values.astype(np.uint8).reshape(self.SIDE, self.SIDE)

    @staticmethod
    def _record(path: str, label: int, split: str, index: int) -> Record:
        return Record(path, {'emotion': label}, {}, split, media='array', where=path, array_index=index)


@DATASETS.register_module()
class FerPlus(Fer2013):
    """FER+: FER2013's faces relabelled by ten people, eight emotions (Barsoum et al., ICMI 2016).

    The majority rule of the authors' code: single votes are dropped as outliers, the winner must have more than half
    of what remains, and 'unknown' and 'not a face' are left out and counted.

    Args:
        votes_name: The votes, row by row in the order of ``fer2013.csv``.
        **kwargs: See :class:`Fer2013`.
    """

    TASKS = {'emotion': Task(FERPLUS_EMOTION)}
    VOTES = (*FERPLUS_EMOTION, 'unknown', 'NF')

    def __init__(self, votes_name: str = 'fer2013new.csv', **kwargs: Any) -> None:
        self.votes_name = votes_name
        self._votes: list[tuple[str, str, tuple[int, ...]]] = []
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """Both files, joined by row."""
        path = self.root / self.votes_name
        self._votes = []
        for row in iter_table(path, ['Usage', 'Image name', *self.VOTES]):
            self._votes.append((row.where, row['Usage'], tuple(row.integer(v) for v in self.VOTES)))
        if not (self.root / self.ann_name).is_file():
            raise UserError(f'{self.root / self.ann_name}: no such file; FER+ has votes only and needs the faces')
        return super().read()

    def _label(self, row: Row, index: int) -> int | None:
        if index >= len(self._votes):
            raise UserError(f'{row.where}: {self.votes_name} has only {len(self._votes)} rows')
        votes_where, usage, votes = self._votes[index]
        if usage != row['Usage']:
            raise UserError(
                f'{votes_where}: Usage {usage!r}, but {row.where} has {row["Usage"]!r}; the rows do not match'
            )
        winner = majority_vote(votes)
        if winner is None or winner >= len(FERPLUS_EMOTION):
            self.skip(votes_where, 'no majority' if winner is None else f'majority says {self.VOTES[winner]}')
            return None
        return winner

    def _check_rows(self, rows: int) -> None:
        if rows != len(self._votes):
            raise UserError(f'{self.votes_name} has {len(self._votes)} rows, {self.ann_name} {rows}; they must match')


def majority_vote(votes: Sequence[int]) -> int | None:
    """Index with more than half of the votes once single votes are dropped; None where there is none."""
    kept = [v if v > 1 else 0 for v in votes]
    best = max(range(len(kept)), key=kept.__getitem__)
    return best if kept[best] > sum(kept) / 2 else None
