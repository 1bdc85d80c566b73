"""Run an exported recogniser with onnxruntime and numpy alone: no torch, no mmengine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.onnx_files import read_onnx
from bmoe_skel.scan import Span, WindowScores, scan_windows, window_spans
from pose_extract.tracks import PoseTracks

FORMAT = 'bmoe-recognizer 1'


class ExportedRecognizer:
    """A recogniser of ``tools/export.py``.

    A session of ONNX Runtime may be used from several threads at once, and so may this.

    Args:
        path: The ``.onnx`` file.
        threads: Processor threads of a run.

    Attributes:
        classes: Class names, in the order of the probabilities.
        skeleton: Name of the keypoint layout that it reads.
        keypoints: Names of its keypoints.
        clip_seconds: Median duration of the training clips, and what 95 % of them do not exceed, or None.
        regions: Names of the regions in the order of the routing; empty where it has no router.

    Raises:
        UserError: The file cannot be read, is no exported recogniser, or one of another version.

    Example:
        >>> model = ExportedRecognizer('model.onnx')
        >>> probabilities, routing = model.predict(keypoints, scores, times)
        >>> model.classes[int(probabilities[0].argmax())]
        'nod'
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        self.source = str(path)
        self._session, facts = read_onnx(path, threads)
        if facts.get('format') != FORMAT:
            raise UserError(f'{path}: has the format {facts.get("format")!r}, this version reads {FORMAT!r}')
        self.classes = self._names(facts, 'classes')
        self.keypoints = self._names(facts, 'keypoints')
        self.regions = self._names(facts, 'regions') if facts.get('regions') else []
        if not isinstance(facts.get('skeleton'), str):
            raise UserError(f'{path}: its skeleton is no name')
        self.skeleton: str = facts['skeleton']
        self.coordinates = int(facts['coordinates']) if facts.get('coordinates') in (2, 3) else 2
        self.multi_label = bool(facts.get('multi_label'))
        self.clip_seconds = self._clip_seconds(facts.get('clip_seconds'))
        score = facts.get('min_score', 0.0)
        self._min_score = float(score) if isinstance(score, (int, float)) and 0 <= score <= 1 else 0.0
        takes = {one.name for one in self._session.get_inputs()}
        if takes != {'keypoints', 'scores', 'times'}:
            raise UserError(f'{path}: takes {", ".join(sorted(takes))}, expected keypoints, scores and times')

    def _clip_seconds(self, told: Any) -> tuple[float, float] | None:
        if told is None:
            return None
        if isinstance(told, list) and len(told) == 2 and all(type(v) in (int, float) and 0 < v < 1e9 for v in told):
            return float(told[0]), float(told[1])
        raise UserError(f'{self.source}: its clip_seconds are no two positive numbers')

    def _names(self, facts: dict[str, Any], key: str) -> list[str]:
        names = facts.get(key)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise UserError(f'{self.source}: its {key} are no list of names')
        return names

    def scan(
        self,
        tracks: PoseTracks,
        window: float | None = None,
        stride: float | None = None,
        min_seen: float = 0.0,
        file: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> list[WindowScores]:
        """What the model says of every person over time; as :meth:`bmoe_skel.MicroActionInferencer.scan`.

        Args:
            tracks: Tracks in the model's layout.
            window: Seconds of a window; None takes the whole clip as one.
            stride: Seconds between two windows; half a window if None.
            min_seen: Share of a window's frames in which the person must be seen, 0..1; in one at least.
            file: Not needed: an exported model sees keypoints alone.
            name: Likewise.

        Raises:
            UserError: The tracks have another skeleton than the model, or the model gives no finite probabilities.
        """
        if tracks.skeleton != self.skeleton:
            raise UserError(f'the tracks have skeleton {tracks.skeleton}, the model was trained on {self.skeleton}')

        def answers(person: int, spans: Sequence[Span]) -> list[tuple[np.ndarray, np.ndarray | None]]:
            said = []
            for first, stop in spans:  # one by one: windows differ in their number of frames
                part = (slice(person, person + 1), slice(first, stop))
                given = (tracks.keypoints[part], tracks.scores[part], tracks.frame_times[first:stop])
                probabilities, routing = self.predict(*(array[None] for array in given))
                said.append((probabilities[0], None if routing is None else routing[0]))
            return said

        spans = window_spans(tracks.frame_times, window, stride)
        seen = (tracks.scores > self._min_score).any(-1)
        return scan_windows(spans, seen, min_seen, len(self.classes), answers, 1)

    def attribute_span(
        self,
        tracks: PoseTracks,
        person: int,
        span: Span,
        target: int,
        file: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> dict[str, float]:
        """Nothing: an exported model cannot hide a region behind its preprocessing, which is inside.

        Stands for :meth:`bmoe_skel.MicroActionInferencer.attribute_span`, with the same arguments.
        """
        return {}

    def predict(
        self, keypoints: np.ndarray, scores: np.ndarray, times: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Classify clips of one length.

        Args:
            keypoints: (N, M, T, V, C), pixels; NaN where absent.
            scores: (N, M, T, V), 0..1.
            times: (N, T) seconds of the frames.

        Returns:
            Probabilities (N, classes), and the mean weight of each region (N, 4), or None without a router.

        Raises:
            ValueError: The arrays do not fit each other or the layout.
            UserError: A probability is NaN or infinite.
        """
        wanted = (len(self.keypoints), self.coordinates)
        if keypoints.ndim != 5 or keypoints.shape[3:] != wanted or 0 in keypoints.shape:
            raise ValueError(
                f'keypoints have shape {keypoints.shape}, expected (N, M, T, {wanted[0]}, {wanted[1]}) of '
                f'{self.skeleton}'
            )
        if scores.shape != keypoints.shape[:4] or times.shape != (keypoints.shape[0], keypoints.shape[2]):
            raise ValueError(f'scores {scores.shape} and times {times.shape} do not fit keypoints {keypoints.shape}')
        # float32 holds a millisecond only near 0
        since = times - times[:, :1]
        given = {'keypoints': keypoints, 'scores': scores, 'times': since}
        found = self._session.run(None, {name: np.ascontiguousarray(v, np.float32) for name, v in given.items()})
        probabilities, routing = found[0], found[1] if len(found) > 1 else None
        if not np.isfinite(probabilities).all():
            raise UserError(f'{self.source}: gives probabilities that are NaN or infinite')
        return probabilities, routing
