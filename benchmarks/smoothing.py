"""What each smoothing leaves of a small nod and of the jitter, and how far a bridged gap is off."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.demo_videos import load_photograph, render, sample_motion
from bmoe_ground.errors import UserError
from pose_extract.smoothing import AfterCare, interpolate_gaps, one_euro, savitzky_golay
from pose_extract.tracks import load_tracks

SETTINGS: dict[str, AfterCare] = {
    'none': AfterCare(),
    'savgol 5 frames': AfterCare(smooth='savgol', window=5 / 30),
    'savgol 7 frames': AfterCare(smooth='savgol', window=7 / 30),
    'savgol 7 frames, order 4': AfterCare(smooth='savgol', window=7 / 30, order=4),
    'savgol 9 frames': AfterCare(smooth='savgol', window=9 / 30),
    'savgol 11 frames': AfterCare(smooth='savgol', window=11 / 30),
    'savgol 11 frames, order 4': AfterCare(smooth='savgol', window=11 / 30, order=4),
    'savgol 15 frames': AfterCare(smooth='savgol', window=15 / 30),
    'one_euro 1 Hz, beta 0': AfterCare(smooth='one_euro', min_cutoff=1, beta=0),
    'one_euro 1 Hz, beta 20': AfterCare(smooth='one_euro', min_cutoff=1, beta=20),
    'one_euro 2 Hz, beta 20': AfterCare(smooth='one_euro', min_cutoff=2, beta=20),
    'one_euro 2 Hz, beta 100': AfterCare(smooth='one_euro', min_cutoff=2, beta=100),
    'one_euro 5 Hz, beta 100': AfterCare(smooth='one_euro', min_cutoff=5, beta=100),
}
FREQUENCIES = (2.0, 2.5, 3.0, 5.0)


@dataclass(frozen=True)
class Footage:
    """Made-up footage: nods of one second with a second of rest between them, on many keypoints at once.

    Attributes:
        amplitude: Of the nod in pixels (half the way from top to bottom).
        jitter: Standard deviation of the estimator's error in pixels.
        correlation: Of that error from one frame to the next (first-order autoregressive).
        fps: Frames a second.
        height: Height of the person in pixels.
        seconds: Length of the footage.
        points: Number of keypoints.
        seed: Of the random numbers.
    """

    amplitude: float = 2.0
    jitter: float = 1.0
    correlation: float = 0.5
    fps: float = 30.0
    height: float = 900.0
    seconds: int = 40
    points: int = 400
    seed: int = 0


def measure(care: AfterCare, frequency: float, footage: Footage) -> dict[str, float]:
    """Nod at one frequency with jitter, smoothed.

    Args:
        care: The smoothing.
        frequency: Of the nod in Hz.
        footage: What is smoothed.

    Returns:
        ``kept``: the nod's amplitude after smoothing over the true one; ``lag`` in seconds; ``removed``: share of the
        jitter that is gone from a coordinate at rest; ``error``: root mean square error during nods over that
        without smoothing.
    """
    times, clean, noise, phase = _nods(frequency, footage)
    observed = np.stack([noise[0], clean + noise[1]], -1)[None]
    smooth = _smooth(observed, times, care, footage.height)[0]
    nodding = (times.astype(int) % 2 == 1)[:, None]
    turn = np.exp(-1j * (2 * np.pi * frequency * times[:, None] + phase))
    response = (smooth[..., 1] * turn)[nodding[:, 0]].mean() / (clean * turn)[nodding[:, 0]].mean()
    before, after = (np.square(track - clean)[nodding[:, 0]].mean() for track in (observed[0, ..., 1], smooth[..., 1]))
    return {
        'kept': float(abs(response)),
        'lag': float(-np.angle(response) / (2 * np.pi * frequency)),
        'removed': float(1 - smooth[..., 0].std() / observed[0, ..., 0].std()),
        'error': float(np.sqrt(after / before)),
    }


def _nods(frequency: float, footage: Footage) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times (T,), the nod (T, K), jitter (2, T, K) and each keypoint's phase (K,)."""
    random = np.random.default_rng(footage.seed)
    times = np.arange(int(footage.seconds * footage.fps)) / footage.fps
    phase = random.uniform(0, 2 * np.pi, footage.points)
    envelope = np.sqrt(np.sin(np.pi * np.clip(times % 2 - 1, 0, 1)))
    clean = footage.amplitude * envelope[:, None] * np.sin(2 * np.pi * frequency * times[:, None] + phase)
    noise = random.normal(size=(2, len(times), footage.points))
    for t in range(1, len(times)):
        fresh = np.sqrt(1 - footage.correlation**2) * noise[:, t]
        noise[:, t] = footage.correlation * noise[:, t - 1] + fresh
    return times, clean, footage.jitter * noise, phase


def _smooth(keypoints: np.ndarray, times: np.ndarray, care: AfterCare, height: float) -> np.ndarray:
    if care.smooth == 'savgol':
        return savitzky_golay(keypoints, times, care.window, care.order)
    if care.smooth == 'one_euro':
        return one_euro(keypoints, times, care.min_cutoff, care.beta, care.d_cutoff, height)
    return keypoints


def gap_error(missing: int, frequency: float, footage: Footage) -> float:
    """How far bridged points are off the true nod (no jitter), root mean square over the nod's own.

    Args:
        missing: Number of frames in the gap.
        frequency: Of the nod in Hz.
        footage: What the gaps are in; one gap a nod.
    """
    times, clean, _, _ = _nods(frequency, footage)
    start = int(1.5 * footage.fps) - missing // 2
    hole = np.zeros(len(times), bool)
    for second in range(0, footage.seconds, 2):
        first = int(second * footage.fps) + start
        hole[first : first + missing] = True
    seen = np.where(hole[:, None], np.nan, clean)[None, ..., None]
    bridged, _, _ = interpolate_gaps(seen, np.ones(seen.shape[:3]), times, 10.0)
    return float(np.sqrt(np.square(bridged[0, hole, :, 0] - clean[hole]).mean() / np.square(clean[hole]).mean()))


def estimate_jitter(keypoints: np.ndarray) -> tuple[float, float]:
    """Jitter of real tracks, from second differences outside their liveliest moments, where motion hardly counts.

    Args:
        keypoints: (M, T, K, 2) pixels, NaN where absent; of at least ten frames.

    Returns:
        Standard deviation in pixels and correlation from frame to frame of a first-order autoregressive error.

    Raises:
        UserError: There is no stretch of nine frames with all its points.
    """
    length = 9
    series = keypoints.transpose(0, 2, 3, 1).reshape(-1, keypoints.shape[1])
    if series.shape[1] < length:
        raise UserError(f'needs {length} frames or more, got {series.shape[1]}')
    windows = np.lib.stride_tricks.sliding_window_view(series, length, axis=1)[:, :: length // 2].reshape(-1, length)
    windows = windows[~np.isnan(windows).any(1)]
    if not len(windows):
        raise UserError(f'no keypoint is there for {length} frames in a row')
    travel = np.abs(windows[:, -4:].mean(1) - windows[:, :4].mean(1))
    bend = np.diff(windows[travel <= np.quantile(travel, 0.7)], 2, axis=1)
    if not bend.any():
        return 0.0, 0.0
    ratio = (bend[:, 1:] * bend[:, :-1]).mean() / np.square(bend).mean()
    candidates = np.linspace(-0.5, 0.95, 291)
    near, own = _bend_covariance(candidates, 1), _bend_covariance(candidates, 0)
    best = int(np.argmin(np.abs(near / own - ratio)))
    return float(np.sqrt(np.square(bend).mean() / own[best])), float(candidates[best])


def _bend_covariance(correlation: np.ndarray, lag: int) -> np.ndarray:
    """Covariance of second differences of a first-order autoregressive series of variance 1."""
    weights = {-2: 1, -1: -4, 0: 6, 1: -4, 2: 1}
    terms = [weight * correlation ** abs(lag + shift) for shift, weight in weights.items()]
    return np.sum(terms, axis=0)


def tables(footage: Footage) -> str:
    """The measurements as Markdown tables."""
    white = Footage(**{**vars(footage), 'correlation': 0.0})
    lines = [
        f'Nod of {footage.amplitude:g} px at {footage.fps:g} frames/s, jitter {footage.jitter:g} px, person '
        f'{footage.height:g} px high; correlation of the jitter {footage.correlation:g} unless it says white; '
        f'{footage.points} keypoints x {footage.seconds} s, seed {footage.seed}.',
        '',
        '| setting | ' + ' | '.join(f'kept at {f:g} Hz' for f in FREQUENCIES) + ' | lag at 3 Hz | jitter removed | '
        'removed, white | error at 3 Hz | error at 5 Hz |',
        '|---' * (len(FREQUENCIES) + 6) + '|',
    ]
    for name, care in SETTINGS.items():
        at = {frequency: measure(care, frequency, footage) for frequency in FREQUENCIES}
        cells = [f'{at[frequency]["kept"]:.0%}' for frequency in FREQUENCIES]
        cells += [f'{round(at[3.0]["lag"] * 1000) + 0} ms', f'{at[3.0]["removed"]:.0%}']
        cells += [f'{measure(care, 3.0, white)["removed"]:.0%}', f'{at[3.0]["error"]:.2f}', f'{at[5.0]["error"]:.2f}']
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    lines += ['', '| gap bridged | ' + ' | '.join(f'error at {f:g} Hz' for f in FREQUENCIES) + ' |']
    lines.append('|---' * (len(FREQUENCIES) + 1) + '|')
    for missing in (1, 2, 3, 5, 8, 15):
        cells = [f'{gap_error(missing, frequency, footage):.0%}' for frequency in FREQUENCIES]
        span = (missing + 1) / footage.fps
        lines.append(f'| {missing} frame{"s" * (missing > 1)} ({span:.2f} s) | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


# movement of the demo clips -> the class that has it, the BlazePose keypoints that follow it, and along which axis
FOLLOWED = {'pitch': ('nod', [0], 1), 'yaw': ('shake_head', [0], 0), 'roll': ('tilt_head', [0], 0)}


def follow_movement(smooth: bool, clips: int = 5, num_frames: int = 60) -> dict[str, dict[str, float]]:
    """How well MediaPipe's landmarks follow a movement that is known, with and without its own smoothing.

    The footage is that of the demo: a photograph that nods, shakes and tilts its head.

    Args:
        smooth: Whether MediaPipe smooths (``smooth_landmarks``).
        clips: Clips of each movement.
        num_frames: Frames of each clip, 20 a second.

    Returns:
        For each movement ``correlation`` of the landmark's path with the movement, and ``lag`` in frames, by which the
        path fits the movement best; means over the clips.
    """
    from mediapipe.python.solutions.pose import Pose

    found = {}
    for movement, (action, points, axis) in FOLLOWED.items():
        fits = []
        for seed in range(clips):
            motion = sample_motion(action, num_frames, np.random.default_rng(seed))
            path = []
            with Pose(model_complexity=1, smooth_landmarks=smooth) as pose:
                for frame in render(load_photograph(), motion, 384, np.random.default_rng(seed)):
                    marks = pose.process(np.ascontiguousarray(frame[..., ::-1])).pose_landmarks.landmark
                    path.append(np.mean([(marks[point].x, marks[point].y) for point in points], axis=0)[axis])
            fits.append(_fit(np.asarray(motion.movements[movement]), np.array(path)))
        correlation, lag = np.mean(fits, axis=0)
        found[movement] = {'correlation': float(correlation), 'lag': float(lag)}
    return found


def _fit(wanted: np.ndarray, path: np.ndarray, most: int = 6) -> tuple[float, int]:
    """Correlation at no lag, and the lag in frames, up to ``most``, of the best correlation."""
    at = [abs(np.corrcoef(wanted[: len(wanted) - lag], path[lag:])[0, 1]) for lag in range(most + 1)]
    return at[0], int(np.argmax(at))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py smoothing``."""
    parser.add_argument(
        '--mediapipe', action='store_true', help='measure the smoothing inside MediaPipe instead, on footage'
    )
    for field in fields(Footage):
        parser.add_argument(
            f'--{field.name}', type=type(field.default), default=field.default, help='default: %(default)s'
        )
    parser.add_argument('--tracks', nargs='+', type=Path, help='estimate the jitter of these track files instead')


def run(arguments: argparse.Namespace) -> int:
    """Print the tables, the effect of MediaPipe's own smoothing, or the jitter of track files."""
    if arguments.mediapipe:
        print('| MediaPipe | movement | correlation | lag |\n|---|---|---|---|')
        for name, smooth in (('smooth_landmarks=True', True), ('smooth_landmarks=False', False)):
            for movement, fit in follow_movement(smooth).items():
                print(f'| {name} | {movement} | {fit["correlation"]:.2f} | {fit["lag"]:.1f} frames |')
        return 0
    if arguments.tracks:
        print('| tracks | jitter | correlation |\n|---|---|---|')
        for path in arguments.tracks:
            jitter, correlation = estimate_jitter(load_tracks(path).keypoints)
            print(f'| {path.name} | {jitter:.2f} px | {correlation:.2f} |')
        return 0
    print(tables(Footage(**{field.name: getattr(arguments, field.name) for field in fields(Footage)})))
    return 0
