"""Readers of the attribute sets: CelebA, FairFace, UTKFace. Their labels are perceived, not self-declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.media import media_of
from bmoe_ground.tables import iter_table, parse_int
from bmoe_ground.texts import read_lines
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import (
    CELEBA_ATTRIBUTES,
    FAIRFACE_AGE,
    FAIRFACE_AGE_ALIASES,
    FAIRFACE_RACE,
    GENDER,
    UTKFACE_RACE,
    Task,
    bin_label,
    bin_names,
)
from face_aux.registry import DATASETS


@DATASETS.register_module()
class CelebA(FaceDataset):
    """CelebA's 40 binary attributes, from the official text files or the CSV copies.

    The files are taken from ``data_root`` itself or, as the official archive unpacks, from ``Anno``, ``Eval`` and
    ``Img`` below it. Splits 'train', 'val', 'test' are the official ones, which share no identity; ``fractions`` need
    ``identity_CelebA.txt``, for 10,177 people are in 202,599 images. Groups: gender, age (young or
    old) and skin (pale or not), all from the attributes themselves.

    Args:
        attributes: Attributes to predict, in this order; None for all 40.
        **kwargs: See :class:`FaceDataset`.
    """

    IMAGES = 'img_align_celeba'
    SPLITS = {'0': 'train', '1': 'val', '2': 'test'}
    GROUPS = {'gender': ('Male', 'male', 'female'), 'age': ('Young', 'young', 'old'), 'skin': ('Pale_Skin', 'pale', '')}

    def __init__(self, attributes: Sequence[str] | None = None, **kwargs: Any) -> None:
        self.attributes = tuple(attributes or CELEBA_ATTRIBUTES)
        if unknown := [a for a in self.attributes if a not in CELEBA_ATTRIBUTES]:
            raise UserError(f'CelebA: unknown attributes {unknown}; known: {", ".join(CELEBA_ATTRIBUTES)}')
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """One multi-label task."""
        return {'attributes': Task(self.attributes, multi_label=True)}

    def read(self) -> list[Record]:
        """One record a labelled image."""
        images = self._images()
        partition = self._two_columns('list_eval_partition', 'partition')
        identity = self._two_columns('identity_CelebA', 'identity', optional=True)
        records = []
        for where, name, values in self._attribute_rows():
            if name not in partition:
                raise UserError(f'{where}: {name} is not in list_eval_partition')
            records.append(
                Record(
                    path=str(images / name),
                    gt={'attributes': [values[a] for a in self.attributes]},
                    groups={c: yes if values[a] else no or f'not {yes}' for c, (a, yes, no) in self.GROUPS.items()},
                    split=self.SPLITS[partition[name]],
                    subjects=(identity[name],) if name in identity else (),
                    where=where,
                )
            )
        return records

    def _images(self) -> Path:
        """The folder of the aligned images; the Kaggle archive has it twice, one in the other."""
        found = [base / self.IMAGES for base in self._bases() if (base / self.IMAGES).is_dir()]
        images = found[0] if found else self.root / self.IMAGES
        return images / self.IMAGES if (images / self.IMAGES).is_dir() else images

    def _bases(self) -> list[Path]:
        """Where files may lie: the root, and the official archive's folders below it."""
        return [self.root, *(self.root / name for name in ('Anno', 'Eval', 'Img'))]

    def _check_identities(self, records: list[Record]) -> None:
        """A person with a face in two parts would be known by heart, so unknown identities are refused."""
        unknown = [record for record in records if not record.subjects]
        if unknown:
            raise UserError(
                f'{self._describe()}: {len(unknown)} of {len(records)} images have no identity, so fractions would put '
                'the same person into several parts; place identity_CelebA.txt of the official Anno folder below '
                "data_root, or take the official split='train', 'val' or 'test' without fractions"
            )

    def _attribute_rows(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """Where, image name and 0 or 1 for each attribute of every row."""
        path = self._one_of('list_attr_celeba')
        if path.suffix == '.csv':
            for row in iter_table(path, ['image_id', *CELEBA_ATTRIBUTES]):
                yield row.where, row['image_id'], {a: self._sign(row[a], row.where, a) for a in CELEBA_ATTRIBUTES}
            return
        lines = iter([(line, text.split()) for line, text in read_lines(path)])
        count = parse_int(next(lines, (1, ['']))[1][0], f'{path}:1', 'the number of images')
        names = next(lines, (2, []))[1]
        if tuple(names) != CELEBA_ATTRIBUTES:
            raise UserError(f"{path}:2: expected CelebA's 40 attribute names, found {len(names)}: {names[:3]}...")
        seen = 0
        for line, fields in lines:
            where = f'{path}:{line}'
            if len(fields) != 1 + len(names):
                raise UserError(f'{where}: {len(fields)} fields, expected an image name and {len(names)} values')
            values = zip(names, fields[1:], strict=True)
            yield where, fields[0], {a: self._sign(v, where, a) for a, v in values}
            seen += 1
        if seen != count:
            raise UserError(f'{path}:1: promises {count} images, but {seen} lines follow; the file is cut short')

    def _two_columns(self, stem: str, column: str, optional: bool = False) -> dict[str, str]:
        path = self._one_of(stem, optional)
        if not path.is_file():
            return {}
        if path.suffix == '.csv':
            table = {row['image_id']: (row.line, row[column]) for row in iter_table(path, ['image_id', column])}
        else:
            table = {}
            for line, text in read_lines(path):
                fields = text.split()
                if len(fields) != 2:
                    raise UserError(f'{path}:{line}: expected an image name and a number, found {fields}')
                table[fields[0]] = (line, fields[1])
        if column == 'partition':
            for line, value in table.values():
                if value not in self.SPLITS:
                    raise UserError(f'{path}:{line}: partition {value!r}; expected 0 (train), 1 (val) or 2 (test)')
        return {name: value for name, (_, value) in table.items()}

    def _one_of(self, stem: str, optional: bool = False) -> Path:
        for base in self._bases():
            for suffix in ('.txt', '.csv'):
                if (path := base / (stem + suffix)).is_file():
                    return path
        if optional:
            return self.root / (stem + '.txt')
        raise UserError(
            f"{self.root}: neither {stem}.txt nor {stem}.csv, nor in Anno or Eval; data_root must be CelebA's folder"
        )

    @staticmethod
    def _sign(text: str, where: str, attribute: str) -> int:
        if text not in ('1', '-1', '0'):
            raise UserError(f'{where}: {attribute} is {text!r}, expected 1 or -1')
        return int(text == '1')


@DATASETS.register_module()
class FairFace(FaceDataset):
    """FairFace's race, gender and age. Splits 'train' and 'val'; the set has no public test, val is used as one.

    Hold a validation part out of 'train' with ``fractions`` where 'val' is the test.

    Args:
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'race': Task(FAIRFACE_RACE), 'gender': Task(GENDER), 'age': Task(FAIRFACE_AGE)}

    def read(self) -> list[Record]:
        """Both CSVs, or the one that is wanted."""
        return [r for split in (('train', 'val') if self.split is None else (self.split,)) for r in self._read(split)]

    def _read(self, split: str) -> list[Record]:
        path = self.root / f'fairface_label_{split}.csv'
        records = []
        for row in iter_table(path, ['file', 'age', 'gender', 'race']):
            where = row.where
            values = {
                'race': row['race'],
                'gender': row['gender'].lower(),
                'age': FAIRFACE_AGE_ALIASES.get(row['age'], row['age']),
            }
            gt = {name: task.index(values[name], where) for name, task in self.TASKS.items()}
            records.append(Record(str(self.root / row['file']), gt, values, split, where=where))
        return records


@DATASETS.register_module()
class UTKFace(FaceDataset):
    """UTKFace: age, gender and race from the file names ``[age]_[gender]_[race]_[date].jpg``.

    Names that lack a field are left out and reported. There is no official split: use ``fractions``.

    Args:
        age_bins: Lower bounds of the age classes, in years.
        **kwargs: See :class:`FaceDataset`.
    """

    NAME = re.compile(r'^(\d{1,3})_([01])_([0-4])_(\d+)$')

    def __init__(self, age_bins: Sequence[int] = (0, 18, 30, 45, 60), **kwargs: Any) -> None:
        self.age_bins = tuple(age_bins)
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """Gender, race and binned age."""
        return {'gender': Task(GENDER), 'race': Task(UTKFACE_RACE), 'age': Task(tuple(bin_names(self.age_bins)))}

    def read(self) -> list[Record]:
        """Every image below the root, however the archive's parts are nested."""
        if not self.root.is_dir():
            raise UserError(f'{self.root}: no such folder; data_root must be the folder of UTKFace images')
        records = []
        tasks = self.all_tasks()
        for path in walk_files(self.root):
            if media_of(path) != 'image':
                continue
            match = self.NAME.match(path.name.split('.')[0])
            if match is None:
                self.skip(str(path), 'name is not [age]_[gender 0-1]_[race 0-4]_[date]')
                continue
            age, gender, race = (int(match[i]) for i in (1, 2, 3))
            if age < self.age_bins[0]:
                self.skip(str(path), f'younger than the first age bin, {self.age_bins[0]}')
                continue
            values = {
                'gender': GENDER[gender],
                'race': UTKFACE_RACE[race],
                'age': bin_label(age, self.age_bins),
            }
            gt = {name: task.classes.index(values[name]) for name, task in tasks.items()}
            records.append(Record(str(path), gt, values))
        return records
