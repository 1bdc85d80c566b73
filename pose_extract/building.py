"""From the persons of each frame to the rows of a track: who gets a row, and who is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_extract.poses import FramePoses
from pose_extract.video import Frame, Step

ABSENT = -1
"""In place of an identity: nobody."""


@dataclass(frozen=True)
class Seating:
    """Who is in which row of a track, and when.

    Attributes:
        identities: (M, T) int32, the identity of the person in each row and frame, :data:`ABSENT` where nobody is.
        seen: Number of identities that were seen at all.
        left_out: Number of identities that were seen in some frame and are not in the track there.
    """

    identities: np.ndarray
    seen: int
    left_out: int


@dataclass(frozen=True)
class _Run:
    """Successive frames in which one identity is kept."""

    first: int
    last: int
    identity: int


class TrackBuilder:
    """Collects the persons of one video frame by frame and lays them out as (M, T, ...) arrays.

    Example:
        >>> builder = TrackBuilder(num_keypoints=17)
        >>> builder.add_lost(Step(index=0, time=0.0, image=None))
        >>> builder.seat(most=2).identities.shape
        (0, 1)
    """

    def __init__(self, num_keypoints: int) -> None:
        self.num_keypoints = num_keypoints
        self.times: list[float] = []
        self.indices: list[int] = []
        self._rows: dict[int, list[tuple[int, np.ndarray]]] = {}

    def add(self, frame: Frame, identities: np.ndarray, poses: FramePoses) -> None:
        """Append one frame; ``identities`` (N,) go with the persons of ``poses``."""
        t = len(self.times)
        self.times.append(frame.time)
        self.indices.append(frame.index)
        # One copy per person, so that no batch of network outputs is kept alive by a slice of it.
        rows = np.concatenate(
            [poses.keypoints.reshape(len(poses), 2 * self.num_keypoints), poses.scores, poses.boxes],
            axis=1,
            dtype=np.float32,
        )
        for identity, row in zip(identities.tolist(), rows, strict=True):
            self._rows.setdefault(identity, []).append((t, row))

    def add_lost(self, step: Step) -> None:
        """Append a frame that could not be decoded: it keeps its place in time, with nobody in it."""
        self.times.append(step.time)
        self.indices.append(step.index)

    def persons(self) -> list[int]:
        """Identities ordered by how long and how sure: the sum over frames of the mean keypoint score."""
        first, last = 2 * self.num_keypoints, 3 * self.num_keypoints

        def weight(identity: int) -> float:
            return sum(float(row[first:last].mean()) for _, row in self._rows[identity])

        return sorted(self._rows, key=lambda identity: (-weight(identity), identity))

    def seat(self, most: int) -> Seating:
        """Give everybody a row, at most ``most`` at one time.

        In a frame with more, those are kept who are seen the longest and the surest in the whole video. Where the
        video has no more identities than rows, each has a row of its own, the longest and surest first. Where it has
        more (people come and go, the picture cuts), a row is passed on: to the person who sat there last if it comes
        back, else to the one who appears nearest to where the last one was who does not come back.

        Args:
            most: Rows that may be used, at least 1.
        """
        order = self.persons()
        rank = {identity: place for place, identity in enumerate(order)}
        here: list[list[int]] = [[] for _ in self.times]
        for identity in order:
            for t, _ in self._rows[identity]:
                here[t].append(identity)
        left_out = {identity for now in here for identity in now[most:]}
        kept: dict[int, list[int]] = defaultdict(list)
        for t, now in enumerate(here):
            for identity in now[:most]:
                kept[identity].append(t)
        if len(kept) <= most:
            chosen = [identity for identity in order if identity in kept]
            rows = np.full((len(chosen), len(self.times)), ABSENT, np.int32)
            for m, identity in enumerate(chosen):
                rows[m, kept[identity]] = identity
        else:
            rows = self._share(kept, rank, most)
        return Seating(rows, len(order), len(left_out))

    def alone(self, identities: Sequence[int]) -> np.ndarray:
        """(M, T) int32: one row for each of some identities, in all frames in which it was seen."""
        rows = np.full((len(identities), len(self.times)), ABSENT, np.int32)
        for m, identity in enumerate(identities):
            rows[m, [t for t, _ in self._rows[identity]]] = identity
        return rows

    def _share(self, kept: dict[int, list[int]], rank: dict[int, int], most: int) -> np.ndarray:
        """Seat run after run; with at most ``most`` persons at one time, a free row is always there."""
        rows = np.full((most, len(self.times)), ABSENT, np.int32)
        runs = sorted(
            (run for identity, times in kept.items() for run in _runs(identity, times)),
            key=lambda run: (run.first, rank[run.identity]),
        )
        final = {run.identity: run.first for run in runs}
        boxes = {identity: dict(self._rows[identity]) for identity in kept}
        seats: list[_Run | None] = [None] * most
        for run in runs:
            free = [m for m, seat in enumerate(seats) if seat is None or seat.last < run.first]
            row = min(free, key=lambda m: (*self._reluctance(seats[m], run, final, boxes), m))
            seats[row] = run
            rows[row, run.first : run.last + 1] = run.identity
        used = rows[(rows != ABSENT).any(1)]
        scores = self.build(used)[1].mean(-1).sum(-1)
        return used[np.argsort(-scores, kind='stable')]

    def _reluctance(
        self,
        seat: _Run | None,
        run: _Run,
        final: dict[int, int],
        boxes: dict[int, dict[int, np.ndarray]],
    ) -> tuple[int, float]:
        """How little a row is meant for a run: its own last one, one whose person is gone, a new one, any other."""
        if seat is None:
            return 2, 0.0
        if seat.identity == run.identity:
            return 0, 0.0
        if final[seat.identity] > run.first:
            return 3, 0.0
        before, after = boxes[seat.identity][seat.last][-4:], boxes[run.identity][run.first][-4:]
        apart = np.abs(before[:2] + before[2:] - after[:2] - after[2:]).sum()
        return 1, float(np.nan_to_num(apart, nan=np.inf))

    def build(self, who: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lay the arrays of a track out.

        Args:
            who: Identities, one a row; or (M, T) identities of each row and frame.

        Returns:
            Keypoints (M, T, K, 2), scores (M, T, K) and boxes (M, T, 4); NaN and 0 where nobody is.
        """
        seats = self.alone(who) if not isinstance(who, np.ndarray) else who
        shape, k = seats.shape, self.num_keypoints
        keypoints = np.full((*shape, k, 2), np.nan, np.float32)
        scores = np.zeros((*shape, k), np.float32)
        boxes = np.full((*shape, 4), np.nan, np.float32)
        where = {(int(identity), int(t)): int(m) for m, t in np.argwhere(seats != ABSENT) for identity in [seats[m, t]]}
        for identity, rows in self._rows.items():
            for t, row in rows:
                m = where.get((identity, t))
                if m is not None:
                    keypoints[m, t] = row[: 2 * k].reshape(k, 2)
                    scores[m, t] = row[2 * k : 3 * k]
                    boxes[m, t] = row[3 * k :]
        return keypoints, scores, boxes


def _runs(identity: int, times: list[int]) -> list[_Run]:
    """Unbroken stretches of rising frame numbers."""
    cuts = [n for n in range(1, len(times)) if times[n] != times[n - 1] + 1]
    edges = [0, *cuts, len(times)]
    return [_Run(times[a], times[b - 1], identity) for a, b in zip(edges, edges[1:], strict=False)]
