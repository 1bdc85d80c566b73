"""From keypoint tracks to labelled intervals, with the region of the body that gave each away."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_ground.device import choose_device
from bmoe_ground.errors import UserError
from bmoe_skel.registry import MODELS, TRANSFORMS
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.config_text import parse_config_text, section
from mm_runtime.registry import build_embedded
from pose_extract.skeletons import REGIONS
from pose_extract.tracks import PoseTracks, crops_path, load_tracks

# What names files: all that prediction needs is in the checkpoint, and a checkpoint may not have others opened.
_FILES = frozenset({'init_experts', 'init_cfg', 'pretrained', 'label_embeddings', 'root'})
_TRAINING_ONLY = ('head.embedder.',)


@dataclass
class Interval:
    """What one person did between two moments.

    Attributes:
        start: Seconds.
        end: Seconds.
        person: Index of the person in the track file.
        label: The likeliest class.
        score: Its probability, 0..1.
        region: The region that the router trusted most, or None where the model has no router.
        routing: Mean weight of each region.
    """

    start: float
    end: float
    person: int
    label: str
    score: float
    region: str | None
    routing: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """The interval as JSON types."""
        return asdict(self)


class MicroActionInferencer:
    """Recognise micro-actions with a trained checkpoint, which says itself how to build the model and its input.

    Args:
        checkpoint: A checkpoint of ``tools/train.py``.
        device: Where to run, 'cpu', 'cuda', 'cuda:N', or 'auto' for a GPU where there is one.
        feature_root: Folder of precomputed features, for a model whose global stream reads them.

    Raises:
        UserError: The checkpoint is damaged, or lacks what is needed to build the model.
    """

    def __init__(
        self, checkpoint: str | os.PathLike[str], device: str = 'cpu', feature_root: str | None = None
    ) -> None:
        loaded = load_checkpoint(checkpoint)
        self.feature_root = feature_root
        meta = loaded.get('meta', {})
        missing = [key for key in ('cfg', 'dataset_meta') if not meta.get(key)]
        if missing:
            raise UserError(
                f'checkpoint {checkpoint} says nothing of {", ".join(missing)}; was it made by tools/train.py?'
            )
        config = parse_config_text(meta['cfg'], f'checkpoint {checkpoint}')
        self.classes, self.skeleton = _facts(meta['dataset_meta'], str(checkpoint))
        self.model = build_embedded(MODELS, config.get('model'), str(checkpoint), drop=_FILES)
        steps = _test_pipeline(config, str(checkpoint))
        self.pipeline = [build_embedded(TRANSFORMS, step, str(checkpoint), drop=_FILES) for step in steps]
        weights = {key: value for key, value in loaded['state_dict'].items() if not key.startswith(_TRAINING_ONLY)}
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            reason = ' '.join(str(error).split())[:300]
            raise UserError(f'checkpoint {checkpoint}: weights do not fit its config: {reason}') from error
        self.model.eval().to(choose_device(device))

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
        """
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
        batch = self.model.data_preprocessor({'inputs': inputs, 'data_samples': [sample['data_samples']]})
        result = self.model(**batch, mode='predict')[0]
        routing = result.routing.mean(1).numpy() if 'routing' in result else None
        return result.pred_scores.numpy(), routing

    def predict_tracks(
        self,
        tracks: PoseTracks | str | os.PathLike[str],
        window: float | None = None,
        stride: float | None = None,
        name: str | None = None,
    ) -> list[Interval]:
        """Label every person of a track file, whole or window by window.

        Args:
            tracks: Tracks, or a track file; a model that sees RGB crops or features needs the file.
            window: Seconds of a window; None takes the whole clip as one.
            stride: Seconds between two windows; half a window if None.
            name: The clip's name, by which its features are found; the file's own if None.

        Returns:
            Intervals by person and time; a window in which the person is not seen has none.

        Raises:
            UserError: The tracks have another skeleton than the model.
        """
        facts: dict[str, Any] = {}
        if not isinstance(tracks, PoseTracks):
            path, tracks = Path(tracks), load_tracks(tracks)
            facts = {'track': str(path), 'frame_dir': (name or path.name).removesuffix('.npz')}
            if crops_path(path).is_file():
                facts['crops'] = str(crops_path(path))
        if tracks.skeleton != self.skeleton:
            raise UserError(f'the tracks have skeleton {tracks.skeleton}, the model was trained on {self.skeleton}')
        intervals = []
        for person in range(tracks.keypoints.shape[0]):
            for first, last in _windows(tracks.frame_times, window, stride):
                part = slice(first, last)
                score = tracks.scores[person : person + 1, part]
                if not (score > 0).any():
                    continue
                place = {'total_frames': tracks.num_frames, 'window': (first, last), 'person': person}
                times = tracks.frame_times[part]
                scores, routing = self.predict_clip(
                    tracks.keypoints[person : person + 1, part], score, frame_times=times, **facts, **place
                )
                best = int(scores.argmax())
                weights = {} if routing is None else dict(zip(REGIONS, map(float, routing), strict=True))
                intervals.append(
                    Interval(
                        start=float(tracks.frame_times[first]),
                        end=float(tracks.frame_times[last - 1]),
                        person=person,
                        label=self.classes[best],
                        score=float(scores[best]),
                        region=max(weights, key=lambda name: weights[name]) if weights else None,
                        routing=weights,
                    )
                )
        return intervals


def _facts(described: Any, source: str) -> tuple[list[str], str]:
    """Class names and skeleton of a checkpoint's ``dataset_meta``."""
    classes, skeleton = (described.get(key) if isinstance(described, dict) else None for key in ('classes', 'skeleton'))
    if not isinstance(classes, (list, tuple)) or not all(isinstance(name, str) for name in classes):
        raise UserError(f'checkpoint {source}: its classes are no list of names')
    if not isinstance(skeleton, str):
        raise UserError(f'checkpoint {source}: its skeleton is no name')
    return list(classes), skeleton


def _test_pipeline(config: dict[str, Any], source: str) -> list[Any]:
    steps = section(config, 'test_dataloader', 'dataset').get('pipeline')
    if not isinstance(steps, (list, tuple)):
        raise UserError(f'checkpoint {source}: its config has no test pipeline, so the preprocessing is unknown')
    return list(steps)


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
