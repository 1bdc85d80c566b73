"""Readers for one's own faces: a plain CSV, or a folder a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from bmoe_ground.errors import UserError
from bmoe_ground.folders import is_the_users, walk_files
from bmoe_ground.media import media_of
from bmoe_ground.tables import Row, read_table
from face_aux.datasets.base import POLICIES, FaceDataset
from face_aux.datasets.boxes import box_of, check_box_columns, find_box_columns, share_images
from face_aux.datasets.label_names import class_names, names_of_codes
from face_aux.datasets.records import Record
from face_aux.labels import IGNORE, Task, bin_label, bin_names
from face_aux.registry import DATASETS
from face_aux.transforms.geometric import CropFaceBox

YES_NO = {'1': 1, '0': 0, '-1': IGNORE, '': IGNORE, 'true': 1, 'false': 0, 'yes': 1, 'no': 0}


@DATASETS.register_module()
class CsvFaces(FaceDataset):
    """Faces listed in a CSV with a header: a path, label columns and group columns.

    Byte order marks and Windows line ends are fine. A path is taken below ``data_root`` and must stay there, unless
    it is absolute. An empty label cell means "no label for this task", an empty group cell "unknown". Image, video
    and folder-of-frames paths may be mixed. An image may show several faces, one row each, where columns have their
    boxes; the faces of one image, and of one person, never end in two parts.

    Args:
        ann_name: The CSV, below ``data_root`` or absolute.
        labels: Task name to ``dict(column=..., classes=[...])``. Without ``classes`` the sorted distinct values are
            the classes; give them wherever a checkpoint is to meet other data. Names for codes: a dict such as
            ``{1: 'Surprise', 2: 'Fear'}``, or a list of as many names where the codes plainly count from 0 or 1.
            ``bins=[0, 18, ...]`` turns a number into a class; ``columns=[...]`` in place of ``column`` makes a
            multi-label task of 0/1 columns (-1 or empty: not annotated). A plain list of class names is short for a
            column named like the task.
        group_columns: Columns to report by. ``{'age': [0, 18, 30]}`` among them turns a number into bins. Codes for
            "unknown" go to ``unknown_groups``.
        path_column: Column of the path.
        split_column: Column of the official split.
        subject_column: Column of the person; no person ends in two parts.
        split_by: 'subject' takes the column ``subject`` for that, where ``subject_column`` names none.
        video_column: Column of the video that a frame belongs to.
        box_columns: Columns of the face's box in pixels: x, y, w, h or x1, y1, x2, y2 (and other usual names); None to
            look for them in the header. Where rows have one, ``CropFaceBox`` joins the pipeline after the loading.
        image_prefix: Folder of the images below ``data_root``.
        delimiter: Field separator; None tells commas, semicolons and tabs apart by the header.
        unknown_label: A label outside ``classes``: 'error', or 'skip' and report.
        **kwargs: See :class:`FaceDataset`.
    """

    def __init__(
        self,
        ann_name: str = 'labels.csv',
        labels: Mapping[str, Any] | None = None,
        group_columns: Sequence[str | Mapping[str, Sequence[float]]] = (),
        path_column: str = 'path',
        split_column: str | None = None,
        subject_column: str | None = None,
        split_by: str | None = None,
        video_column: str | None = None,
        box_columns: Sequence[str] | None = None,
        image_prefix: str = '',
        delimiter: str | None = None,
        unknown_label: str = 'error',
        **kwargs: Any,
    ) -> None:
        if unknown_label not in POLICIES:
            raise UserError(f'CsvFaces: unknown_label={unknown_label!r}; use one of {POLICIES}')
        if split_by not in (None, 'subject'):
            raise UserError(f"CsvFaces: split_by={split_by!r}; expected None or 'subject'")
        if not labels:
            raise UserError("CsvFaces: labels is empty; give e.g. labels=dict(gender=['male', 'female'])")
        self.labels = {name: self._label_spec(name, spec) for name, spec in labels.items()}
        self.group_bins: dict[str, Sequence[float] | None] = {}
        for column in group_columns:
            self.group_bins.update({column: None} if isinstance(column, str) else dict(column))
        self.ann_name, self.image_prefix, self.delimiter = ann_name, image_prefix, delimiter
        self.path_column, self.unknown_label = path_column, unknown_label
        self.subject_column = subject_column or split_by  # the column is called as what it holds
        self.split_column, self.video_column = split_column, video_column
        self.box_columns = None if box_columns is None else check_box_columns(box_columns, 'CsvFaces')
        self._tasks: dict[str, Task] = {}
        self._codes: dict[str, dict[str, str]] = {}
        super().__init__(**kwargs)

    @staticmethod
    def _label_spec(name: str, spec: Any) -> dict:
        spec = dict(spec) if isinstance(spec, Mapping) else {'classes': spec}
        if unknown := set(spec) - {'column', 'columns', 'classes', 'bins'}:
            raise UserError(f'CsvFaces: labels[{name!r}] has unknown keys {sorted(unknown)}')
        spec.setdefault('column', name)
        spec['classes'], spec['codes'] = class_names(spec.get('classes'), f'CsvFaces: labels[{name!r}]')
        return spec

    def all_tasks(self) -> dict[str, Task]:
        """The tasks of ``labels``."""
        return self._tasks

    def read(self) -> list[Record]:
        """One record a row; rows that say the same twice count once."""
        path = self.root / self.ann_name
        rows = read_table(path, self._columns(), self.delimiter)
        if self.box_columns is None:
            self.box_columns = find_box_columns(list(rows[0]))
        self._tasks = {name: self._task(spec, rows) for name, spec in self.labels.items()}
        self._codes = {name: self._codes_of(name, rows, str(path)) for name in self.labels}
        records: dict[tuple, Record] = {}
        for row in rows:
            record = self._record(row)
            if record is None:
                continue
            first = records.setdefault((record.path, record.face_box), record)
            if first is not record:
                if first.gt != record.gt:
                    raise UserError(
                        f'{record.where}: {record.path} has another label than at {first.where}; if these are several '
                        'faces of one image, give their boxes in columns x, y, w, h or x1, y1, x2, y2'
                    )
                self.skip(record.where, 'listed twice')
        self._crop_boxes(any(record.face_box for record in records.values()))
        return share_images(list(records.values()))

    def _codes_of(self, name: str, rows: Sequence[Row], where: str) -> dict[str, str]:
        """Label in the file to class name, where they differ."""
        spec = self.labels[name]
        if spec['codes'] or spec.get('columns') or spec.get('bins') or not spec['classes']:
            return spec['codes']
        column = spec['column']
        return names_of_codes((row[column] for row in rows), spec['classes'], f'{where}, column {column!r}')

    def _crop_boxes(self, has_boxes: bool) -> None:
        """See to it that annotated faces are cut out: a pipeline that takes the whole image would mix them up."""
        steps = self.pipeline.transforms
        if has_boxes and steps and not any(isinstance(step, CropFaceBox) for step in steps):
            steps.insert(1, CropFaceBox())
            print_log(f'{self._describe()}: its boxes are cut out of the images (CropFaceBox)', logger='current')

    def group_names(self) -> list[str]:
        """The group columns, and those of another file."""
        return [*self.group_bins, *super().group_names()]

    def _columns(self) -> list[str]:
        columns = [self.path_column, *self.group_bins, *(self.box_columns or ())]
        for spec in self.labels.values():
            columns += spec.get('columns') or [spec['column']]
        extra = (self.split_column, self.subject_column, self.video_column)
        return list(dict.fromkeys([*columns, *(c for c in extra if c)]))

    def _task(self, spec: dict, rows: Sequence[Row]) -> Task:
        if spec.get('columns'):
            return Task(tuple(spec['columns']), multi_label=True)
        if spec.get('bins'):
            return Task(tuple(bin_names(spec['bins'])))
        return Task(tuple(spec.get('classes') or sorted({row[spec['column']] for row in rows} - {''})))

    def _record(self, row: Row) -> Record | None:
        where = row.where
        path = self._path(row[self.path_column], where)
        try:
            gt = {name: self._label(name, spec, row, where) for name, spec in self.labels.items()}
        except UserError as error:
            if self.unknown_label == 'error':
                raise
            self.skip(where, str(error).removeprefix(f'{where}: '))
            return None
        groups = {c: self._group(c, row[c], where) for c in self.group_bins if not self.unknown_group(c, row[c])}
        return Record(
            path=str(path),
            gt=gt,
            groups=groups,
            split=row[self.split_column] if self.split_column else '',
            subjects=(row[self.subject_column],) if self.subject_column and row[self.subject_column] else (),
            video_id=(row[self.video_column] or None) if self.video_column else media_id(path),
            media=media_kind(path),
            face_box=box_of(row, self.box_columns, where) if self.box_columns else None,
            where=where,
        )

    def _path(self, text: str, where: str) -> Path:
        if not text:
            raise UserError(f'{where}: column {self.path_column!r} is empty')
        text = text.replace('\\', '/') if '\\' in text and '/' not in text else text
        base = (self.root / self.image_prefix).resolve()
        path = Path(text)
        if path.is_absolute():
            return path
        if not (base / path).resolve().is_relative_to(self.root.resolve()):
            raise UserError(f'{where}: {text} leaves the folder {self.root}; give a data_root above it')
        return self.root / self.image_prefix / path

    def _label(self, name: str, spec: dict, row: dict[str, str], where: str) -> int | list[int]:
        if spec.get('columns'):
            return [self._yes_no(row[c], c, where) for c in spec['columns']]
        text = row[spec['column']]
        if not text:
            return IGNORE
        if spec.get('bins'):
            text = self._bin(text, spec['bins'], spec['column'], where)
        return self._tasks[name].index(self._codes[name].get(text, text), where)

    def _group(self, column: str, text: str, where: str) -> str:
        bins = self.group_bins[column]
        hint = f'; if that means unknown: unknown_groups=[{text}]'
        return text if bins is None else self._bin(text, bins, column, where, hint)

    @staticmethod
    def _bin(text: str, bins: Sequence[float], column: str, where: str, hint: str = '') -> str:
        try:
            return bin_label(float(text), bins)
        except ValueError as error:
            raise UserError(f'{where}: {column} is {text!r}, expected a number of at least {bins[0]}{hint}') from error

    @staticmethod
    def _yes_no(text: str, column: str, where: str) -> int:
        if text.lower() not in YES_NO:
            raise UserError(f'{where}: {column} is {text!r}; expected 1, 0, or -1 for not annotated')
        return YES_NO[text.lower()]


@DATASETS.register_module()
class FolderFaces(FaceDataset):
    """Faces in one folder a class, ``root/<class>/**``, or with splits ``root/<split>/<class>/**``.

    Files that are neither images nor videos are left out and reported, hidden ones silently.

    Args:
        task: Name of the task.
        classes: Class names in index order; None for the sorted folder names. Names for folders that are codes: a dict
            such as ``{1: 'Surprise', 2: 'Fear'}``, or as many names where the codes plainly count from 0 or 1.
        with_splits: Whether the first level is the split.
        **kwargs: See :class:`FaceDataset`.
    """

    def __init__(
        self,
        task: str = 'label',
        classes: Sequence[str] | Mapping[Any, str] | None = None,
        with_splits: bool = False,
        **kwargs: Any,
    ) -> None:
        self.task, self.with_splits = task, with_splits
        self.classes, self._codes = class_names(classes, 'FolderFaces')
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """The one task."""
        return {self.task: Task(self.classes)}

    def read(self) -> list[Record]:
        """One record a file."""
        if not self.root.is_dir():
            raise UserError(f'{self.root}: no such folder')
        roots = {p.name: p for p in self._folders(self.root)} if self.with_splits else {'': self.root}
        folders = [(split, folder) for split, root in roots.items() for folder in self._folders(root)]
        if not folders:
            raise UserError(f'{self.root}: no class folders in it; expected <class>/<image>')
        found = {folder.name for _, folder in folders}
        self.classes = self.classes or tuple(sorted(found))
        codes = self._codes or names_of_codes(found, self.classes, str(self.root))
        records = []
        for split, folder in folders:
            label = Task(self.classes).index(codes.get(folder.name, folder.name), str(folder))
            for path in walk_files(folder):
                if media_of(path) is None:
                    self.skip(str(path), f'neither image nor video ({path.suffix or "no suffix"})')
                    continue
                kind = media_kind(path)
                records.append(Record(str(path), {self.task: label}, {}, split, video_id=media_id(path), media=kind))
        return records

    @staticmethod
    def _folders(root: Path) -> list[Path]:
        return sorted(p for p in root.iterdir() if p.is_dir() and is_the_users(p.name))


def media_kind(path: Path) -> str:
    """'video' or 'image' by the suffix; 'frames' for a path without one."""
    if media_of(path) == 'video':
        return 'video'
    return 'image' if path.suffix else 'frames'


def media_id(path: Path) -> str | None:
    """A video's own name as its id; None for an image."""
    return None if media_kind(path) == 'image' else path.as_posix()
