"""What all face datasets share: splits, holdouts, subsets, outside group columns, and how bad files are met."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from bmoe_ground.errors import UserError
from bmoe_ground.splits import stratified_group_split, stratified_subset
from bmoe_ground.tables import iter_table
from face_aux.datasets.counts import count_classes
from face_aux.datasets.groups import Codes, UnknownGroups, count_unknown, drop_unknown
from face_aux.datasets.records import Record, Skipped
from face_aux.datasets.unlabelled import UnlabelledFaces, make_unlabelled
from face_aux.datasets.unlabelled_notes import notes_on
from face_aux.labels import IGNORE, Task
from face_aux.registry import TRANSFORMS
from face_aux.transforms.chance import seeded
from mm_runtime.determinism import SharedEpoch

POLICIES = ('error', 'skip')


class FaceDataset(BaseDataset):
    """Faces with labels for one or more tasks and, where known, group columns.

    A subclass reads its official files in :meth:`read`. Every item that reaches the pipeline is a dict with
    ``path``, ``media`` ('image', 'video', 'frames' or 'array'), ``gt``, ``groups``, ``video_id``, ``position``
    (relative place in a video, 0..1) and, where there is one, ``face_box`` or ``array``.

    ``metainfo['tasks']`` maps each task to its ``classes`` and ``multi_label``, ``metainfo['class_counts']`` to the
    samples of each class; :attr:`skipped` lists every line and file that was left out, with the reason.

    Args:
        data_root: Folder of the set.
        pipeline: Transforms, as callables or registry dicts.
        split: Official split to take; None for all of them.
        tasks: Tasks to keep; None for all that the set has.
        fractions: Shares of a further split, such as ``dict(train=0.9, val=0.1)``, stratified by the labels and never
            with one person on both sides. Taken inside ``split``.
        part: The part of ``fractions`` to take.
        split_seed: Seed of that split and of ``subset``.
        stratify: Tasks and group columns to stratify by; None for every single-label task.
        subset: Keep only so many samples (int) or such a share (float), proportions kept.
        subset_seed: Seed of the subset; None for ``split_seed``.
        frames_per_video: Samples drawn from each video, evenly spaced.
        group_file: Group columns from another CSV: ``dict(file=..., key='img_path', columns=[...], match='path')``,
            where ``match`` says what the key column holds: 'path' below ``data_root``, 'name', 'stem' or 'video_id'.
        unknown_groups: Codes of the group columns for "not known", such as ``[-1, 9]`` or ``dict(race=[9])``, beside
            the usual words (empty, NA, none, unknown). How many samples that leaves without a group is said.
        missing: A labelled file that is not there: 'error', or 'skip' and report.
        bad_images: A file that cannot be decoded: 'error', or 'skip', which logs it and draws another sample (only
            in training; testing always stops, for a silent gap would falsify the scores).
        unlabelled: Faces without labels for the auxiliary task: a folder, or more; see
            :class:`face_aux.datasets.unlabelled.UnlabelledFaces`.
        unlabelled_ratio: How many of them go beside each labelled sample.
        test_mode: Whether the samples are for validation or test.
        serialize_data: Keep the records in one shared byte array, so that workers do not copy them.
        lazy_init: Do not read the files yet.
        max_refetch: Most samples tried in a row where ``bad_images`` is 'skip'.
    """

    TASKS: dict[str, Task] = {}

    unit = 'images'  # what a sample is called on the screen

    def __init__(
        self,
        data_root: str = '',
        pipeline: Sequence[dict | Callable] = (),
        split: str | None = None,
        tasks: Sequence[str] | None = None,
        fractions: Mapping[str, float] | None = None,
        part: str | None = None,
        split_seed: int = 0,
        stratify: Sequence[str] | None = None,
        subset: int | float | None = None,
        subset_seed: int | None = None,
        frames_per_video: int = 1,
        group_file: Mapping[str, Any] | None = None,
        unknown_groups: Codes | None = None,
        missing: str = 'error',
        bad_images: str = 'error',
        unlabelled: str | Mapping[str, Any] | None = None,
        unlabelled_ratio: int = 1,
        test_mode: bool = False,
        serialize_data: bool = True,
        lazy_init: bool = False,
        max_refetch: int = 100,
    ) -> None:
        for name, value in (('missing', missing), ('bad_images', bad_images)):
            if value not in POLICIES:
                raise UserError(f'{type(self).__name__}: {name}={value!r}; use one of {POLICIES}')
        if (fractions is None) != (part is None):
            raise UserError(f'{type(self).__name__}: give fractions and part together, got {fractions} and {part!r}')
        if fractions is not None and part not in fractions:
            raise UserError(f'{type(self).__name__}: part={part!r} is not one of the fractions {dict(fractions)}')
        self.split, self.part, self.fractions = split, part, fractions
        self.split_seed, self.stratify, self.subset = split_seed, stratify, subset
        self.subset_seed = split_seed if subset_seed is None else subset_seed
        self.frames_per_video, self.group_file = frames_per_video, group_file
        self.missing, self.bad_images = missing, bad_images
        self.unknown_group = UnknownGroups(unknown_groups)
        self.skipped: list[Skipped] = []
        self.arrays: np.ndarray | None = None
        self.shared_epoch = SharedEpoch()
        self.shared_epoch.epoch = -1  # no hook has set it: the random transforms draw from the global generator
        self._task_names = tasks
        built = [TRANSFORMS.build(t) if isinstance(t, Mapping) else t for t in pipeline]
        self.unlabelled: UnlabelledFaces | None = None
        super().__init__(
            data_root=str(data_root),
            data_prefix={},
            pipeline=built,
            test_mode=test_mode,
            serialize_data=serialize_data,
            lazy_init=lazy_init,
            max_refetch=max_refetch,
        )
        if unlabelled is not None and not test_mode:
            self.unlabelled = make_unlabelled(unlabelled, self.pipeline, unlabelled_ratio, bad_images)

    @property
    def root(self) -> Path:
        """Folder of the set."""
        return Path(self.data_root)

    def read(self) -> list[Record]:
        """Read every labelled sample of the set from its official files.

        Samples that cannot be used go to :meth:`skip`.
        """
        raise TypeError(f'{type(self).__name__} does not say how its files are read')

    def all_tasks(self) -> dict[str, Task]:
        """Every task that the set has labels for; called after :meth:`read`."""
        return self.TASKS

    def skip(self, where: str, reason: str) -> None:
        """Note that a line or file is left out."""
        self.skipped.append(Skipped(where, reason))

    def load_data_list(self) -> list[dict]:
        """Read, select and expand the samples; logs what was left out."""
        records = self.read()
        tasks = self._select_tasks()
        self._metainfo['tasks'] = {name: task.to_dict() for name, task in tasks.items()}
        records = self._take_split(records)
        if self.group_file is not None:
            records = self._join_groups(records, **self.group_file)
        records = drop_unknown(records, self.unknown_group)
        records = self._existing(records)
        records = self._take_part(records)
        if self.subset is not None:
            keys = self._sample_keys(records)
            chosen = stratified_subset(keys, self._strata(records), self.subset, self.subset_seed)
            records = [records[i] for i in chosen]
        self._report_skipped()
        self._report_unknown_groups(records)
        if not records:
            raise UserError(f'{self._describe()}: no sample is left{self._why_empty()}')
        self._metainfo['class_counts'] = count_classes(records, tasks)
        return [item for record in records for item in self._expand(record)]

    def _why_empty(self) -> str:
        """What became of the samples of an empty set."""
        if self.skipped:
            return f'; see the log for the {len(self.skipped)} left out'
        if self.fractions is None:
            return ''
        return (
            f': its share is {self.fractions[self.part or ""]:g}, and there are too few samples, or too few persons, '
            'to give each part one. Add some, or change the shares with dataset.fractions'
        )

    def get_data_info(self, idx: int) -> dict:
        """The ``idx``-th item, with its pixels where the set keeps them in memory."""
        info = super().get_data_info(idx)
        if self.arrays is not None:
            info['array'] = self.arrays[info.pop('array_index')]
        return info

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline; a file that cannot be decoded is logged and skipped only where that was asked for.

        In a training run whose ``EpochSeedHook`` sets the epoch, the random transforms of a sample depend on seed,
        epoch and index alone, so that neither the workers nor a stop and resume change them.
        """
        if self.test_mode:
            return super().prepare_data(idx)
        driven = self.shared_epoch.epoch >= 0
        with seeded(self.shared_epoch.seed, self.shared_epoch.epoch, idx) if driven else nullcontext():
            try:
                packed = super().prepare_data(idx)
            except UserError as error:
                if self.bad_images == 'error':
                    raise
                print_log(f'left out, another sample is drawn: {error}', logger='current', level=logging.WARNING)
                return None
            if self.unlabelled is None or packed is None:
                return packed
            epoch, seed = self.shared_epoch.epoch, self.shared_epoch.seed
            return {**packed, **self.unlabelled.companions(idx, len(self), epoch, seed)}

    def get_cat_ids(self, idx: int) -> list[int]:
        """Class of the first single-label task, for mmengine's ``ClassBalancedDataset``."""
        gt = self.get_data_info(idx)['gt']
        return [int(label) for label in gt.values() if not isinstance(label, list)][:1]

    def notes(self) -> list[str]:
        """What the start of a training should say of the set, a line each."""
        return [] if self.unlabelled is None else notes_on(self.unlabelled, self.get_data_info, len(self))

    def _describe(self) -> str:
        chosen = [f'split={self.split!r}'] if self.split else []
        chosen += [f'part={self.part!r}'] if self.part else []
        return f'{type(self).__name__}({self.data_root!r}{"".join(", " + c for c in chosen)})'

    def _key(self, record: Record) -> str:
        """The sample's name below the root, so that a moved set splits the same."""
        path = Path(record.path)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else record.path

    def _sample_keys(self, records: list[Record]) -> list[str]:
        """A unique name for each sample: the file's, and the box where an image has several faces."""
        names = [self._key(record) for record in records]
        count = Counter(names)
        return [f'{n} {r.face_box}' if count[n] > 1 and r.face_box else n for n, r in zip(names, records, strict=True)]

    def _check_identities(self, records: list[Record]) -> None:
        """Refuse, or tell of, a split of ours that would put one person on both sides; a subclass knows its set."""
        unknown = sum(not record.subjects for record in records)
        if 0 < unknown < len(records):
            print_log(
                f'{self._describe()}: {unknown} of {len(records)} samples name no person; each is split as a person of '
                'its own',
                logger='current',
                level=logging.WARNING,
            )

    def _select_tasks(self) -> dict[str, Task]:
        tasks = self.all_tasks()
        if self._task_names is None:
            return dict(tasks)
        if unknown := [name for name in self._task_names if name not in tasks]:
            raise UserError(f'{self._describe()}: no task {unknown}; its tasks are {list(tasks)}')
        return {name: tasks[name] for name in self._task_names}

    def _take_split(self, records: list[Record]) -> list[Record]:
        if self.split is None:
            return records
        counts = Counter(r.split for r in records)
        if self.split not in counts:
            known = {name: n for name, n in counts.items() if name}
            raise UserError(f'{self._describe()}: no sample in this split; the splits found are {known}')
        return [r for r in records if r.split == self.split]

    def _join_groups(
        self, records: list[Record], file: str, key: str, columns: Sequence[str], match: str = 'path'
    ) -> list[Record]:
        names: dict[str, Callable[[Record], str]] = {
            'path': self._key,
            'name': lambda r: Path(r.path).name,
            'stem': lambda r: Path(r.path).stem,
            'video_id': lambda r: r.video_id or '',
        }
        if match not in names:
            raise UserError(f'group_file {file}: match={match!r}; use one of {list(names)}')
        path = self.root / file
        table = {row[key]: {c: row[c] for c in columns if row[c]} for row in iter_table(path, [key, *columns])}
        joined = [replace(r, groups={**r.groups, **table.get(names[match](r), {})}) for r in records]
        found = sum(names[match](r) in table for r in records)
        if records and not found:
            raise UserError(f'{path}: no {key!r} matches a sample by {match}, e.g. {names[match](records[0])!r}')
        print_log(f'{path}: groups for {found} of {len(records)} samples', logger='current')
        return joined

    def _existing(self, records: list[Record]) -> list[Record]:
        """Drop or refuse the records whose file is not there; folders are listed once, which is fast."""
        listings: dict[Path, set[str]] = {}
        kept = []
        for record in records:
            path = Path(record.path)
            if record.media != 'array':
                if path.parent not in listings:
                    listings[path.parent] = _listing(path.parent)
                if path.name not in listings[path.parent]:
                    self._missing(record)
                    continue
            kept.append(record)
        return kept

    def _missing(self, record: Record) -> None:
        message = f'{record.where or type(self).__name__}: no such file {record.path}'
        if self.missing == 'error':
            raise UserError(f"{message}; complete the set, or give missing='skip' to leave such samples out")
        self.skip(record.where or record.path, f'no such file {record.path}')

    def _strata(self, records: list[Record]) -> list[tuple]:
        single = [name for name, task in self.all_tasks().items() if not task.multi_label]
        columns = list(self.stratify) if self.stratify is not None else single
        known = set(self.all_tasks()).union(*(r.groups for r in records))
        if unknown := [c for c in columns if c not in known]:
            raise UserError(f'{self._describe()}: stratify names {unknown}, but there are only {sorted(known)}')
        return [tuple(str(r.gt.get(c, r.groups.get(c, ''))) for c in columns) for r in records]

    def _take_part(self, records: list[Record]) -> list[Record]:
        if self.fractions is None:
            return records
        keys = self._sample_keys(records)
        self._check_identities(records)
        subjects = [r.subjects for r in records]
        parts = stratified_group_split(keys, self._strata(records), self.fractions, self.split_seed, subjects)
        for record, part in zip(records, parts, strict=True):
            if part is None:
                self.skip(record.path, 'shows people of two parts of the split')
        return [r for r, part in zip(records, parts, strict=True) if part == self.part]

    def _expand(self, record: Record) -> list[dict]:
        """The pipeline's items of one record: one, or ``frames_per_video`` of a video."""
        tasks = self._metainfo['tasks']
        gt = {name: record.gt.get(name, IGNORE) for name in tasks}
        item: dict[str, Any] = {
            'path': record.path,
            'media': record.media,
            'gt': gt,
            'groups': record.groups,
            'video_id': record.video_id,
            'position': 0.5,
        }
        if record.face_box is not None:
            item['face_box'] = record.face_box
        if record.array_index is not None:
            item['array_index'] = record.array_index
        if record.media not in ('video', 'frames'):
            return [item]
        count = self.frames_per_video
        return [{**item, 'position': (i + 0.5) / count, 'segment': 1 / count} for i in range(count)]

    def group_names(self) -> list[str]:
        """Group columns that the set has even where no sample has a value."""
        return list((self.group_file or {}).get('columns', ()))

    def _report_unknown_groups(self, records: list[Record]) -> None:
        lacking = count_unknown(records, self.group_names())
        if lacking:
            shown = ', '.join(f'{column} of {count}' for column, count in lacking.items())
            print_log(f'{self._describe()}: group not known, of {len(records)} samples: {shown}', logger='current')

    def _report_skipped(self) -> None:
        if not self.skipped:
            return
        reasons = Counter(s.reason for s in self.skipped)
        shown = '; '.join(f'{n} x {reason}' for reason, n in reasons.most_common(5))
        first = ', '.join(s.where for s in self.skipped[:5])
        print_log(
            f'{self._describe()}: {len(self.skipped)} left out ({shown}); first: {first}',
            logger='current',
            level=logging.WARNING,
        )


def _listing(folder: Path) -> set[str]:
    """Names in a folder; none where there is no such folder, or cannot be one of this name.

    Raises:
        UserError: It may not be read.
    """
    try:
        return set(os.listdir(folder))
    except PermissionError as error:
        raise UserError(f'{folder}: cannot be read: {error.strerror}') from error
    except (OSError, ValueError):
        return set()
