"""From a training to the model that comes with the package: its last layer calibrated, only what prediction needs.

python tools/make_box.py                                          # clips, training, calibration, the stored file

A trained network says how likely each class is among clips of which a third show nothing. In a recording people do
nothing most of the time, and a wrong event costs more than a missed one. So a temperature (Guo et al., "On calibration
of modern neural networks", 2017) and one bias a class (Alexandari et al., "Maximum likelihood with bias-corrected
calibration is hard-to-beat at label shift adaptation", 2020) are fitted on windows of generated recordings that it was
not trained on, by likelihood; then the bias of each class is lowered until it gives few enough events where nothing, or
something else, happens. Both go into the weights, so that the stored file is a checkpoint like any other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from scipy.optimize import minimize

from benchmarks.box.events import OWN_NAMES, Tally, tally
from benchmarks.box.recordings import Recording
from bmoe_app.answer import Event, ModelSettings
from bmoe_app.answer.answer import Windows
from bmoe_app.answer.merge import MergeSettings, cells, merge, smooth
from bmoe_app.answer.model import Recognizer
from bmoe_app.answer.settings import MIN_SEEN, STRIDES
from bmoe_ground.files import atomic_write
from bmoe_skel.taxonomy import CLASSES, NOTHING
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.config_text import parse_config_text, section
from pose_extract.tracks import PoseTracks

FALSE_A_MINUTE = 0.06
"""Most events a minute of a class that are of no movement of it; 26 classes of that make one and a half."""
STEP = 0.25
"""By which a bias is lowered at once, in natural logarithms."""
_KEPT = ('meta', 'state_dict')


class Scanned(NamedTuple):
    """What the network says of one recording, and of which windows."""

    tracks: PoseTracks
    logits: np.ndarray  # (W, C) logarithms of probabilities, NaN where nobody is seen
    spans: np.ndarray  # (W, 2) seconds


class Calibration(NamedTuple):
    """What changes in the last layer: logits are divided by the temperature, then the biases are added."""

    temperature: float
    biases: np.ndarray  # (C,)


def scan(model: Recognizer, tracks: PoseTracks) -> Scanned:
    """Ask about one person in windows, as an answer does."""
    window = (model.inferencer.clip_seconds or (2.0, 2.0))[0]
    common = model.in_layout(tracks)
    (person, *_) = model.inferencer.scan(common, window, window / STRIDES, MIN_SEEN)
    times = tracks.frame_times
    spans = np.stack([times[person.spans[:, 0]], times[person.spans[:, 1] - 1]], 1)
    return Scanned(common, np.log(np.clip(person.scores, 1e-12, None)), spans)


def window_labels(recording: Recording, spans: np.ndarray) -> np.ndarray:
    """Number of the class that each window (W, 2) shows: -1 where nobody can say.

    A window shows a movement where it holds three quarters of it, or is filled by it to three quarters; it shows
    nothing where at most a tenth of a second of anything is in it.
    """
    labels = np.full(len(spans), CLASSES.index(NOTHING))
    lengths = spans[:, 1] - spans[:, 0]
    for start, stop in recording.between:
        shared = np.minimum(spans[:, 1], stop) - np.maximum(spans[:, 0], start)
        labels[shared > 0.1] = -1
    for real in recording.truth:
        shared = np.minimum(spans[:, 1], real.end) - np.maximum(spans[:, 0], real.start)
        labels[shared > 0.1] = -1
        whole = shared >= 0.75 * np.minimum(lengths, max(real.end - real.start, 1e-6))
        labels[whole] = CLASSES.index(real.label)
    return labels


def fit(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Temperature and biases of the greatest likelihood, the biases held near 0 by a weak prior.

    Args:
        logits: (N, C).
        labels: (N,).
    """

    def apply(values: np.ndarray) -> np.ndarray:
        scores = logits / np.exp(values[0]) + values[1:]
        return scores - scores.max(1, keepdims=True)

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        scores = apply(values)
        share = np.exp(scores)
        share /= share.sum(1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(share[rows, labels] + 1e-12).mean() + 0.002 * (values[1:] ** 2).sum()
        wrong = share.copy()
        wrong[rows, labels] -= 1
        slope_bias = wrong.mean(0) + 0.004 * values[1:]
        slope_heat = -(wrong * logits).sum(1).mean() / np.exp(values[0])
        return float(loss), np.concatenate([[slope_heat], slope_bias])

    found = minimize(cost, np.zeros(1 + logits.shape[1]), jac=True, method='L-BFGS-B').x
    return Calibration(float(np.exp(found[0])), found[1:] - found[1:].mean())


def events_of(scanned: Scanned, change: Calibration, threshold: float = 0.5, min_seconds: float = 0.2) -> list[Event]:
    """The events that a recording would have with a changed last layer."""
    scores = scanned.logits / change.temperature + change.biases
    scores = np.exp(scores - np.nanmax(scores, 1, keepdims=True))
    scores /= scores.sum(1, keepdims=True)
    middles = scanned.spans.mean(1)
    reach = float(np.median(np.diff(scanned.spans)) / 2)
    windows = Windows(0, middles, smooth(scores, middles, reach), None)
    gap = float(np.median(np.diff(middles))) if len(middles) > 1 else 0.0
    seen = scanned.tracks.frame_times[(scanned.tracks.scores[0] > 0).any(-1)]
    making = MergeSettings(threshold, min_seconds, gap)
    return merge(windows, cells(scanned.spans, middles), seen, CLASSES, (NOTHING,), making)


def calibrate(model: Recognizer, recordings: Sequence[Recording]) -> tuple[Calibration, Tally]:
    """Find what to change in the last layer.

    Args:
        model: The training's checkpoint.
        recordings: None of which it was trained on, and none of the exam.

    Returns:
        The change, and how the changed model fares on these recordings.
    """
    scans = [scan(model, one.tracks) for one in recordings]
    labels = np.concatenate([window_labels(one, two.spans) for one, two in zip(recordings, scans, strict=True)])
    logits = np.concatenate([one.logits for one in scans])
    usable = (labels >= 0) & np.isfinite(logits).all(1)
    change = fit(logits[usable], labels[usable])
    while True:
        found = tally(recordings, [events_of(one, change) for one in scans], OWN_NAMES)
        much = [k for k, name in enumerate(CLASSES) if found.false[name] / found.minutes > FALSE_A_MINUTE]
        if not much:
            return change, found
        biases = change.biases.copy()
        biases[much] -= STEP
        change = Calibration(change.temperature, biases)


def store(checkpoint: Path, change: Calibration, target: Path, facts: dict[str, Any]) -> None:
    """Write the model that comes with the package: weights, and of the config what prediction reads.

    Paths of the machine that trained it do not go along.

    Args:
        checkpoint: The training's.
        change: From :func:`calibrate`.
        target: File to write.
        facts: How it was made, for ``meta.made``: builtins only.
    """
    loaded = load_checkpoint(checkpoint)
    kept = {name: loaded[name] for name in _KEPT}
    weights = kept['state_dict']
    scale = 1 / change.temperature
    weights['head.classifier.weight'] = weights['head.classifier.weight'] * scale
    biases = torch.from_numpy(change.biases).to(weights['head.classifier.bias'])
    weights['head.classifier.bias'] = weights['head.classifier.bias'] * scale + biases
    config = parse_config_text(kept['meta']['cfg'], str(checkpoint))
    pipeline = section(config, 'test_dataloader', 'dataset')['pipeline']
    used = Config({'model': config['model'], 'test_dataloader': {'dataset': {'pipeline': pipeline}}})
    kept['meta'] = {'cfg': used.pretty_text, 'dataset_meta': kept['meta']['dataset_meta'], 'made': facts}
    with atomic_write(target) as file:
        torch.save(kept, file)


def recognizer(path: str | os.PathLike[str]) -> Recognizer:
    """A checkpoint, to be asked on one thread."""
    return Recognizer(ModelSettings(Path(path)))
