"""Parameters, multiply-adds and clips a second of a model, beside ST-GCN++ on the same machine in the same run.

Times of the two are taken in turn, so that a busy machine slows both; the ratio is what can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.analysis import FlopAnalyzer
from torch import Tensor, nn

from benchmarks.stgcnpp import STGCNPlusPlus
from bmoe_ground.errors import UserError
from bmoe_skel.registry import MODELS
from mm_runtime.config import load_config, parse_cfg_options
from pose_extract.skeletons import get_skeleton

# name: parameters in millions, GMAC a clip, its clip, where the figures stand; NTU 60 and 120
PUBLISHED = {
    'ST-GCN++': (1.39, 1.95, '2 persons, 100 frames', 'PYSKL, Duan et al. 2022, README of mmaction2'),
    'CTR-GCN': (1.46, 1.97, '2 persons, 64 frames, ntu25', 'Chen et al. 2021, as quoted by later papers'),
    'PoseC3D (SlowOnly-R50)': (2.0, 20.6, '2 persons', 'Duan et al. 2022, README of mmaction2'),
    'ProtoGCN': (4.13, 5.21, '2 persons, 100 frames', 'Liu et al. 2025, counted from its code'),
}
_CLASSES = 60


class Classify(nn.Module):
    """A recognizer as a function of its arrays, for the counter of operations."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, keypoint: Tensor, visible: Tensor) -> Tensor:
        """(B, S, M, T, V, C) and (B, S, M, T, V) -> (B * S, classes), at an even pace."""
        pace = keypoint.new_ones(*keypoint.shape[:2], keypoint.shape[3])
        return self.model({'keypoint': keypoint, 'visible': visible, 'pace': pace})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument('config', nargs='?', default='configs/bmoe_skel.py', help='(default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='changes to the config')
    parser.add_argument('--skeleton', default='coco17', help='where the config leaves it open (default: %(default)s)')
    parser.add_argument('--coordinates', type=int, default=2, help='(default: %(default)s)')
    parser.add_argument('--classes', type=int, default=_CLASSES, help='(default: %(default)s)')
    parser.add_argument('--frames', type=int, default=64, help='(default: %(default)s)')
    parser.add_argument('--batch', type=int, default=16, help='(default: %(default)s)')
    parser.add_argument('--repeats', type=int, default=5, help='timings of each, medians are shown')
    parser.add_argument('--threads', type=int, default=0, help='0 leaves it to torch')
    parser.add_argument('--json', type=Path, help='write the figures to this file')


def build(
    config: str, skeleton: str, coordinates: int, classes: int, options: dict[str, Any] | None = None
) -> nn.Module:
    """Build the model of a config with what it leaves open.

    Args:
        config: The config's path.
        skeleton: Name of the keypoint layout.
        coordinates: 2 or 3.
        classes: Number of classes.
        options: Changes to the config, dotted key to value.

    Returns:
        The model.

    Raises:
        UserError: The config has no model of this package.
    """
    cfg = load_config(config, options)
    model = dict(cfg.get('model') or {})
    cls = MODELS.get(model['type']) if model.get('type') else None
    if cls is None:
        raise UserError(f'{config}: model type {model.get("type")!r} is none of bmoe_skel')
    facts = {
        'classes': [str(i) for i in range(model.get('num_classes') or classes)],
        'skeleton': model.get('skeleton') or skeleton,
        'coordinates': model.get('coordinates') or coordinates,
    }
    cls.complete_config(model, facts)
    return MODELS.build(model)


def count(model: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[int, float]:
    """Count parameters and multiply-adds of one clip.

    Args:
        model: The model.
        inputs: Arguments of its forward, batch of one.

    Returns:
        Parameters, and multiply-adds.
    """
    model.eval()
    with torch.no_grad():
        counter = FlopAnalyzer(model, inputs).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return sum(p.numel() for p in model.parameters()), float(counter.total())


def rates(steps: dict[str, Callable[[], Any]], clips: int, repeats: int) -> dict[str, float]:
    """Time several functions in turn.

    Args:
        steps: Name to function, each of which handles ``clips`` clips.
        clips: Clips a call.
        repeats: Calls of each, after one that does not count.

    Returns:
        Name to median clips a second.
    """
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: clips / statistics.median(values) for name, values in seconds.items()}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure a config's model and ST-GCN++.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Returns:
        ``params``, ``macs``, ``train_clips_per_s``, ``infer_clips_per_s``, the same for ``stgcnpp``, the two ratios,
        and the machine.
    """
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    options = parse_cfg_options(arguments.cfg_options)
    ours = Classify(build(arguments.config, arguments.skeleton, arguments.coordinates, arguments.classes, options))
    other = STGCNPlusPlus(num_classes=_CLASSES)
    inner: Any = ours.model
    joints = get_skeleton(inner.skeleton).num_keypoints
    shape = (1, 1, 1, arguments.frames, joints)
    one = (torch.randn(*shape, inner.coordinates), torch.ones(shape, dtype=torch.bool))
    batch = tuple(x.expand(arguments.batch, *x.shape[1:]).contiguous() for x in one)
    theirs = torch.randn(arguments.batch, 2, 100, 17, 3)
    params, macs = count(ours, one)
    their_params, their_macs = count(other, (theirs[:1],))

    def train(model: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[[], None]:
        def step() -> None:
            model.train()
            model.zero_grad(set_to_none=True)
            model(*inputs).logsumexp(-1).mean().backward()

        return step

    def infer(model: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[[], None]:
        def step() -> None:
            model.eval()
            with torch.no_grad():
                model(*inputs)

        return step

    training = rates({'ours': train(ours, batch), 'other': train(other, (theirs,))}, arguments.batch, arguments.repeats)
    inference = rates(
        {'ours': infer(ours, batch), 'other': infer(other, (theirs,))}, arguments.batch, arguments.repeats
    )
    return {
        'config': ' '.join([arguments.config, *(arguments.cfg_options or [])]),
        'params': params,
        'macs': macs,
        'train_clips_per_s': training['ours'],
        'infer_clips_per_s': inference['ours'],
        'stgcnpp': {
            'params': their_params,
            'macs': their_macs,
            'train_clips_per_s': training['other'],
            'infer_clips_per_s': inference['other'],
        },
        'train_ratio': training['ours'] / training['other'],
        'infer_ratio': inference['ours'] / inference['other'],
        'setting': {
            'skeleton': inner.skeleton,
            'frames': arguments.frames,
            'batch': arguments.batch,
            'threads': torch.get_num_threads(),
            'repeats': arguments.repeats,
            'torch': torch.__version__,
            'machine': platform.machine(),
            'cores': os.cpu_count(),
            'load': os.getloadavg()[0],
        },
    }


def table(figures: dict[str, Any]) -> str:
    """Lay the figures out as a Markdown table, with the published ones below.

    Args:
        figures: From :func:`measure`.

    Returns:
        The table.
    """
    setting, other = figures['setting'], figures['stgcnpp']
    rows = [
        '| model | clip | parameters | GMAC | train clips/s | infer clips/s |',
        '|---|---|---|---|---|---|',
        f'| {figures["config"]} | 1 person, {setting["frames"]} frames, {setting["skeleton"]} '
        f'| {figures["params"] / 1e6:.3f} M | {figures["macs"] / 1e9:.3f} '
        f'| {figures["train_clips_per_s"]:.1f} | {figures["infer_clips_per_s"]:.1f} |',
        f'| ST-GCN++ | 2 persons, 100 frames, coco17 | {other["params"] / 1e6:.3f} M | {other["macs"] / 1e9:.3f} '
        f'| {other["train_clips_per_s"]:.1f} | {other["infer_clips_per_s"]:.1f} |',
        f'| ratio | | | | {figures["train_ratio"]:.2f} | {figures["infer_ratio"]:.2f} |',
    ]
    rows += [f'| {name}, published ({source}) | {clip} | {params} M | {macs} | | |'
             for name, (params, macs, clip, source) in PUBLISHED.items()]  # fmt: skip
    return '\n'.join(rows)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and write the JSON.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Returns:
        Exit code 0.
    """
    figures = measure(arguments)
    print(table(figures))
    setting = figures['setting']
    print(
        f'\nbatch {setting["batch"]}, {setting["threads"]} threads, load {setting["load"]:.1f}, '
        f'torch {setting["torch"]}'
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
        print(f'written to {arguments.json}')
    return 0
