"""Readers of the deepfake sets: FaceForensics++, Celeb-DF v2, DFDC. In all of them here, 1 = fake."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.tables import iter_table
from bmoe_ground.texts import read_lines, read_text
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.records import Record
from face_aux.labels import FAKE, FF_METHODS, Task
from face_aux.registry import DATASETS

FAKE_TASK = Task(FAKE)
MEDIA = ('videos', 'frames')


def load_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        UserError: The file is missing or is not JSON; the message names it and the line.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f'{path}:{error.lineno}: not JSON ({error.msg})') from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets as deep
        raise UserError(f'{path}: JSON that is not read ({error!s:.100})') from error


class DeepfakeDataset(FaceDataset):
    """Videos that are real or fake.

    Args:
        media: 'videos' for the official files, or 'frames' for a folder of face crops in place of each video: of its
            name without the suffix, as ``tools/crop_faces.py`` writes them, or below a folder ``frames``.
        **kwargs: See :class:`FaceDataset`.
    """

    TASKS = {'fake': FAKE_TASK}

    def __init__(self, media: str = 'videos', **kwargs: Any) -> None:
        if media not in MEDIA:
            raise UserError(f'{type(self).__name__}: media={media!r}; use one of {MEDIA}')
        self.media = media
        super().__init__(**kwargs)

    def video(self, folder: Path, name: str, **fields: Any) -> Record:
        """A record of ``folder/name.mp4``, or of the folder of frames in its place."""
        if self.media == 'videos':
            return Record(str(folder / f'{name}.mp4'), media='video', **fields)
        return Record(str(self.frames_folder(folder) / name), media='frames', **fields)

    @staticmethod
    def frames_folder(videos: Path) -> Path:
        """Where the folders of frames are: ``frames`` beside ``videos`` or in the folder, else the folder itself."""
        beside = videos.with_name('frames') if videos.name == 'videos' else videos / 'frames'
        return beside if beside.is_dir() else videos


@DATASETS.register_module()
class FaceForensics(DeepfakeDataset):
    """FaceForensics++ with its official pairwise split.

    ``train.json``, ``val.json`` and ``test.json`` list pairs (a, b): the reals a and b, and the fakes a_b and b_a of
    every method, go together, so that no identity is on two sides. Groups: method and compression.

    Args:
        methods: Manipulations to use.
        compression: 'raw' (or 'c0'), 'c23' or 'c40'; several give all of them.
        splits_dir: Folder of the three JSON files below ``data_root``.
        **kwargs: See :class:`DeepfakeDataset`.
    """

    COMPRESSIONS = ('raw', 'c23', 'c40')

    def __init__(
        self,
        methods: Sequence[str] = FF_METHODS[:4],
        compression: str | Sequence[str] = 'c23',
        splits_dir: str = 'splits',
        **kwargs: Any,
    ) -> None:
        wanted = [compression] if isinstance(compression, str) else list(compression)
        self.compressions = ['raw' if c == 'c0' else c for c in wanted]
        if unknown := [c for c in self.compressions if c not in self.COMPRESSIONS]:
            raise UserError(f'FaceForensics: compression {unknown}; use {self.COMPRESSIONS}')
        if unknown := [m for m in methods if m not in FF_METHODS]:
            raise UserError(f'FaceForensics: methods {unknown}; use {FF_METHODS} (DeepFakeDetection has other names)')
        self.methods, self.splits_dir = tuple(methods), splits_dir
        super().__init__(**kwargs)

    def all_tasks(self) -> dict[str, Task]:
        """Real or fake, and which method."""
        return {'fake': FAKE_TASK, 'method': Task(('real', *self.methods))}

    def read(self) -> list[Record]:
        """Every video of the three lists, or of the one that is wanted."""
        records = []
        for split in ('train', 'val', 'test') if self.split is None else (self.split,):
            path = self.root / self.splits_dir / f'{split}.json'
            pairs = load_json(path)
            if not isinstance(pairs, list):
                raise UserError(f'{path}: expected a list of pairs ["000", "003"]')
            for number, pair in enumerate(pairs):
                if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)):
                    raise UserError(f'{path}: entry {number} is {pair!r}, expected a pair such as ["000", "003"]')
                for compression in self.compressions:
                    records += self._pair(pair[0], pair[1], compression, split, f'{path}[{number}]')
        return records

    def _pair(self, a: str, b: str, compression: str, split: str, where: str) -> list[Record]:
        subject = ('-'.join(sorted((a, b))),)
        records = []
        for label, method in enumerate(('real', *self.methods)):
            kind = 'manipulated_sequences' if label else 'original_sequences'
            folder = self.root / kind / (method if label else 'youtube') / compression / 'videos'
            for name in (f'{a}_{b}', f'{b}_{a}') if label else (a, b):
                records.append(
                    self.video(
                        folder,
                        name,
                        gt={'fake': int(label > 0), 'method': label},
                        groups={'method': method, 'compression': compression},
                        split=split,
                        subjects=subject,
                        video_id=f'{method}/{compression}/{name}',
                        where=where,
                    )
                )
        return records


@DATASETS.register_module()
class CelebDf(DeepfakeDataset):
    """Celeb-DF v2. Its test list says 1 for REAL; here, as everywhere, 1 = fake.

    Split 'test' is ``List_of_testing_videos.txt``, 'train' everything else. The official split shares identities;
    ``fractions`` inside 'train' does not, and leaves out the swaps between people of two parts.

    Args:
        **kwargs: See :class:`DeepfakeDataset`.
    """

    FOLDERS = {'Celeb-real': 0, 'YouTube-real': 0, 'Celeb-synthesis': 1}

    def read(self) -> list[Record]:
        """Every video of the three folders."""
        test = self._test_list()
        records = []
        for folder, label in self.FOLDERS.items():
            path = self.root / folder
            if not path.is_dir():
                raise UserError(f"{path}: no such folder; data_root must be Celeb-DF v2's folder")
            listed = self.frames_folder(path) if self.media == 'frames' else path
            names = sorted(p.stem if p.is_file() else p.name for p in listed.iterdir() if self._is_video(p))
            for name in names:
                key = f'{folder}/{name}'
                records.append(
                    self.video(
                        path,
                        name,
                        gt={'fake': label},
                        groups={'source': folder},
                        split='test' if key in test else 'train',
                        subjects=self._subjects(folder, name),
                        video_id=key,
                        where=test.get(key, ''),
                    )
                )
        have = {r.video_id for r in records}
        for key in sorted(test.keys() - have):
            self._missing(Record(str(self.root / key), {}, where=test[key]))
        return records

    def _is_video(self, path: Path) -> bool:
        return path.is_dir() if self.media == 'frames' else path.suffix.lower() == '.mp4'

    def _test_list(self) -> dict[str, str]:
        """Folder and name of each test video, and the line that says so."""
        path = self.root / 'List_of_testing_videos.txt'
        test = {}
        for line, text in read_lines(path):
            where, fields = f'{path}:{line}', text.split()
            if len(fields) != 2 or fields[0] not in ('0', '1'):
                raise UserError(f'{where}: expected "1 YouTube-real/00170.mp4" (1 = real), found {" ".join(fields)!r}')
            folder, _, name = fields[1].partition('/')
            if folder not in self.FOLDERS:
                raise UserError(f'{where}: unknown folder {folder!r}; expected one of {list(self.FOLDERS)}')
            if int(fields[0]) == self.FOLDERS[folder]:
                raise UserError(f'{where}: says {fields[0]} for a video of {folder}, but in this list 1 means real')
            test[f'{folder}/{Path(name).stem}'] = where
        return test

    @staticmethod
    def _subjects(folder: str, name: str) -> tuple[str, ...]:
        """``id0_id1_0003`` shows id0's video with id1's face; YouTube videos show one unknown person each."""
        if folder == 'YouTube-real':
            return (f'youtube {name}',)
        return tuple(part for part in name.split('_') if part.startswith('id'))


@DATASETS.register_module()
class Dfdc(DeepfakeDataset):
    """The DeepFake Detection Challenge set, or its preview.

    Full set: every ``*/metadata.json`` below the root is split 'train', ``test/labels.csv`` (or ``labels.csv``) is
    'test'. Preview: ``dataset.json`` with its own 'train' and 'test'. A fake and its original never come apart under
    ``fractions``.

    Args:
        **kwargs: See :class:`DeepfakeDataset`.
    """

    LABELS = {'REAL': 0, 'FAKE': 1}

    def read(self) -> list[Record]:
        """Whichever of the three label files are there."""
        if (self.root / 'dataset.json').is_file():
            return self._read_preview(self.root / 'dataset.json')
        records = []
        for path in (p for p in walk_files(self.root) if p.name == 'metadata.json'):
            records += self._read_metadata(path)
        for path in (self.root / 'test' / 'labels.csv', self.root / 'labels.csv'):
            if path.is_file():
                records += self._read_labels(path)
        if not records:
            raise UserError(f'{self.root}: no metadata.json, labels.csv or dataset.json below it')
        return records

    def _read_metadata(self, path: Path) -> list[Record]:
        """``{"x.mp4": {"label": "FAKE", "split": "train", "original": "y.mp4"}}``."""
        records = []
        for name, entry in self._entries(path):
            records.append(self._dfdc_video(path, name, entry, 'train', entry.get('original') or name))
        return records

    def _read_preview(self, path: Path) -> list[Record]:
        """``{"method_A/...mp4": {"label": "fake", "set": "train"}}``."""
        records = []
        for name, entry in self._entries(path):
            if entry.get('set') not in ('train', 'test'):
                raise UserError(f'{path}: {name}: set is {entry.get("set")!r}, expected train or test')
            subject = str(entry.get('target_id') or entry.get('original') or name)
            records.append(self._dfdc_video(path, name, entry, entry['set'], subject))
        return records

    def _read_labels(self, path: Path) -> list[Record]:
        """``filename,label`` with 1 for fake."""
        records = []
        for row in iter_table(path, ['filename', 'label']):
            where, label = row.where, row.integer('label')
            if label not in (0, 1):
                raise UserError(f'{where}: label {label}, expected 0 (real) or 1 (fake)')
            entry = {'label': 'FAKE' if label else 'REAL'}
            folder = path.parent / 'videos' if (path.parent / 'videos').is_dir() else path.parent
            records.append(self._dfdc_video(folder / path.name, row['filename'], entry, 'test', row['filename'], where))
        return records

    def _entries(self, path: Path) -> list[tuple[str, dict]]:
        table = load_json(path)
        if not isinstance(table, dict) or not all(isinstance(v, dict) for v in table.values()):
            raise UserError(f'{path}: expected {{"video.mp4": {{"label": "FAKE" or "REAL", ...}}}}')
        return sorted(table.items())

    def _dfdc_video(
        self, path: Path, name: str, entry: dict, split: str, subject: str, where: str | None = None
    ) -> Record:
        where = where or f'{path}: {name}'
        label = str(entry.get('label', '')).upper()
        if label not in self.LABELS:
            raise UserError(f'{where}: label {entry.get("label")!r}, expected FAKE or REAL')
        if not Path(name).name:
            raise UserError(f'{where}: {name!r} is no name of a video')
        stem = Path(name).with_suffix('').as_posix()
        method = Path(name).parts[0] if len(Path(name).parts) > 1 else ''
        return self.video(
            path.parent,
            stem,
            gt={'fake': self.LABELS[label]},
            groups={'method': method} if method else {},
            split=split,
            subjects=(subject,),
            video_id=f'{path.parent.name}/{stem}',
            where=where,
        )
