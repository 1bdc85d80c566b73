"""Reader of RAF-DB's basic emotions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.media import media_of
from bmoe_ground.tables import parse_int
from bmoe_ground.texts import read_lines, read_text
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import (
    RAFDB_AGE,
    RAFDB_EMOTION,
    RAFDB_GENDER,
    RAFDB_RACE,
    Task,
)
from face_aux.registry import DATASETS


@DATASETS.register_module()
class RafDb(FaceDataset):
    """RAF-DB's basic emotions, with gender, race and age groups from its manual attributes where they are there.

    Official splits 'train' and 'test', by file name. Hold a validation part out of 'train' with ``fractions``. The
    archive is read as it unpacks (``basic/EmoLabel``, ``basic/Image/aligned``), and the copy with one folder a code
    (``DATASET/train/1`` to ``7``) too.

    Args:
        aligned: Use ``Image/aligned`` (100x100, ``_aligned.jpg``) or else ``Image/original``.
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'emotion': Task(RAFDB_EMOTION)}
    LISTS = ('EmoLabel/list_patition_label.txt', 'list_patition_label.txt', 'EmoLabel/list_partition_label.txt')
    GROUPS = (('gender', RAFDB_GENDER), ('race', RAFDB_RACE), ('age', RAFDB_AGE))

    def __init__(self, aligned: bool = True, **kwargs: Any) -> None:
        self.aligned = aligned
        super().__init__(**kwargs)

    def read(self) -> list[Record]:
        """One record a line of ``list_patition_label.txt`` (the authors' spelling), or an image in the folders."""
        bases = [base for base in (self.root / 'basic', self.root) if base.is_dir()] or [self.root]
        lists = [base / name for base in bases for name in self.LISTS]
        path = next((path for path in lists if path.is_file()), None)
        if path is not None:
            return self._read_list(path, next(base for base in bases if path.is_relative_to(base)))
        folders = [base for base in (self.root / 'DATASET', self.root) if (base / 'train' / '1').is_dir()]
        if folders:
            return self._read_folders(folders[0])
        raise UserError(
            f"{self.root}: neither {self.LISTS[0]}, in it or in basic, nor train/1; data_root must be RAF-DB's folder"
        )

    def _read_list(self, path: Path, base: Path) -> list[Record]:
        images = base / 'Image' / ('aligned' if self.aligned else 'original')
        if (images / images.name).is_dir():  # unpacked into a folder of the archive's name
            images = images / images.name
        records = []
        for line, text in read_lines(path):
            where, fields = f'{path}:{line}', text.split()
            if len(fields) != 2:
                raise UserError(f'{where}: expected an image name and a label, found {fields}')
            name, label = Path(fields[0]), self._code(fields[1], where)
            split = name.name.split('_')[0]
            if split not in ('train', 'test'):
                raise UserError(f'{where}: {name} begins with neither train_ nor test_')
            image = f'{name.stem}_aligned{name.suffix}' if self.aligned else str(name)
            groups = self._groups(base / 'Annotation' / 'manual' / f'{name.stem}_manu_attri.txt')
            records.append(Record(str(images / image), {'emotion': label}, groups, split, where=where))
        return records

    def _read_folders(self, base: Path) -> list[Record]:
        records = []
        for split in ('train', 'test'):
            for folder in sorted(p for p in (base / split).glob('*') if p.is_dir() and not p.name.startswith('.')):
                label = self._code(folder.name, str(folder))
                files = [path for path in walk_files(folder) if media_of(path) == 'image']
                records += [Record(str(path), {'emotion': label}, {}, split) for path in files]
        return records

    @staticmethod
    def _code(text: str, where: str) -> int:
        """The class index of a label that counts from 1."""
        label = parse_int(text, where, 'the label')
        if not 1 <= label <= len(RAFDB_EMOTION):
            raise UserError(f'{where}: label {label}, expected 1 to {len(RAFDB_EMOTION)}')
        return label - 1

    def _groups(self, path: Path) -> dict[str, str]:
        """Groups of one attribute file: five landmark lines, then gender, race and age codes."""
        if not path.is_file():
            return {}
        codes = read_text(path).split()[10:]
        if len(codes) != len(self.GROUPS):
            raise UserError(f'{path}: expected five landmarks, then gender, race and age; found {len(codes)} codes')
        groups = {}
        for code, (column, names) in zip(codes, self.GROUPS, strict=True):
            if self.unknown_group(column, code):
                continue
            value = parse_int(code, str(path), column)
            if not 0 <= value < len(names):
                hint = f'; if that means unknown: unknown_groups=[{value}]'
                raise UserError(f'{path}: {column} is {value}, expected 0 to {len(names) - 1}{hint}')
            groups[column] = names[value]
        return groups
