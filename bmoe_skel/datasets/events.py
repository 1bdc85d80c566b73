"""Clips cut out of long tracks by a table of events, with windows in which nothing happens beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from mmengine.logging import print_log

from bmoe_ground.errors import UserError
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.event_tables import LabelledEvent, read_event_tables
from bmoe_skel.datasets.quiet import ROUNDING, quiet_windows
from bmoe_skel.datasets.subjects import PARTS, part_name, split_by_subject
from bmoe_skel.datasets.windows import WindowDataset
from bmoe_skel.registry import DATASETS


@DATASETS.register_module()
class EventDataset(WindowDataset):
    """Events that a person corrected or wrote down, as clips: one person's keypoints from an event's start to its end.

    What no event covers becomes clips of the class ``nothing``: of each video ``nothing_ratio`` times as many as it has
    events (a video without any, as many as the others on average), each as long as an event drawn from all, at a place
    drawn from the person's uncovered time (:func:`quiet_windows`). A row with the label ``nothing`` is no event: it
    says that its video was looked at, so that a video without events is one of the set too. A video without a row is
    left alone: nobody can tell whether it was looked at.

    Clips of one video are always in one part. Where rows do not say which person of a track they mean, the first one is
    meant, whom extraction saw the longest, and time is drawn of that person only.

    Args:
        events: Tables of events, see :func:`read_event_tables`.
        tracks: Folder of track files, ``<video>.npz``.
        split: 'train', 'val', 'test', several joined by ``+``, or None for all clips.
        nothing: Name of the class of uncovered time.
        nothing_ratio: Windows of it for each event; 0 leaves the class out.
        nothing_seed: Seed of the draw.
        split_ratio: Shares of train, val and test where the tables give no split.
        split_seed: Seed of that split.
        split_by: 'subject' keeps videos that share a person in one part too, by the column ``subject``.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: A table or a track file is missing or wrong, or there are too few videos; the message names it.

    Example:
        >>> clips = EventDataset('answers/events.csv', 'answers/poses', split='train')  # doctest: +SKIP
        >>> clips.metainfo['classes']  # doctest: +SKIP
        ['nod', 'nothing', 'shrug']
    """

    def __init__(
        self,
        events: str | os.PathLike[str] | Sequence[str],
        tracks: str,
        split: str | None = None,
        nothing: str = 'nothing',
        nothing_ratio: float = 0.5,
        nothing_seed: int = 0,
        split_ratio: Sequence[float] = (0.6, 0.15, 0.25),
        split_seed: int = 0,
        split_by: str | None = None,
        **kwargs: Any,
    ) -> None:
        if split is not None and not set(split.split('+')) <= set(PARTS):
            raise UserError(f'unknown split {split!r}; choose of {", ".join(PARTS)}')
        if not 0 <= nothing_ratio <= 100:
            raise UserError(f'nothing_ratio must be within 0..100, got {nothing_ratio}')
        if split_by not in (None, 'subject'):
            raise UserError(f"split_by={split_by!r}: expected None or 'subject'")
        self.events, self.tracks, self.split = events, Path(tracks), split
        self.nothing, self.nothing_ratio, self.nothing_seed = nothing, nothing_ratio, nothing_seed
        self.split_ratio, self.split_seed, self.split_by = tuple(split_ratio), split_seed, split_by
        super().__init__(**kwargs)

    @property
    def source(self) -> str:
        """The tables and the split."""
        return f'{self.events}' + (f' (split {self.split})' if self.split else '')

    def load_clips(self) -> list[Clip]:
        """Read the tables and cut the tracks.

        Returns:
            The clips, unchecked, with ``recording``, ``start`` and ``end``, and ``subject`` where the table names one.
        """
        rows = read_event_tables(self.events)
        events = [row for row in rows if row.label != self.nothing]
        if not events:
            raise UserError(f'{self.source}: no event but {self.nothing!r}: there is nothing to learn')
        if self.class_names is None:
            self.class_names = sorted({row.label for row in events} | ({self.nothing} if self.nothing_ratio else set()))
        unknown = [row for row in events if row.label not in self.class_names]
        if unknown:
            raise UserError(f'{unknown[0].where}: unknown class {unknown[0].label!r}; classes: {self.class_names}')
        if self.nothing_ratio and self.nothing not in self.class_names:
            raise UserError(
                f'classes {self.class_names} lack {self.nothing!r}, the class of time without events: add it, name '
                'it by nothing=NAME, or leave it out by nothing_ratio=0'
            )
        part_of = self._parts(rows)
        clips: list[Clip] = []
        for video, of_video in _by_video(rows).items():
            if self.split is None or part_of[video] in self.split.split('+'):
                clips += self._clips_of(video, of_video, events)
        if self.unseen:
            amount = f'{len(self.unseen)} events in which the person is not seen are left out'
            print_log(f'{self.source}: {amount}, first {self.unseen[0]!r}', logger='current')
        return clips

    def _parts(self, rows: Sequence[LabelledEvent]) -> dict[str, str]:
        """Part of each video: as the tables give it, else dealt by the seed."""
        source = str(self.events)
        groups = _groups(rows, source) if self.split_by else [row.video for row in rows]
        given = [part_name(row.split, row.where) for row in rows]
        if sum(map(bool, given)) not in (0, len(rows)):
            raise UserError(f'{source}: {sum(map(bool, given))} of {len(rows)} rows give a split; expected all or none')
        found = split_by_subject(
            [f'{i}' for i in range(len(rows))],
            [row.label for row in rows],
            groups,
            given,
            dict(zip(PARTS, self.split_ratio, strict=True)),
            self.split_seed,
            source,
            unit='subject' if self.split_by else 'video',
        )
        return dict(zip([row.video for row in rows], found, strict=True))

    def _clips_of(self, video: str, rows: Sequence[LabelledEvent], events: Sequence[LabelledEvent]) -> Iterable[Clip]:
        path = self._path(video, rows[0].where)
        tracks = self.tracks_of(path, rows[0].where)
        covered: dict[int, list[tuple[float, float]]] = {}
        for row in rows:
            person = row.person or 0
            if person >= tracks.num_persons:
                raise UserError(f'{row.where}: no person {person} in {path}, which has {tracks.num_persons}')
            if row.start > tracks.frame_times[-1]:
                end = f'{tracks.frame_times[-1]:.3f} s'
                raise UserError(f'{row.where}: starts at {row.start} s, after the end of {path} at {end}')
            if row.label == self.nothing:
                continue
            covered.setdefault(person, []).append((row.start, row.end))
            first, last = np.searchsorted(tracks.frame_times, (row.start - ROUNDING, row.end + ROUNDING))
            first = min(int(first), tracks.num_frames - 1)
            yield from self._clip(path, video, person, (first, max(int(last), first + 1)), row.label, row.subject)
        named = any(row.person is not None for row in rows)
        yield from self._quiet(path, video, range(tracks.num_persons if named else 1), covered, events)

    def _quiet(
        self,
        path: Path,
        video: str,
        persons: Sequence[int],
        covered: dict[int, list[tuple[float, float]]],
        events: Sequence[LabelledEvent],
    ) -> Iterable[Clip]:
        tracks = self._tracks[path]
        mean = len(events) / len({event.video for event in events})
        count = sum(map(len, covered.values())) or mean
        amount = round(self.nothing_ratio * count) or int(self.nothing_ratio > 0)
        frame = float(np.median(np.diff(tracks.frame_times))) if tracks.num_frames > 1 else 0.0
        lengths = sorted(max(event.end - event.start, frame) for event in events)
        for i, person in enumerate(persons):
            share = amount // len(persons) + (i < amount % len(persons))
            seen = (tracks.scores[person] > 0).any(-1)
            drawn = quiet_windows(
                tracks.frame_times,
                seen,
                covered.get(person, []),
                lengths,
                share,
                self.nothing_seed,
                f'{video}\n{person}',
            )
            for span in drawn:
                yield from self._clip(path, video, person, span, self.nothing)

    def _clip(
        self, path: Path, video: str, person: int, span: tuple[int, int], label: str, subject: str = ''
    ) -> Iterable[Clip]:
        times = self._tracks[path].frame_times
        start, end = float(times[span[0]]), float(times[span[1] - 1])
        facts: dict[str, Any] = {'recording': video, 'start': start, 'end': end, 'person': person}
        facts['frame_dir'] = f'{video}@{start:.3f}-{end:.3f} person {person} {label}'
        facts['label'] = (self.class_names or []).index(label)
        facts['track'] = str(path)
        if subject:
            facts['subject'] = subject
        clip = self.window(path, (person,), *span, **facts)
        return [] if clip is None else [clip]

    def _path(self, video: str, where: str) -> Path:
        name = PurePosixPath(video if video.endswith('.npz') else video + '.npz')
        if name.is_absolute() or '..' in name.parts or '\0' in video:
            raise UserError(f'{where}: {video!r} leaves the folder of tracks')
        return self.tracks / name


def _by_video(rows: Sequence[LabelledEvent]) -> dict[str, list[LabelledEvent]]:
    found: dict[str, list[LabelledEvent]] = {}
    for row in rows:
        found.setdefault(row.video, []).append(row)
    return found


def _groups(rows: Sequence[LabelledEvent], source: str) -> list[str]:
    """Name, for each row, the videos that are tied to its own by people who are in both."""
    unnamed = [row for row in rows if not row.subject and row.label]
    if unnamed:
        raise UserError(
            f'{source}: split_by=subject needs a column "subject": {len(unnamed)} of {len(rows)} rows name nobody, '
            f'first {unnamed[0].where}'
        )
    tied = {('video', row.video): ('video', row.video) for row in rows}
    tied |= {('subject', row.subject): ('subject', row.subject) for row in rows}

    def root(one: tuple[str, str]) -> tuple[str, str]:
        while tied[one] != one:
            one = tied[one]
        return one

    for row in rows:
        first, second = sorted((root(('video', row.video)), root(('subject', row.subject))))
        tied[second] = first
    return [root(('video', row.video))[1] for row in rows]
