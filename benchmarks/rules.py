"""Rule events against labelled recordings: windows of head-gesture streams, and clips by their folder's name.

python tools/benchmark.py rules --streams head_gestures/landmarks.npz     # nodding, turning and still
python tools/benchmark.py rules --streams landmarks.npz --part first      # the half that thresholds were looked at on
python tools/benchmark.py rules --clips poses/                            # track files in folders named by action
python tools/benchmark.py rules --generated                               # known movements: angles, onsets
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.rules_generated import print_generated
from bmoe_app.answer import Event
from bmoe_app.rules import RuleEvent, find_events
from bmoe_app.signals import compute_signals
from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npz
from pose_extract.skeletons import Skeleton, register_layout
from pose_extract.tracks import PoseTracks, load_tracks

STREAMS = {'nodding': {'nod'}, 'turning': {'head_shake', 'turn'}, 'stationary': set[str]()}
"""Stream to the rules of which at least one must fire in a window of it; of the others of these, none may."""
HEAD_MOVEMENTS = {'nod', 'head_shake'}
"""Rules that must not fire where a stream is of another movement or still. A turn that is held is no gesture."""
PARTS = {'first': (0.0, 0.5), 'second': (0.5, 1.0), 'all': (0.0, 1.0)}
CLIPS = {'nodding': 'nod', 'shaking_head': 'head_shake'}
"""Folder of clips to the rule that must fire; in other folders neither of these may."""
_POINTS = {
    'RIGHT_EYE': 'right_eye',
    'LEFT_EYE': 'left_eye',
    'NOSE': 'nose',
    'MOUTH': 'mouth',
    'RIGHT_EAR': 'right_ear',
    'LEFT_EAR': 'left_ear',
}


def face_layout() -> Skeleton:
    """Six face points, with the shoulders and legs that a layout must have and no stream fills."""
    points = [{'name': 'nose'}, *({'name': name, 'parent': 'nose'} for name in _POINTS.values() if name != 'nose')]
    for side in ('left', 'right'):
        chain = ('nose', *(f'{side}_{part}' for part in ('shoulder', 'elbow', 'hip', 'knee')))
        parents = (*chain[:2], chain[1], chain[3])
        points += [{'name': name, 'parent': parent} for name, parent in zip(chain[1:], parents, strict=True)]
    return register_layout('face6', points)


def stream_tracks(
    values: np.ndarray, names: Sequence[str], fps: float, image_size: tuple[int, int] = (480, 640)
) -> PoseTracks:
    """One stream of face points as tracks.

    Args:
        values: (T, features) in 0..1 of the image.
        names: Of the features, such as ``NOSE_X``.
        fps: Frames a second, which the streams do not say.
        image_size: (height, width) in pixels; only their ratio matters.

    Raises:
        UserError: A feature is missing.
    """
    layout, columns = face_layout(), list(names)
    lacking = [name for point in _POINTS for name in (f'{point}_X', f'{point}_Y') if name not in columns]
    if lacking:
        raise UserError(f'streams: no feature {", ".join(lacking)}')
    keypoints = np.full((1, len(values), layout.num_keypoints, 2), np.nan, np.float32)
    for point, name in _POINTS.items():
        for axis, side in enumerate('XY'):
            keypoints[0, :, layout.index(name), axis] = values[:, columns.index(f'{point}_{side}')]
    keypoints *= (image_size[1], image_size[0])
    scores = np.isfinite(keypoints[..., 0]).astype(np.float32)
    boxes = np.full((1, len(values), 4), np.nan, np.float32)
    return PoseTracks(keypoints, scores, boxes, np.arange(len(values)) / fps, image_size, layout.name)


def fired_windows(
    events: Sequence[RuleEvent | Event], seconds: float, window: float = 2.0, stride: float = 1.0
) -> list[set[str]]:
    """The labels that fire in each window of a stream: with events that overlap it by a quarter of its length or more.

    Args:
        events: Found in the stream.
        seconds: Length of the stream.
        window: Length of a window.
        stride: Seconds from one to the next.

    Returns:
        For each window the labels.
    """
    fired = []
    for start in np.arange(0, seconds - window + 1e-9, stride):
        shared: dict[str, float] = {}
        for event in events:
            overlap = max(0.0, min(event.end, start + window) - max(event.start, start))
            shared[event.label] = shared.get(event.label, 0.0) + overlap
        fired.append({name for name, overlap in shared.items() if overlap >= window / 4})
    return fired


def window_is_right(fired: set[str], label: str) -> bool:
    """Whether in a window of a stream a wanted rule fires, or none is wanted, and no unwanted movement of the head."""
    wanted = STREAMS[label]
    return (not wanted or bool(fired & wanted)) and not fired & (HEAD_MOVEMENTS - wanted)


def measure_streams(path: Path, part: str, fps: float) -> dict[str, list[set[str]]]:
    """The rules that fire in the windows of each stream.

    Args:
        path: File with ``feature_names`` and the streams.
        part: One of :data:`PARTS` of each stream, cut before anything is computed.
        fps: Frames a second.

    Raises:
        UserError: A stream is missing.
    """
    arrays = load_npz(path, 'streams of face points', lambda headers: None)
    found = {}
    for label in STREAMS:
        if label not in arrays:
            raise UserError(f'{path}: no stream {label!r}; it has {", ".join(arrays)}')
        first, last = (round(share * len(arrays[label])) for share in PARTS[part])
        tracks = stream_tracks(arrays[label][first:last], [str(name) for name in arrays['feature_names']], fps)
        found[label] = fired_windows(find_events(compute_signals(tracks)).events, len(tracks.frame_times) / fps)
    return found


def precision_recall(windows: dict[str, list[set[str]]], rule: str) -> tuple[float, float]:
    """Of one rule over the windows of all streams: share of right windows among those where it fires, and of found."""
    fires = {label: sum(rule in fired for fired in one) for label, one in windows.items()}
    right = sum(count for label, count in fires.items() if rule in STREAMS[label])
    wanted = sum(len(one) for label, one in windows.items() if rule in STREAMS[label])
    total = sum(fires.values())
    return (right / total if total else float('nan')), (right / wanted if wanted else float('nan'))


def measure_clips(folder: Path) -> list[tuple[str, str | None, list[str]]]:
    """What is found in track files whose folder names the action.

    Returns:
        For each file its name, the rule that must fire (None: neither nod nor head shake may) and the labels found.
    """
    rows = []
    for path in sorted(folder.rglob('*.npz')):
        events = find_events(compute_signals(load_tracks(path))).events
        name = path.relative_to(folder).as_posix()
        rows.append((name, CLIPS.get(path.parent.name), [event.label for event in events]))
    return rows


def clip_is_right(wanted: str | None, found: Sequence[str]) -> bool:
    """Whether of nod and head shake exactly the wanted one is found."""
    return set(found) & HEAD_MOVEMENTS == ({wanted} if wanted else set())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py rules``."""
    parser.add_argument('--streams', type=Path, help='file of head-gesture streams')
    parser.add_argument('--part', choices=PARTS, default='second', help='of each stream (default: %(default)s)')
    parser.add_argument('--fps', type=float, default=30.0, help='of the streams, which do not say (default: 30)')
    parser.add_argument('--generated', action='store_true', help='errors on generated people')
    parser.add_argument('--clips', type=Path, help='folder of track files in folders named by action')


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; exit code 0."""
    if not arguments.streams and not arguments.clips and not arguments.generated:
        raise UserError('nothing to measure: give --streams FILE, --clips FOLDER or --generated')
    if arguments.generated:
        print_generated()
    if arguments.streams:
        _print_streams(measure_streams(arguments.streams, arguments.part, arguments.fps), arguments)
    if arguments.clips:
        print('| clip | wanted | found | right |\n|---|---|---|---|')
        for name, wanted, found in measure_clips(arguments.clips):
            right_here = 'yes' if clip_is_right(wanted, found) else 'no'
            print(f'| {name} | {wanted or "neither"} | {", ".join(found) or "nothing"} | {right_here} |')
    return 0


def _print_streams(windows: dict[str, list[set[str]]], arguments: argparse.Namespace) -> None:
    right = {label: [window_is_right(fired, label) for fired in one] for label, one in windows.items()}
    right['all'] = [one for part in right.values() for one in part]
    print(f'| stream ({arguments.part} part, {arguments.fps:g} frames/s) | windows of 2 s | right |\n|---|---|---|')
    for label, one in right.items():
        print(f'| {label} | {len(one)} | {np.mean(one):.2f} |')
    print('\n| rule | precision | recall |\n|---|---|---|')
    for rule in sorted(HEAD_MOVEMENTS):
        precision, recall = precision_recall(windows, rule)
        print(f'| `{rule}` | {precision:.2f} | {recall:.2f} |')
