"""Speed and memory of the extraction, each beside what one would use without it, both in the same run.

The two sides take turns, so that a machine that is busy with something else is so for both; figures are medians.
MMPose's networks have random weights (seed 0): speed does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from bmoe_ground.media import open_capture
from bmoe_ground.native_output import library_warnings_silenced, native_stderr_silenced
from pose_extract.estimators import PoseEstimator, backend_class
from pose_extract.extraction import FRAMES_AHEAD, package_versions
from pose_extract.job import run_job
from pose_extract.pipeline import prefetch
from pose_extract.settings import ExtractSettings
from pose_extract.video import open_video

PARTS = ('mmpose', 'mediapipe', 'jobs', 'memory')
MODEL = 'rtmpose-m_8xb256-420e_coco-256x192'
Run = Callable[[], np.ndarray]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py pose``."""
    parser.add_argument('video', type=Path, help='video of a person')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=['mmpose', 'mediapipe', 'jobs'])
    parser.add_argument('--runs', type=int, default=5, help='runs of each side (default: %(default)s)')
    parser.add_argument('--model', default=MODEL, help='MMPose config (default: %(default)s)')
    parser.add_argument('--minutes', type=float, default=20, help='length of the long video of the memory part')
    parser.add_argument('--json', type=Path, help='write the figures to this file too')


def run(args: argparse.Namespace) -> int:
    """Measure the chosen parts and print them."""
    library_warnings_silenced()
    versions = package_versions(('mediapipe', 'mmpose', 'mmdet', 'mmengine', 'torch', 'onnxruntime'))
    print(f'{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {versions}')
    with open_video(args.video) as video:
        frames = sum(1 for _ in video)
        print(f'{args.video.name}: {frames} frames of {video.size[1]}x{video.size[0]}')  # type: ignore[index]
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, native_stderr_silenced():
        for part in args.parts:
            measured[part] = globals()[f'measure_{part}'](args, frames, Path(folder))
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1))
    return 0


def take_turns(sides: dict[str, Run], runs: int, frames: int) -> dict[str, dict[str, Any]]:
    """Time all sides in turns.

    Args:
        sides: What to time; each returns keypoints (T, K, 2). The first is what the others are compared with.
        runs: How often, after one run to warm up.
        frames: Frames per run.

    Returns:
        For each side its median frames per second, its speed relative to the first, the largest difference of its
        keypoints in pixels, and the share of keypoints that are the same within half a pixel.
    """
    keypoints = {name: side() for name, side in sides.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - start)
    reference = next(iter(sides))
    results = {}
    for name, found in keypoints.items():
        off = np.abs(found - keypoints[reference]).max(-1)
        results[name] = {
            'fps': frames / median(seconds[name]),
            'speedup': median(seconds[reference]) / median(seconds[name]),
            'largest_difference': float(np.nanmax(off)),
            'same': float(np.mean(off[np.isfinite(off)] < 0.5)),
        }
    return results


def _print(title: str, results: dict[str, dict[str, Any]]) -> None:
    print(f'\n{title}\n{"":34}{"frames/s":>10}{"x":>8}{"max px off":>12}{"within 0.5 px":>15}')
    for name, one in results.items():
        print(
            f'{name:34}{one["fps"]:10.1f}{one["speedup"]:8.2f}{one["largest_difference"]:12.4f}{one["same"]:15.4f}',
            flush=True,
        )


def _ours(estimator: PoseEstimator, video: Path) -> Run:
    """The extraction's own pass over a video: decoding, estimation; the tracks' keypoints of the first person."""

    def run() -> np.ndarray:
        with open_video(video) as reader:
            rows = [poses.keypoints[0] for _, poses in estimator.run(prefetch(reader, FRAMES_AHEAD))]
        return np.stack(rows)

    return run


def measure_mmpose(args: argparse.Namespace, frames: int, folder: Path) -> dict[str, Any]:
    """MMPoseInferencer against the mmpose backend, one box that fills the frame, flip test on and off."""
    import torch

    backend = backend_class('mmpose')
    from pose_extract.estimators.openmmlab import find_model, import_openmmlab

    import_openmmlab()
    from mmpose.apis import MMPoseInferencer

    config = find_model(args.model)[0]
    weights = folder / 'random.pth'
    torch.save(random_model(config).state_dict(), weights)
    inferencer = MMPoseInferencer(str(config), str(weights), det_model='whole_image', device='cpu')
    results = {}
    for flip in (True, False):
        inferencer.inferencer.model.test_cfg['flip_test'] = flip

        def theirs() -> np.ndarray:
            predictions = inferencer(str(args.video))
            return np.array([one['predictions'][0][0]['keypoints'] for one in predictions])

        sides: dict[str, Run] = {'MMPoseInferencer': theirs}
        for name, options in (
            ('ours', {}),
            ('ours, --plain', {'accelerate': False}),
            ('ours, --precision bfloat16', {'precision': 'bfloat16'}),
        ):
            settings = ExtractSettings(
                model=args.model, checkpoint=str(weights), whole_frame=True, flip_test=flip, **options
            )
            estimator = backend(settings)
            sides[f'{name} ({estimator.execution})' if name == 'ours' else name] = _ours(estimator, args.video)
        results[f'flip={flip}'] = take_turns(sides, args.runs, frames)
        _print(f'mmpose, {args.model}, flip test {"on" if flip else "off"}', results[f'flip={flip}'])
    return results


def random_model(config: Path) -> Any:
    """An MMPose network with random weights (seed 0) whose outputs vary with the input."""
    import torch
    from mmpose.apis import init_model

    torch.manual_seed(0)
    model = init_model(str(config), None, device='cpu')
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.1)
        elif isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    return model


def measure_mediapipe(args: argparse.Namespace, frames: int, folder: Path) -> dict[str, Any]:
    """A plain MediaPipe loop against the mediapipe backend."""
    ours = _ours(backend_class('mediapipe')(ExtractSettings(backend='mediapipe')), args.video)
    from mediapipe.python.solutions.pose import Pose

    def plain() -> np.ndarray:
        capture, rows = open_capture(args.video), []
        with Pose(smooth_landmarks=False) as pose:
            while True:
                ok, image = capture.read()
                if not ok:
                    break
                marks = pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).pose_landmarks.landmark
                height, width = image.shape[:2]
                rows.append([(mark.x * width, mark.y * height) for mark in marks])
        capture.release()
        return np.array(rows)

    results = take_turns({'plain loop': plain, 'ours': ours}, args.runs, frames)
    _print('mediapipe', results)
    return results


def measure_jobs(args: argparse.Namespace, frames: int, folder: Path) -> dict[str, Any]:
    """``--jobs 2`` against ``--jobs 1`` over twelve videos, start-up included, with the mediapipe backend."""
    source = folder / 'videos'
    source.mkdir()
    copies = 12
    for number in range(copies):
        (source / f'{number}{args.video.suffix}').symlink_to(args.video.resolve())
    settings = ExtractSettings(backend='mediapipe')
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(args.runs):
        for jobs, times in seconds.items():
            start = time.perf_counter()
            run_job(source, folder / 'poses', settings, jobs, overwrite=True, show_progress=False)
            times.append(time.perf_counter() - start)
    fps = {f'jobs={jobs}': copies * frames / median(times) for jobs, times in seconds.items()}
    ratio = fps['jobs=2'] / fps['jobs=1']
    print(f'\njobs (mediapipe, {copies} videos, start-up included)')
    print('  '.join(f'{name}: {value:.1f} frames/s' for name, value in fps.items()), f' ratio {ratio:.2f}', flush=True)
    return {**fps, 'ratio': ratio}


def measure_memory(args: argparse.Namespace, frames: int, folder: Path) -> dict[str, Any]:
    """Peak memory of the extraction of a long and a short video, of the same footage played over and over."""
    tool = Path(__file__).parents[1] / 'tools/extract_pose.py'
    peaks = {}
    for name, seconds in (('short', 20.0), ('long', args.minutes * 60)):
        source = folder / name
        _loop_footage(args.video, source / 'video.mp4', round(seconds * 30))
        command = [sys.executable, str(tool), str(source), '--out', str(folder / f'{name}-poses'), '--quiet']
        start = time.perf_counter()
        subprocess.run([*command, '--backend', 'mediapipe', '--jobs', '0'], check=True, stdout=subprocess.DEVNULL)
        # The high-water mark of all children so far: the short video goes first, so a larger mark is the long one's.
        peaks[name] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f'{name}: {seconds:.0f} s of video, {time.perf_counter() - start:.0f} s, peak {peaks[name]:.0f} MiB',
            flush=True,
        )
    print(f'memory: {peaks["long"] - peaks["short"]:+.0f} MiB for the long video')
    return peaks


def _loop_footage(video: Path, target: Path, count: int, width: int = 320) -> None:
    target.parent.mkdir()
    with open_video(video) as reader:
        images = [cv2.resize(f.image, (width, width * f.image.shape[0] // f.image.shape[1] // 2 * 2)) for f in reader]
    size = images[0].shape[1::-1]
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*'mp4v'), 30, (size[0], size[1]))
    for number in range(count):
        step = number % (2 * len(images) - 1)  # forth and back, so that nobody jumps
        writer.write(images[min(step, 2 * len(images) - 2 - step)])
    writer.release()
