"""From keypoint tracks to events: who did what, when, and which region of the body gave it away."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_ground.errors import UserError
from bmoe_skel.checkpoint import load_trained
from bmoe_skel.models.attribution import attribute_regions
from mm_runtime.finite import ADVICE, check_sample
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
            (docs/guides/explain.md compares them), or None for not at all, which saves 16 passes a window.

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
        self.feature_root = feature_root
        self.attribution = attribution
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
        result = self.model(**self._batch(keypoint, score, facts), mode='predict')[0]
        check_sample(result, self.source)
        routing = result.routing.mean(1).numpy() if 'routing' in result else None
        return result.pred_scores.numpy(), routing

    def attribute_clip(
        self, keypoint: np.ndarray, score: np.ndarray | None = None, method: str = 'shapley', **facts: Any
    ) -> np.ndarray:
        """Say from which region of the body the answer for a clip came.

        Args:
            keypoint: As for :meth:`predict_clip`.
            score: Likewise.
            method: See :func:`bmoe_skel.models.attribution.attribute_regions`.
            **facts: As for :meth:`predict_clip`.

        Returns:
            (4,) one number a region, in the order of ``REGIONS``; NaN for a region of which nothing is seen.

        Raises:
            UserError: The method is unknown, or asks for a part that the model lacks.
        """
        inputs = self._batch(keypoint, score, facts)['inputs']
        return attribute_regions(self.model, inputs, method)[0].numpy()

    def _batch(self, keypoint: np.ndarray, score: np.ndarray | None, facts: dict[str, Any]) -> dict[str, Any]:
        """A batch of one clip."""
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
        inputs = {key: [value] for key, value in sample['inputs'].items()}
        batch: dict[str, Any] = self.model.data_preprocessor(
            {'inputs': inputs, 'data_samples': [sample['data_samples']]}
        )
        return batch

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
        facts: dict[str, Any] = {}
        if not isinstance(tracks, PoseTracks):
            path, tracks = Path(tracks), load_tracks(tracks)
            facts = {'track': str(path), 'frame_dir': (name or path.name).removesuffix('.npz')}
            if crops_path(path).is_file():
                facts['crops'] = str(crops_path(path))
        if tracks.skeleton != self.skeleton:
            raise UserError(f'the tracks have skeleton {tracks.skeleton}, the model was trained on {self.skeleton}')
        events = []
        for person in range(tracks.keypoints.shape[0]):
            for first, last in _windows(tracks.frame_times, window, stride):
                part = slice(first, last)
                score = tracks.scores[person : person + 1, part]
                if not (score > 0).any():
                    continue
                place = {'total_frames': tracks.num_frames, 'window': (first, last), 'person': person}
                place |= {'frame_times': tracks.frame_times[part], **facts}
                keypoint = tracks.keypoints[person : person + 1, part]
                scores, routing = self.predict_clip(keypoint, score, **place)
                parts = {}
                if self.attribution is not None:
                    parts = _by_region(self.attribute_clip(keypoint, score, self.attribution, **place))
                best = int(scores.argmax())
                events.append(
                    Event(
                        start=float(tracks.frame_times[first]),
                        end=float(tracks.frame_times[last - 1]),
                        person=person,
                        label=self.classes[best],
                        score=float(scores[best]),
                        region=strongest_region(parts),
                        routing={} if routing is None else _by_region(routing),
                        attribution=parts,
                    )
                )
        return events


def strongest_region(parts: dict[str, float]) -> str | None:
    """The region to which most is attributed; None where none has more than 0."""
    best = max(parts, key=lambda name: parts[name], default=None)
    return best if best is not None and parts[best] > 0 else None


def _by_region(numbers: np.ndarray) -> dict[str, float]:
    """Name (4,) numbers, without those that are NaN."""
    return {name: float(number) for name, number in zip(REGIONS, numbers, strict=True) if np.isfinite(number)}


def _windows(times: np.ndarray, window: float | None, stride: float | None) -> list[tuple[int, int]]:
    """Frame ranges [first, last) of windows in seconds; the last one ends with the clip."""
    if window is None or times[-1] - times[0] <= window:
        return [(0, len(times))]
    if window <= 0 or (stride is not None and stride <= 0):
        raise UserError(f'window and stride must be positive seconds, got {window} and {stride}')
    starts = np.arange(times[0], times[-1] - window + 1e-9, stride or window / 2)
    ranges = [(int(np.searchsorted(times, s)), int(np.searchsorted(times, s + window, side='right'))) for s in starts]
    if ranges[-1][1] < len(times):
        ranges.append((int(np.searchsorted(times, times[-1] - window)), len(times)))
    return ranges
