"""MPIIGroupInteraction's bodily behaviours: several labels for each window of 64 frames of a long recording."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.tables import Row, read_table
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.mpii_classes import BEHAVIOURS
from bmoe_skel.datasets.windows import WindowDataset
from bmoe_skel.registry import DATASETS

TIME_UNITS = ('seconds', 'frames')
_FACTS = ('sample_id', 'rec_no', 'subject_pos', 'start_time', 'end_time')


@DATASETS.register_module()
class MPIIGroupInteraction(WindowDataset):
    """Windows of MultiMediate's CSV ``sample_id, rec_no, subject_pos, start_time, end_time`` and 14 columns of 0 and 1.

    Args:
        ann_file: ``train_samples.csv`` or ``val_samples.csv``.
        tracks: Folder of the recordings' track files; each recording is extracted once.
        track_name: A recording's track file below ``tracks``, with the fields ``{rec_no}`` and ``{subject_pos}``.
        time_unit: Whether start and end are 'seconds' or 'frames'.
        window: Frames of every window, from its start; None takes what lies between start and end.
        max_persons: Persons kept of a recording.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The table or a track file is missing or wrong; the message names file and line.
    """

    def __init__(
        self,
        ann_file: str,
        tracks: str,
        track_name: str = '{rec_no}/subjectPos{subject_pos}.video.mp4.npz',
        time_unit: str = 'seconds',
        window: int | None = 64,
        max_persons: int = 1,
        **kwargs: Any,
    ) -> None:
        if time_unit not in TIME_UNITS:
            raise UserError(f'time_unit={time_unit!r}: choose one of {TIME_UNITS}')
        self.ann_path, self.tracks, self.track_name = os.fspath(ann_file), Path(tracks), track_name
        self.time_unit, self.length, self.max_persons = time_unit, window, max_persons
        super().__init__(classes=BEHAVIOURS, multi_label=True, **kwargs)

    @property
    def source(self) -> str:
        """The table."""
        return self.ann_path

    def load_clips(self) -> list[Clip]:
        """Read the table and the recordings.

        Returns:
            The clips, unchecked.
        """
        rows = read_table(self.ann_path, _FACTS)
        columns = label_columns(list(rows[0]), self.ann_path)
        clips: list[Clip] = []
        places: dict[str, str] = {}
        for row in rows:
            where = row.where
            name = row['sample_id']
            if name in places:
                raise UserError(f'{where}: sample {name!r} stands at {places[name]} already')
            places[name] = where
            wrong = [column for column in columns if row[column] not in ('0', '1', '0.0', '1.0')]
            if wrong:
                raise UserError(f'{where}: {wrong[0]}: expected 0 or 1, found {row[wrong[0]]!r}')
            label = np.array([float(row[column]) for column in columns], np.float32)
            path = self.tracks / track_path(self.track_name, row, where)
            start, stop = self._frames(path, row)
            persons = tuple(range(min(self.max_persons, self.tracks_of(path, where).num_persons)))
            clip = self.window(path, persons, start, stop, frame_dir=name, label=label, subject=_subject(row))
            if clip is not None:
                clips.append(clip)
        return clips

    def _frames(self, path: Path, row: Row) -> tuple[int, int]:
        where = row.where
        tracks = self.tracks_of(path, where)
        start, end = row.number('start_time'), row.number('end_time')
        if end <= start:
            raise UserError(f'{where}: end_time {end} is not after start_time {start}')
        if self.time_unit == 'seconds':
            first, last = (int(np.abs(tracks.frame_times - time).argmin()) for time in (start, end))
            beyond = start > tracks.frame_times[-1]
        else:
            first, last = round(start), round(end)
            beyond = first >= tracks.num_frames
        stop = last if self.length is None else first + self.length
        if first < 0 or beyond or stop > tracks.num_frames or stop <= first:
            raise UserError(
                f'{where}: frames {first} to {stop} are not in {path}, which has {tracks.num_frames} '
                f'(time_unit is {self.time_unit!r})'
            )
        return first, stop


def _subject(row: dict[str, str]) -> str:
    return f'{row["rec_no"]}:{row["subject_pos"]}'


def track_path(pattern: str, row: dict[str, str], where: str) -> str:
    """Name a row's track file.

    Args:
        pattern: With fields such as ``{rec_no}``.
        row: The row.
        where: For the error.

    Raises:
        UserError: The pattern has a field that the table lacks, or the name leaves its folder.
    """
    try:
        name = pattern.format(**row)
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(f'track_name {pattern!r}: {error}; fields: {", ".join(row)}') from error
    if PurePosixPath(name).is_absolute() or '..' in PurePosixPath(name).parts:
        raise UserError(f'{where}: {name!r} leaves the folder of tracks')
    return name


def label_columns(header: list[str], source: str) -> list[str]:
    """Find the column of each class, in the order of :data:`BEHAVIOURS`; case, blanks and signs do not matter.

    Args:
        header: The table's columns.
        source: Its name, for the error.

    Raises:
        UserError: A class has no column.
    """

    def key(name: str) -> str:
        return re.sub('[^a-z]', '', name.lower())

    found = {key(name): name for name in header if name not in _FACTS}
    missing = [name for name in BEHAVIOURS if key(name) not in found]
    if missing:
        raise UserError(f'{source}: no column for {", ".join(missing)}; found {", ".join(found.values())}')
    return [found[key(name)] for name in BEHAVIOURS]
