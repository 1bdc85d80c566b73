"""What ``bmoe infer`` finds in generated recordings with a model trained on generated clips, and how long it takes.

python tools/benchmark.py answer                                  # train, answer, compare with what was acted
python tools/benchmark.py answer --videos clips/                  # a minute of 1280x720 made of these: both runs
python tools/benchmark.py answer --judge take.mp4.truth.csv answers/take.mp4.events.csv      # found against done
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.machine import machine_and_load
from benchmarks.moving_people import acted, tracks_of
from bmoe_app.answer import Event, ModelSettings, answer_tracks
from bmoe_app.answer.model import Recognizer
from bmoe_app.exports.read import read_events
from bmoe_ground.errors import UserError
from bmoe_ground.video import open_capture
from pose_extract.discovery import find_videos
from pose_extract.tracks import PoseTracks, save_tracks

REPO = Path(__file__).resolve().parents[1]
LABELS = ('nod', 'head_shake', 'tilt', 'hand_to_face', 'leg_shaking')
STILL = 'still'
FPS = 30
CLIPS, MOVEMENTS = 30, 30  # clips of each class; movements of a recording
LASTING = 2.0  # seconds, of every generated movement
OVERLAP = 0.3  # intersection over union of which an event is the movement's
SIZE, SECONDS = (1280, 720), 60


class Tally(NamedTuple):
    """How events fared against movements.

    Attributes:
        movements: How many there are.
        found: Of them, with an event of the label that overlaps enough.
        false: Events that are of no movement.
        onsets: Errors in seconds of the found ones, late positive.
        ends: Likewise.
    """

    movements: int
    found: int
    false: int
    onsets: np.ndarray
    ends: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py answer``."""
    parser.add_argument('--videos', type=Path, help='clips of which a minute is made, to be timed')
    parser.add_argument(
        '--judge',
        type=Path,
        nargs=2,
        metavar=('TRUTH', 'EVENTS'),
        help='compare events that were found with what was done (.csv, .json or .eaf), whoever did it',
    )
    parser.add_argument('--seeds', type=int, default=3, help='of clips, recordings and training (default: %(default)s)')
    parser.add_argument('--thresholds', type=float, nargs='+', default=[0.5], help='(default: 0.5)')
    parser.add_argument('--windows', type=float, nargs='+', default=[], help='seconds, beside the own window')
    parser.add_argument('--epochs', type=int, default=20, help='of each training (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        UserError: A file of events cannot be read.
    """
    if args.judge:
        truth, found = map(read_events, args.judge)
        print(describe(match(truth, found)))
        return 0
    print(machine_and_load())
    with tempfile.TemporaryDirectory() as folder:
        if args.videos:
            measure_time(args.videos, Path(folder))
            return 0
        for seed in range(args.seeds):
            model = train(Path(folder) / str(seed), seed, args.epochs)
            for window in (None, *args.windows):
                for threshold in args.thresholds:
                    asked = ModelSettings(model, threshold=threshold, window=window)
                    told = (
                        f'threshold {threshold:g}, window {"of the checkpoint" if window is None else f"{window:g} s"}'
                    )
                    print(f'{told}, seed {seed}: {describe(measure_generated(asked, seed))}', flush=True)
    return 0


def movement(label: str, rest: float, rng: np.random.Generator) -> PoseTracks:
    """One person at rest, who then moves for two seconds."""
    times = np.arange(round((rest + LASTING) * FPS)) / FPS
    size, seed = rng.uniform(0.7, 1.5), int(rng.integers(1 << 30))
    return acted(label, times, size=size, start=rest, jitter=0.5, seed=seed)


def write_clips(folder: Path, rng: np.random.Generator) -> None:
    """Clips of about two seconds in folders by class, trimmed not quite alike."""
    for label in (*LABELS, STILL):
        for number in range(CLIPS):
            tracks = movement(label, float(rng.uniform(0, 0.3)), rng)
            save_tracks(folder / label / f'{number:02d}.mp4.npz', tracks)


def recording(rng: np.random.Generator) -> tuple[PoseTracks, list[Event]]:
    """A person who rests and moves in turns, and what was done when."""
    parts, truth, start = [], [], 0.0
    for number in range(MOVEMENTS):
        label, rest = LABELS[number % len(LABELS)], float(rng.uniform(1.5, 5.0))
        parts.append(movement(label, rest, rng).keypoints)
        truth.append(Event(start + rest, start + parts[-1].shape[1] / FPS, 0, label, 1.0, source='person'))
        start += parts[-1].shape[1] / FPS
    parts.append(movement(STILL, 1.0, rng).keypoints)
    keypoints = np.concatenate(parts, 1)
    return tracks_of(keypoints, np.arange(keypoints.shape[1]) / FPS, 'coco17'), truth


def match(truth: Sequence[Event], events: Sequence[Event], overlap: float = OVERLAP) -> Tally:
    """Give every movement the event of its label that overlaps most, each event once.

    Args:
        truth: What was done.
        events: What was found.
        overlap: Least intersection over union.
    """
    left, pairs = list(events), []
    for real in truth:
        rated = [(_overlap(real, event), k) for k, event in enumerate(left) if event.label == real.label]
        best, which = max(rated, default=(0.0, -1))
        if which >= 0 and best >= overlap:
            pairs.append((real, left.pop(which)))
    onsets, ends = ([getattr(found, side) - getattr(real, side) for real, found in pairs] for side in ('start', 'end'))
    return Tally(len(truth), len(pairs), len(left), np.array(onsets), np.array(ends))


def _overlap(a: Event, b: Event) -> float:
    union = max(a.end, b.end) - min(a.start, b.start)
    return max(0.0, min(a.end, b.end) - max(a.start, b.start)) / union if union else 0.0


def train(folder: Path, seed: int, epochs: int) -> Path:
    """Train on clips of a seed.

    Returns:
        The checkpoint.
    """
    write_clips(folder / 'poses', np.random.default_rng(seed))
    command = [sys.executable, REPO / 'tools/train.py', REPO / 'configs/bmoe_skel_small.py', '--seed', seed]
    command += [
        '--epochs',
        epochs,
        '--work-dir',
        folder / 'work',
        '--cfg-options',
        f'dataset.tracks={folder / "poses"}',
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f'the training ended with {done.returncode}: {done.stderr.strip()[-300:]}')
    return folder / 'work' / 'best.pth'


def measure_generated(asked: ModelSettings, seed: int) -> Tally:
    """Answer about a recording whose movements are known, and are none of those of :func:`train`."""
    tracks, truth = recording(np.random.default_rng((seed, 1)))
    return match(truth, answer_tracks(tracks, Recognizer(asked), rules=False).events)


def describe(tally: Tally) -> str:
    """A line of figures."""

    def spread(errors: np.ndarray) -> str:
        return f'median {np.median(errors):+.2f} s, largest {np.abs(errors).max():.2f} s' if len(errors) else 'none'

    found = f'{tally.found} of {tally.movements} movements found, {tally.false} other events'
    return f'{found}; onsets: {spread(tally.onsets)}; ends: {spread(tally.ends)}'


def measure_time(source: Path, folder: Path) -> None:
    """Time both runs of ``bmoe infer`` with the MediaPipe backend on a minute made of some clips."""
    video = folder / 'minute.mp4'
    write_minute([item.path for item in find_videos(source, folder)], video)
    options = ['--backend', 'mediapipe', '--no-model', '--quiet']
    command = [sys.executable, str(REPO / 'tools/infer.py'), str(video), *options]
    for name in ('first', 'second'):
        started = time.perf_counter()
        subprocess.run([*command, '--out', str(folder / 'answers')], check=True, capture_output=True)
        print(f'{name} run: {time.perf_counter() - started:.1f} s for {SECONDS} s of {SIZE[0]}x{SIZE[1]}', flush=True)


def write_minute(clips: Sequence[Path], path: Path, seconds: float = SECONDS) -> None:
    """Repeat clips in a frame of 1280x720, on grey, for a minute."""
    pictures = []
    for clip in clips:
        capture = open_capture(clip)
        while (read := capture.read())[0]:
            pictures.append(_fitted(read[1]))
        capture.release()
    if not pictures:
        raise UserError('no picture could be read from the clips')
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), FPS, SIZE)
    for number in range(round(seconds * FPS)):
        writer.write(pictures[number % len(pictures)])
    writer.release()


def _fitted(picture: np.ndarray) -> np.ndarray:
    """A picture in the middle of a grey frame, as large as it fits."""
    height, width = picture.shape[:2]
    scale = min(SIZE[0] / width, SIZE[1] / height)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    frame = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    top, left = (SIZE[1] - small.shape[0]) // 2, (SIZE[0] - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame
