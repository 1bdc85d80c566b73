"""Images per second of the texture operators, and of scikit-image's LBP in the same run."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from face_aux.textures import DESCRIPTORS, kirsch_responses, local_binary_pattern, local_ternary_pattern

OURS = 'local_binary_pattern (8, 1)'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('--size', type=int, default=224, help='height and width of the images (default 224)')
    parser.add_argument('--batch', type=int, default=32, help='images a batch (default 32)')
    parser.add_argument('--threads', type=int, default=2, help="torch's threads (default 2)")
    parser.add_argument('--rounds', type=int, default=7, help='measurements of each, taken in turn (default 7)')
    parser.add_argument('--device', default='cpu', help='where the operators run (default cpu)')
    parser.add_argument('--json', type=Path, help='write the figures here too')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print a table and return 0, or 1 if a code differed from scikit-image's."""
    torch.set_num_threads(arguments.threads)
    figures = measure(arguments.size, arguments.batch, arguments.rounds, arguments.device)
    print(f'{arguments.batch} x {arguments.size} x {arguments.size}, {arguments.device}, {arguments.threads} threads')
    print(f'{"operator":34s} {"images/s":>9s} {"range":>15s}')
    for name, rates in figures['images_per_second'].items():
        spread = f'{min(rates):.0f}..{max(rates):.0f}'
        print(f'{name:34s} {statistics.median(rates):9.0f} {spread:>15s}')
    print(f'LBP (8, 1): {figures["ratio"]:.1f} times scikit-image (median over rounds of the ratio within a round)')
    print(f'codes that differ from scikit-image: {figures["mismatches"]} of {figures["codes"]}')
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
    return int(figures['mismatches'] > 0)


def measure(size: int, batch: int, rounds: int, device: str) -> dict:
    """Time each operator ``rounds`` times, in turn, so that what else the machine does hits all of them.

    Half of the images are plain noise, half are smooth.

    Args:
        size: Height and width.
        batch: Number of images.
        rounds: Measurements of each operator.
        device: Where the operators run; scikit-image always runs on the CPU.

    Returns:
        ``images_per_second`` (name to a list of ``rounds`` rates), ``ratio``, ``mismatches``, ``codes``, ``machine``.
    """
    from skimage.feature import local_binary_pattern as reference

    arrays = _images(size, batch)
    images = torch.from_numpy(arrays).to(device)
    operators: dict[str, Callable[[], object]] = {
        'scikit-image LBP (8, 1)': lambda: np.stack([reference(image, 8, 1) for image in arrays]),
        OURS: lambda: local_binary_pattern(images, 8, 1),
        'local_binary_pattern (8, 1) uniform': lambda: local_binary_pattern(images, 8, 1, 'uniform'),
        'local_binary_pattern (16, 2)': lambda: local_binary_pattern(images, 16, 2),
        'local_ternary_pattern (8, 1)': lambda: local_ternary_pattern(images),
        'kirsch_responses': lambda: kirsch_responses(images),
    }
    for key, descriptor in DESCRIPTORS.items():
        if key != 'LBP':  # timed above, in three forms
            operators[f'{descriptor.operator.__name__} ({key})'] = partial(
                descriptor.operator, images, **descriptor.options
            )
    for name, operator in operators.items():
        if not name.startswith('scikit'):
            operator()  # first call: memory and, on a GPU, kernels
    rates: dict[str, list[float]] = {name: [] for name in operators}
    for _ in range(rounds):
        for name, operator in operators.items():
            rates[name].append(batch / _seconds(operator, device))
    ours, theirs = rates[OURS], rates['scikit-image LBP (8, 1)']
    codes = local_binary_pattern(images, 8, 1).cpu().numpy()
    return {
        'images_per_second': rates,
        'ratio': statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        'mismatches': int((codes != operators['scikit-image LBP (8, 1)']()).sum()),
        'codes': codes.size,
        'machine': {'processor': platform.processor() or platform.machine(), 'torch': torch.__version__},
    }


def _images(size: int, batch: int) -> np.ndarray:
    """Half noise, half smooth: noise at an eighth of the resolution, enlarged bilinearly."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (batch, size, size), dtype=torch.uint8, generator=generator)
    coarse = torch.rand((batch // 2, 1, 1 + size // 8, 1 + size // 8), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(size, size), mode='bilinear')[:, 0]
    images[: batch // 2] = (smooth * 255).to(torch.uint8)
    return images.numpy()


def _seconds(operator: Callable[[], object], device: str) -> float:
    start = time.perf_counter()
    operator()
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize()
    return time.perf_counter() - start
