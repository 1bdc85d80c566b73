"""From keypoint tracks to events: who did what, when, and which region of the body gave it away."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import load_trained
from bmoe_skel.models.attribution import attribute_regions
from bmoe_skel.scan import Span, WindowScores, scan_windows, strongest_region, window_spans
from bmoe_skel.transforms.spatial import NormalizePose
from mm_runtime.finite import ADVICE, check_sample
from mm_runtime.threads import one_thread
from pose_extract.skeletons import REGIONS
from pose_extract.tracks import PoseTracks, crops_path, load_tracks


@dataclass
class Event:
    """What one person did between two moments.

    Attributes:
        start: Seconds.
        end: Seconds.
        person: Index of the person in the track file.
        label: The likeliest class.
        score: Its probability, 0..1.
        region: The region that the answer came from most, by ``attribution``; None where it was not asked for, or where
            no region speaks for the answer.
        routing: Mean weight of each region, 0..1 and 1 in sum; empty where the model has no router.
        attribution: What each region that is seen adds to the logarithm of ``score``, below 0 where it speaks against
            the label; other units by other methods, see :func:`bmoe_skel.models.attribution.attribute_regions`.

    Example:
        >>> event = bmoe_skel.Event(0.0, 1.2, 0, 'nod', 0.9, 'head', {})
        >>> f'{event.label} by {event.region}, {event.end - event.start:.1f} s'
        'nod by head, 1.2 s'
    """

    start: float
    end: float
    person: int
    label: str
    score: float
    region: str | None
    routing: dict[str, float]
    attribution: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON types."""
        return asdict(self)


class MicroActionInferencer:
    """Recognise micro-actions with a trained checkpoint, which says itself how to build the model and its input.

    Args:
        checkpoint: A checkpoint of ``bmoe train``.
        device: Where to run: 'cpu', 'cuda', 'cuda:N', or 'auto' for a GPU where there is one.
        feature_root: Folder of precomputed features, for a model whose global stream reads them.
        attribution: How events are attributed to regions, one of :data:`bmoe_skel.models.attribution.METHODS`
            (docs/guides/explain.md compares them), or None for not at all, which saves 16 passes an event.

    Raises:
        UserError: The checkpoint is damaged, holds NaN or infinite weights, or lacks what is needed to build the model.

    Example:
        >>> inferencer = bmoe_skel.MicroActionInferencer('best.pth')
        >>> for event in inferencer('poses/head/head_00.mp4.npz', window=0.5):
        ...     print(f'{event.start:.1f}-{event.end:.1f} s', event.label in inferencer.classes)
        0.0-0.5 s True
        0.3-0.7 s True
        0.4-0.9 s True
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str],
        device: str = 'cpu',
        feature_root: str | None = None,
        attribution: str | None = 'shapley',
    ) -> None:
        self.source = f'checkpoint {checkpoint}'
        trained = load_trained(checkpoint, device)
        self.model, self.pipeline = trained.model, trained.pipeline
        self.classes, self.skeleton = trained.classes, trained.skeleton
        self.clip_seconds = trained.clip_seconds
        self.multi_label = bool(self.model.head.multi_label)
        self.feature_root = feature_root
        self.attribution = attribution
        # the preprocessing refuses a clip without a keypoint above it
        self._min_score = max(
            (step.min_score for step in self.pipeline if isinstance(step, NormalizePose)), default=0.0
        )
        for name, weight in self.model.state_dict().items():
            if weight.is_floating_point() and not torch.isfinite(weight).all():
                raise UserError(f'{self.source}: {name} holds NaN or infinite values: {ADVICE}')

    @torch.no_grad()
    def predict_clip(
        self, keypoint: np.ndarray, score: np.ndarray | None = None, **facts: Any
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Classify one clip.

        Args:
            keypoint: (M, T, K, C); NaN where absent.
            score: (M, T, K), or None.
            **facts: Further keys of the clip that the global stream needs, such as ``crops`` and ``total_frames``.

        Returns:
            Probabilities (num_classes,), and the mean weight of each region (4,) or None.

        Raises:
            UserError: They are NaN or infinite; the message names clip and checkpoint.
        """
        return self._predict([self._prepare(keypoint, score, facts)])[0]

    def attribute_clip(
        self,
        keypoint: np.ndarray,
        score: np.ndarray | None = None,
        method: str = 'shapley',
        target: int | None = None,
        **facts: Any,
    ) -> np.ndarray:
        """Say from which region of the body the answer for a clip came.

        Args:
            keypoint: As for :meth:`predict_clip`.
            score: Likewise.
            method: See :func:`bmoe_skel.models.attribution.attribute_regions`.
            target: Number of the class that is asked about; the likeliest if None.
            **facts: As for :meth:`predict_clip`.

        Returns:
            (4,) one number a region, in the order of ``REGIONS``; NaN for a region of which nothing is seen.

        Raises:
            UserError: The method is unknown, or asks for a part that the model lacks.
        """
        return self._attribute(self._prepare(keypoint, score, facts), method, target)

    def attribute_span(
        self,
        tracks: PoseTracks,
        person: int,
        span: Span,
        target: int,
        file: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> dict[str, float]:
        """What each region adds to the probability of a class in one window of one person.

        Args:
            tracks: Tracks in the model's layout.
            person: Index of the person.
            span: First frame of the window, and the frame after its last.
            target: Number of the class.
            file: As for :meth:`scan`.
            name: Likewise.

        Returns:
            Region to number, by the method that the inferencer was made with; regions of which nothing is seen are left
            out, all where it was made with none.
        """
        if self.attribution is None:
            return {}
        prepared = self._window(tracks, person, span, self._facts(file, name, tracks))
        return by_region(self._attribute(prepared, self.attribution, target))

    def _prepare(self, keypoint: np.ndarray, score: np.ndarray | None, facts: dict[str, Any]) -> dict[str, Any]:
        """One clip through the checkpoint's own preprocessing."""
        rng = np.random.default_rng(0)
        clip: dict[str, Any] = {'keypoint': keypoint, 'skeleton': self.skeleton, 'rng': rng, **facts}
        clip |= {'classes': self.classes, 'persons': len(keypoint)}  # as a dataset gives them to its pipeline
        if self.feature_root is not None:
            clip['feature_root'] = self.feature_root
        if score is not None:
            clip['keypoint_score'] = score
        sample: dict[str, Any] = clip
        for step in self.pipeline:
            sample = step(sample)
        return sample

    def _attribute(self, packed: dict[str, Any], method: str, target: int | None) -> np.ndarray:
        """(4,) attribution of one prepared clip."""
        wanted = None if target is None else torch.tensor([target])
        with one_thread():
            found = attribute_regions(self.model, self._collate([packed])['inputs'], method, target=wanted)
        return found[0].numpy()

    def _collate(self, packed: list[dict[str, Any]]) -> dict[str, Any]:
        """Prepared clips as a batch."""
        inputs: dict[str, list[torch.Tensor]] = {}
        for sample in packed:
            for key, value in sample['inputs'].items():
                inputs.setdefault(key, []).append(value)
        samples = [sample['data_samples'] for sample in packed]
        batch: dict[str, Any] = self.model.data_preprocessor({'inputs': inputs, 'data_samples': samples})
        return batch

    def _predict(self, packed: list[dict[str, Any]]) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Scores (C,) and mean routing (4,) of prepared clips, in one forward pass."""
        results = []
        with one_thread():
            predicted = self.model(**self._collate(packed), mode='predict')
        for result in predicted:
            check_sample(result, self.source)
            routing = result.routing.mean(1).numpy() if 'routing' in result else None
            results.append((result.pred_scores.numpy(), routing))
        return results

    @torch.no_grad()
    def scan(
        self,
        tracks: PoseTracks,
        window: float | None = None,
        stride: float | None = None,
        min_seen: float = 0.0,
        batch_size: int = 16,
        file: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> list[WindowScores]:
        """What the model says of every person over time: scores and routing of all windows, in batches.

        Args:
            tracks: Tracks in the model's layout.
            window: Seconds of a window; None takes the whole clip as one.
            stride: Seconds between two windows; half a window if None.
            min_seen: Share of a window's frames in which the person must be seen, 0..1; in one at least. Seen means
                with a keypoint that the checkpoint's preprocessing believes.
            batch_size: Windows of one forward pass.
            file: The track file, for a model that sees the RGB crops beside it.
            name: The clip's name, by which its features are found; the file's own if None.

        Returns:
            One entry a person, in the tracks' order.

        Raises:
            UserError: The tracks have another skeleton than the model, or the model gives no finite scores for them.

        Example:
            >>> inferencer = bmoe_skel.MicroActionInferencer('best.pth')
            >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
            >>> (person,) = inferencer.scan(tracks, window=0.5)
            >>> person.scores.shape, person.routing.shape
            ((3, 3), (3, 4))
        """
        facts = self._facts(file, name, tracks)

        def answers(person: int, spans: Sequence[Span]) -> list[tuple[np.ndarray, np.ndarray | None]]:
            return self._predict([self._window(tracks, person, span, facts) for span in spans])

        spans = window_spans(tracks.frame_times, window, stride)
        seen = (tracks.scores > self._min_score).any(-1)
        return scan_windows(spans, seen, min_seen, len(self.classes), answers, batch_size)

    def _facts(self, file: str | os.PathLike[str] | None, name: str | None, tracks: PoseTracks) -> dict[str, Any]:
        """What a clip's preprocessing may ask for beside its keypoints."""
        if tracks.skeleton != self.skeleton:
            raise UserError(f'the tracks have skeleton {tracks.skeleton}, the model was trained on {self.skeleton}')
        facts: dict[str, Any] = {'total_frames': tracks.num_frames}
        if file is not None:
            facts['track'] = str(file)
            if crops_path(file).is_file():
                facts['crops'] = str(crops_path(file))
        if file is not None or name is not None:
            facts['frame_dir'] = (name or Path(file or '').name).removesuffix('.npz')
        return facts

    def _window(self, tracks: PoseTracks, person: int, span: tuple[int, int], facts: dict[str, Any]) -> dict[str, Any]:
        """One window of one person, prepared."""
        part = slice(*span)
        place = {'window': span, 'person': person, 'frame_times': tracks.frame_times[part]}
        keypoint, score = (array[person : person + 1, part] for array in (tracks.keypoints, tracks.scores))
        return self._prepare(keypoint, score, {**facts, **place})

    def __call__(
        self,
        tracks: PoseTracks | str | os.PathLike[str],
        window: float | None = None,
        stride: float | None = None,
        name: str | None = None,
    ) -> list[Event]:
        """Label every person of a track file, whole or window by window.

        Args:
            tracks: Tracks, or a track file; a model that sees RGB crops or features needs the file.
            window: Seconds of a window; None takes the whole clip as one.
            stride: Seconds between two windows; half a window if None.
            name: The clip's name, by which its features are found; the file's own if None.

        Returns:
            Events by person and time; a window in which the person is not seen has none.

        Raises:
            UserError: The tracks have another skeleton than the model, or the model gives no finite scores for them.
        """
        file = None if isinstance(tracks, PoseTracks) else Path(tracks)
        tracks = tracks if isinstance(tracks, PoseTracks) else load_tracks(tracks)
        events = []
        for person in self.scan(tracks, window, stride, file=file, name=name):
            for (first, last), scores, row in zip(person.spans.tolist(), person.scores, person.rows(), strict=True):
                if np.isnan(scores).any():
                    continue
                best = int(scores.argmax())
                parts = self.attribute_span(tracks, person.person, (first, last), best, file, name)
                events.append(
                    Event(
                        start=float(tracks.frame_times[first]),
                        end=float(tracks.frame_times[last - 1]),
                        person=person.person,
                        label=self.classes[best],
                        score=float(scores[best]),
                        region=strongest_region(parts),
                        routing={} if row is None else by_region(row),
                        attribution=parts,
                    )
                )
        return events


def by_region(numbers: np.ndarray) -> dict[str, float]:
    """Name (4,) numbers, without those that are NaN."""
    return {name: float(number) for name, number in zip(REGIONS, numbers, strict=True) if np.isfinite(number)}
