"""How far a face model's scores hold when test images come compressed, reduced, blurred or framed otherwise.

Each axis changes the image as it was read, before the config's own framing; the model and the floor (HOG and a logistic
regression, ``face-floor``) see the same changed images, and neither is trained anew. A curve that falls where the
floor's does not says that the model went by what compression takes away.

    python tools/benchmark.py face-robust configs/face_aux/real_or_fake.py work_dirs/real_or_fake/best.pth --out robust
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from benchmarks.face_evidence.runs import load_model
from benchmarks.face_floor import Step, build_part, examine, fit_floor, measure, open_config
from bmoe_ground.files import atomic_write
from face_aux.metrics.samples import plain_sample
from face_aux.registry import DATASETS
from face_aux.transforms import GaussianBlur, JpegCompression
from face_aux.transforms.geometric import on_frames, resize

_EVALUATOR = [{'type': 'ClassificationMetric'}]


@dataclass(frozen=True)
class Axis:
    """One way in which images differ.

    Args:
        title: What the levels are.
        levels: From none to strong.
        make: A level's change of an item.
    """

    title: str
    levels: tuple[float, ...]
    make: Callable[[float], Step]


def reduced(scale: float) -> Step:
    """Reduce an image by a factor and bring it back to its size, as a thumbnail would be."""

    def change(frame: np.ndarray) -> np.ndarray:
        height, width = frame.shape[:2]
        small = resize(frame, max(1, round(width * scale)), max(1, round(height * scale)))
        return resize(small, width, height)

    return lambda item: on_frames(item, change)


def framed(zoom: float) -> Step:
    """Show the face larger (above 1: the rim is cut off) or smaller (below 1: the rim is mirrored outwards)."""

    def change(frame: np.ndarray) -> np.ndarray:
        height, width = frame.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, zoom)
        flags = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
        return cv2.warpAffine(frame, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)

    return lambda item: on_frames(item, change)


AXES = {
    'jpeg': Axis(
        'JPEG quality',
        (100, 90, 70, 50, 30, 10),
        lambda quality: JpegCompression(quality=(int(quality), int(quality)), prob=1.0),
    ),
    'resize': Axis('reduced to, and back', (1.0, 0.75, 0.5, 0.35, 0.25), reduced),
    'blur': Axis(
        'blur, standard deviation in pixels',
        (0.0, 0.5, 1.0, 2.0, 4.0),
        lambda sigma: GaussianBlur(sigma=(sigma, sigma), prob=1.0) if sigma else dict,
    ),
    'framing': Axis('face enlarged by', (0.8, 0.9, 1.0, 1.1, 1.25), framed),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('config', help='a face config, or the name of one that comes with the project')
    parser.add_argument('checkpoint', type=Path, help='a checkpoint that was trained with it')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config values')
    parser.add_argument('--axes', nargs='+', choices=AXES, default=list(AXES), help='default: all')
    parser.add_argument('--cell', type=int, default=8, help='side of a cell of the floor in pixels (default 8)')
    parser.add_argument('--no-floor', action='store_true', help='leave the floor out, which takes most of the time')
    parser.add_argument('--metric', default='auc', help='of ClassificationMetric (default auc)')
    parser.add_argument('--out', type=Path, required=True, help='folder for robustness.json and robustness.png')


def run(arguments: argparse.Namespace) -> int:
    """Measure both along every axis, print tables, write figures and curves, and return 0."""
    cfg = open_config(arguments.config, arguments.cfg_options)
    plain = build_part(cfg, 'test')
    model = load_model(cfg.model, arguments.checkpoint, plain.metainfo)
    floor = None
    if not arguments.no_floor:
        floor = fit_floor(build_part(cfg, 'train'), build_part(cfg, 'val'), arguments.cell)

    def judge(disturb: Step) -> dict[str, dict[str, float]]:
        found = {'checkpoint': predict(model, normalised(cfg, disturb))}
        if floor is not None:
            found['floor'] = floor.results(examine(build_part(cfg, 'test', disturb), arguments.cell))
        return {name: measure(_EVALUATOR, results, plain.metainfo)[0] for name, results in found.items()}

    curves = {name: [{'level': level, **judge(AXES[name].make(level))} for level in AXES[name].levels]
              for name in arguments.axes}  # fmt: skip
    keys = [f'{task}/{arguments.metric}' for task in plain.metainfo['tasks']]
    print('\n\n'.join(table(AXES[name].title, curve, keys) for name, curve in curves.items()))
    with atomic_write(arguments.out / 'robustness.json') as file:
        file.write((json.dumps(curves, indent=1) + '\n').encode())
    draw(curves, keys, arguments.out / 'robustness.png')
    print(f'written to {arguments.out}')
    return 0


def normalised(cfg: Config, disturb: Step) -> Any:
    """The test part as the model takes it, with each image changed as it was read."""
    own = dict(cfg.test_dataloader.dataset)
    loading, *rest = own['pipeline']
    return DATASETS.build({**own, 'pipeline': [loading, disturb, *rest]})


@torch.no_grad()
def predict(model: Any, dataset: Any, batch_size: int = 64) -> list[dict[str, Any]]:
    """What the metrics take of every sample.

    Args:
        model: In eval mode.
        dataset: From :func:`normalised`.
        batch_size: Samples at a time.
    """
    samples: list[dict[str, Any]] = []
    for batch in DataLoader(dataset, batch_size, collate_fn=pseudo_collate):
        samples += [plain_sample(sample.to_dict()) for sample in model(**batch, mode='predict')]
    return samples


def table(title: str, curve: Sequence[dict[str, Any]], keys: Sequence[str]) -> str:
    """One axis as Markdown, per cent."""
    measured = [who for who in ('checkpoint', 'floor') if who in curve[0]]
    head = [title, *(f'{key}: {who}' for key in keys for who in measured)]
    lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
    for point in curve:
        cells = [f'{100 * point[who][key]:.1f}' for key in keys for who in measured]
        lines.append(f'| {point["level"]:g} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def draw(curves: dict[str, list[dict[str, Any]]], keys: Sequence[str], path: Path) -> None:
    """The curves as a picture, an axis a column and a metric a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(curves), 2.8 * len(keys)), layout='constrained')
    panels = figure.subplots(len(keys), len(curves), squeeze=False, sharey='row')
    for row, key in zip(panels, keys, strict=True):
        for panel, (name, curve) in zip(row, curves.items(), strict=True):
            places = range(len(curve))
            for who, style in (('checkpoint', 'o-'), ('floor', 's--')):
                if who not in curve[0]:
                    continue
                panel.plot(places, [point[who][key] for point in curve], style, label=who)
            panel.set_xticks(places, [f'{point["level"]:g}' for point in curve])
            panel.set_xlabel(AXES[name].title)
            panel.set_ylabel(key)
            panel.grid(alpha=0.3)
    panels[0][0].legend()
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=120)
