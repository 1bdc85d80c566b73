"""Write a trained recogniser, preprocessing included, as an ONNX file or a torch.export program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write, file_digest
from bmoe_ground.onnx_files import write_onnx
from bmoe_ground.version import __version__
from bmoe_skel.checkpoint import TrainedModel, load_trained
from bmoe_skel.export.exported import FORMAT
from bmoe_skel.export.graph import RecognizerGraph
from pose_extract.skeletons import REGIONS, get_skeleton

_SIZES = ((2, 2, 24), (1, 1, 1), (3, 1, 7), (1, 3, 64), (2, 2, 301))  # clips, persons, frames


def export_recognizer(checkpoint: str | os.PathLike[str], path: str | os.PathLike[str]) -> float:
    """Export a checkpoint with everything between raw keypoints and probabilities.

    ``.onnx`` takes ``keypoints`` (clips, persons, frames, V, C) float32 in any unit, NaN where absent, ``scores``
    (clips, persons, frames, V) and ``times`` (clips, frames) in seconds, and gives ``probabilities`` (clips, classes)
    and, where the model has a router, ``routing`` (clips, 4). Any number of clips, persons and frames.
    ``<path>.json`` says classes, layout and keypoints. ``.pt2`` holds the same as a program of ``torch.export``.

    Args:
        checkpoint: A checkpoint of ``bmoe train``.
        path: The file to write, ``.onnx`` or ``.pt2``.

    Returns:
        The largest difference from the model in torch, over clips of five sizes.

    Raises:
        UserError: The checkpoint is unfit, has a stream or a step that cannot be exported, the exported network
            answers otherwise, or the file cannot be written.

    Example:
        >>> difference = export_recognizer('best.pth', 'model.onnx')
        >>> difference < 1e-4
        True
    """
    trained = load_trained(checkpoint)
    graph = RecognizerGraph(trained).eval()
    samples = [_random_clips(trained, *sizes) for sizes in _SIZES]
    if Path(path).suffix == '.pt2':
        return _write_program(path, graph, samples)
    if Path(path).suffix != '.onnx':
        raise UserError(f'{path}: must end in .onnx or .pt2')
    outputs = ['probabilities', 'routing'] if graph.routes else ['probabilities']
    body = {0: 'clips', 1: 'persons', 2: 'frames'}
    axes = {'keypoints': body, 'scores': body, 'times': {0: 'clips', 1: 'frames'}}
    facts = _facts(trained, file_digest(checkpoint), graph)
    return write_onnx(path, graph, samples, outputs, axes | {name: {0: 'clips'} for name in outputs}, facts)


def _facts(trained: TrainedModel, digest: str, graph: RecognizerGraph) -> dict[str, Any]:
    """What a program that runs the network must know."""
    layout = get_skeleton(trained.skeleton)
    return {
        'format': FORMAT,
        'version': __version__,
        'checkpoint_sha256': digest,
        'classes': trained.classes,
        'multi_label': trained.model.head.multi_label,
        'skeleton': trained.skeleton,
        'keypoints': list(layout.keypoints),
        'coordinates': trained.model.coordinates,
        'min_score': graph.min_score,
        'clip_seconds': None if trained.clip_seconds is None else list(trained.clip_seconds),
        'regions': list(REGIONS) if graph.routes else None,
        'inputs': {
            'keypoints': 'float32 (clips, persons, frames, keypoints, coordinates), pixels, y down; NaN where absent',
            'scores': 'float32 (clips, persons, frames, keypoints), 0..1, 0 where absent',
            'times': 'float32 (clips, frames), seconds of each frame',
        },
        'outputs': {
            'probabilities': 'float32 (clips, classes)',
            **({'routing': 'float32 (clips, regions), mean weight of each region'} if graph.routes else {}),
        },
    }


def _random_clips(trained: TrainedModel, clips: int, persons: int, frames: int) -> dict[str, Tensor]:
    """Clips with holes, of people of every place and size, at an uneven frame rate."""
    rng = np.random.default_rng([clips, persons, frames])
    joints, coordinates = trained.model.num_keypoints, int(trained.model.coordinates)
    pose = rng.normal(0, 60, (clips, persons, 1, joints, coordinates)) + rng.uniform(0, 900, (clips, 1, 1, 1, 1))
    keypoints = (pose + rng.normal(0, 3, (clips, persons, frames, joints, coordinates))).astype(np.float32)
    scores = rng.uniform(0.05, 1, (clips, persons, frames, joints)).astype(np.float32)
    hidden = rng.random(scores.shape) < 0.1
    keypoints[hidden], scores[hidden] = np.nan, 0
    times = rng.uniform(0.02, 0.06, (clips, frames)).cumsum(1).astype(np.float32)
    found = {'keypoints': keypoints, 'scores': scores, 'times': times}
    return {name: torch.from_numpy(values) for name, values in found.items()}


def _write_program(path: str | os.PathLike[str], graph: RecognizerGraph, samples: list[dict[str, Tensor]]) -> float:
    auto = torch.export.Dim.AUTO
    body = {0: auto, 1: auto, 2: auto}
    with torch.no_grad():
        program = torch.export.export(
            graph, tuple(samples[0].values()), dynamic_shapes=(body, body, {0: auto, 1: auto})
        )
        worst = 0.0
        for sample in samples:
            if 1 in sample['scores'].shape[:3]:
                continue  # torch.export treats a size of 1 as another program
            found, wanted = program.module()(*sample.values()), graph(*sample.values())
            worst = max(worst, *(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True)))
    with atomic_write(path) as file:
        torch.export.save(program, file)
    return worst
