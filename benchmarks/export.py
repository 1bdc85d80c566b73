"""Speed of an exported model beside the same model in torch, clip by clip and in batches, on one thread."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from bmoe_skel.checkpoint import load_trained
from bmoe_skel.export.exported import ExportedRecognizer
from bmoe_skel.export.graph import RecognizerGraph
from bmoe_skel.export.recognizer import export_recognizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('checkpoint', type=Path, help='checkpoint of tools/train.py')
    parser.add_argument('--frames', type=int, default=60, help='of a clip (default: %(default)s)')
    parser.add_argument('--batches', type=int, nargs='+', default=[1, 8], help='(default: 1 8)')
    parser.add_argument('--repeats', type=int, default=30, help='(default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure both in turn and print medians and their ratio."""
    torch.set_num_threads(1)
    trained = load_trained(args.checkpoint)
    graph = RecognizerGraph(trained).eval()
    with tempfile.TemporaryDirectory() as folder:
        difference = export_recognizer(args.checkpoint, Path(folder) / 'model.onnx')
        exported = ExportedRecognizer(Path(folder) / 'model.onnx', threads=1)
    print(f'largest difference {difference:.0e}; medians of {args.repeats} runs, one thread, {args.frames} frames')
    rng = np.random.default_rng(0)
    for batch in args.batches:
        shape = (batch, 1, args.frames, trained.model.num_keypoints)
        keypoints = rng.uniform(0, 500, (*shape, int(trained.model.coordinates))).astype(np.float32)
        scores = np.ones(shape, np.float32)
        times = np.tile(np.arange(args.frames, dtype=np.float32) / 30, (batch, 1))
        tensors = [torch.from_numpy(part) for part in (keypoints, scores, times)]
        with torch.inference_mode():
            ours, theirs = _medians(
                partial(exported.predict, keypoints, scores, times),
                partial(graph, *tensors),
                args.repeats,
            )
        print(f'batch {batch}: ONNX Runtime {1000 * ours:.1f} ms, torch {1000 * theirs:.1f} ms, {theirs / ours:.2f} x')
    return 0


def _medians(first: Callable[[], object], second: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median seconds of both, called in turn."""
    spent: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 3):
        for call, seconds in zip((first, second), spent, strict=True):
            started = time.perf_counter()
            call()
            if repeat >= 3:  # the first ones warm up
                seconds.append(time.perf_counter() - started)
    return statistics.median(spent[0]), statistics.median(spent[1])
