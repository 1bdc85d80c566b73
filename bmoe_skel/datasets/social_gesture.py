"""SocialGesture (Cao et al. 2025, arXiv 2504.02244): who points, shows, reaches or gives, among several people.

Its annotation format is not published in what could be read, so that a table of our own is read: CSV with the columns
``clip,start,end,x1,y1,x2,y2,label``. ``clip`` is the video below the video folder, ``start`` and ``end`` are seconds,
``x1`` to ``y2`` the initiator's box in pixels (all four empty where it is not known), ``label`` one of
:data:`GESTURES` or ``none``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.geometry import box_iou
from bmoe_ground.tables import read_table
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.mpii import track_path
from bmoe_skel.datasets.windows import WindowDataset
from bmoe_skel.registry import DATASETS
from pose_extract.tracks import PoseTracks

GESTURES: tuple[str, ...] = ('pointing', 'showing', 'reaching', 'giving')
NONE = 'none'
TASKS = {'gesture': GESTURES, 'binary': (NONE, 'gesture'), 'localization': (NONE, *GESTURES)}
COLUMNS = ('clip', 'start', 'end', 'x1', 'y1', 'x2', 'y2', 'label')


class Gesture(NamedTuple):
    """One row of the table."""

    clip: str
    start: float  # seconds
    end: float
    box: np.ndarray | None  # (4,) xyxy pixels of the initiator
    label: str
    where: str


def read_gestures(path: str | os.PathLike[str]) -> list[Gesture]:
    """Read the table.

    Args:
        path: CSV with the columns :data:`COLUMNS`.

    Returns:
        Its rows.

    Raises:
        UserError: The table cannot be read or a row is wrong; the message has file and line.
    """
    gestures = []
    for row in read_table(path, COLUMNS):
        where = row.where
        if row['label'] not in (*GESTURES, NONE):
            raise UserError(f'{where}: unknown label {row["label"]!r}; choose of {", ".join((*GESTURES, NONE))}')
        start, end = row.number('start'), row.number('end')
        if not 0 <= start < end:
            raise UserError(f'{where}: expected 0 <= start < end, found {start} and {end}')
        corners = [row[column] for column in COLUMNS[3:7]]
        box = None
        if any(corners):
            box = np.array([row.number(column) for column in COLUMNS[3:7]])
            if (box[2:] <= box[:2]).any():
                raise UserError(f'{where}: box {box.tolist()}: expected x1 < x2 and y1 < y2')
        gestures.append(Gesture(row['clip'], start, end, box, row['label'], where))
    return gestures


@DATASETS.register_module()
class SocialGestureDataset(WindowDataset):
    """Gestures of several people.

    Task 'gesture' tells the four gestures apart (rows ``none`` are left out), 'binary' a gesture from none, and
    'localization' labels windows that slide over every clip, as what fills at least half of them, else ``none``.
    Where the initiator's box is given, the person whose boxes overlap it most is the clip; else all persons are.

    Args:
        table: See the module.
        tracks: Folder of track files, ``<clip>.npz``.
        task: One of the three.
        window: Seconds of a sliding window.
        step: Seconds between the starts of two.
        max_persons: Persons kept where no box is given.
        min_iou: Overlap that the initiator's track must at least have with its box.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The table or a track file is missing or wrong; the message names file and line.
    """

    def __init__(
        self,
        table: str,
        tracks: str,
        task: str = 'gesture',
        window: float = 2.0,
        step: float = 0.5,
        max_persons: int = 4,
        min_iou: float = 0.1,
        **kwargs: Any,
    ) -> None:
        if task not in TASKS:
            raise UserError(f'task={task!r}: choose one of {tuple(TASKS)}')
        if not (window > 0 and step > 0):
            raise UserError(f'window and step must be above 0 seconds, got {window} and {step}')
        self.table, self.tracks, self.task = os.fspath(table), Path(tracks), task
        self.seconds, self.step, self.max_persons, self.min_iou = window, step, max_persons, min_iou
        super().__init__(classes=TASKS[task], **kwargs)

    @property
    def source(self) -> str:
        """The table and the task."""
        return f'{self.table} (task {self.task})'

    def load_clips(self) -> list[Clip]:
        """Read the table and the tracks.

        Returns:
            The clips, unchecked, with ``recording``, ``start`` and ``end``.
        """
        gestures = read_gestures(self.table)
        rows = self._sliding(gestures) if self.task == 'localization' else self._labelled(gestures)
        clips = []
        for path, persons, gesture, label in rows:
            times = self.tracks_of(path, gesture.where).frame_times
            start, stop = np.searchsorted(times, (gesture.start, gesture.end))
            if start >= len(times):
                raise UserError(
                    f'{gesture.where}: starts at {gesture.start} s, after the end of {path} ({times[-1]} s)'
                )
            facts = {'recording': gesture.clip, 'start': gesture.start, 'end': gesture.end, 'label': label}
            facts['frame_dir'] = f'{gesture.clip}@{gesture.start:.3f}-{gesture.end:.3f}'
            clip = self.window(path, persons, int(start), max(int(stop), int(start) + 1), **facts)
            if clip is not None:
                clips.append(clip)
        return clips

    def _labelled(self, gestures: list[Gesture]) -> Iterator[tuple[Path, tuple[int, ...], Gesture, int]]:
        classes = TASKS[self.task]
        for gesture in gestures:
            name = gesture.label if self.task == 'gesture' or gesture.label == NONE else 'gesture'
            if name in classes:
                path = self._path(gesture)
                yield path, self._persons(self.tracks_of(path, gesture.where), gesture), gesture, classes.index(name)

    def _sliding(self, gestures: list[Gesture]) -> Iterator[tuple[Path, tuple[int, ...], Gesture, int]]:
        by_clip: dict[str, list[Gesture]] = {}
        for gesture in gestures:
            by_clip.setdefault(gesture.clip, []).append(gesture)
        for clip, members in by_clip.items():
            path = self._path(members[0])
            tracks = self.tracks_of(path, members[0].where)
            persons = tuple(range(min(self.max_persons, tracks.num_persons)))
            last = max(float(tracks.frame_times[-1]) - self.seconds, 0.0)
            for start in np.arange(0.0, last + 1e-6, self.step):
                end = float(start) + self.seconds
                shares = np.zeros(1 + len(GESTURES))
                for g in members:
                    if g.label != NONE:
                        shares[1 + GESTURES.index(g.label)] += max(0.0, min(end, g.end) - max(float(start), g.start))
                best = int(shares.argmax())
                label = best if shares[best] >= self.seconds / 2 else 0
                yield path, persons, Gesture(clip, float(start), end, None, NONE, members[0].where), label

    def _path(self, gesture: Gesture) -> Path:
        return self.tracks / track_path('{clip}.npz', {'clip': gesture.clip}, gesture.where)

    def _persons(self, tracks: PoseTracks, gesture: Gesture) -> tuple[int, ...]:
        everyone = tuple(range(min(self.max_persons, tracks.num_persons)))
        if gesture.box is None:
            return everyone
        during = (tracks.frame_times >= gesture.start) & (tracks.frame_times <= gesture.end)
        overlap = box_iou(tracks.boxes[:, during], gesture.box)
        mean = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in overlap])
        if not len(mean) or mean.max() < self.min_iou:
            best = mean.max() if len(mean) else 0.0
            raise UserError(
                f'{gesture.where}: nobody was tracked in the box {gesture.box.tolist()} of {gesture.clip!r} '
                f'(best overlap {best:.2f}, min_iou is {self.min_iou})'
            )
        return (int(mean.argmax()),)
