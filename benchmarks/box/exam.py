"""The model in the box on real recordings, with the rules beside it.

python tools/benchmark.py box --clips poses/                               # MA-52 clips in folders named by action
python tools/benchmark.py box --streams head_gestures/landmarks.npz
python tools/benchmark.py box best.pth --idle poses/two_people.mp4.npz     # events a minute where nothing happens

Tracks of any layout are brought to the common one. Streams are looked at in windows of 2 s, one each second.
These recordings are for development: choose nothing by them that is then reported on them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.rules import PARTS, fired_windows, stream_tracks
from bmoe_app.answer import Event, answer_tracks
from bmoe_app.answer.bundled import default_model
from bmoe_app.answer.model import Recognizer
from bmoe_app.rules import find_events
from bmoe_app.signals import compute_signals
from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npz
from bmoe_skel.datasets.ma52.classes import ACTIONS
from bmoe_skel.everyday import EVERYDAY
from bmoe_skel.inferencer import MicroActionInferencer
from bmoe_skel.taxonomy import CLASSES, TAXONOMY, ma52_scores, rank_among
from pose_extract.layout_conversion import COMMON, convert_layout
from pose_extract.tracks import PoseTracks, load_tracks

WINDOW, STRIDE = 2.0, 1.0
"""Seconds of a window, and from one to the next."""
OF_STREAM = {'nodding': {'nod'}, 'turning': {'head_shake', 'turn'}, 'stationary': set[str]()}
"""Stream to the classes that are right in a window of it; all others are false."""


def probabilities(model: MicroActionInferencer, tracks: PoseTracks) -> Iterator[tuple[int, float, np.ndarray]]:
    """What the model says of every person in windows of :data:`WINDOW` seconds, or of the whole of shorter tracks.

    Args:
        model: Trained on the common layout and the taxonomy's classes.
        tracks: Of any layout.

    Yields:
        Person, start in seconds and probabilities (classes,); nothing where nobody is seen.

    Raises:
        UserError: The model has other classes or another layout.
    """
    if tuple(model.classes) != CLASSES or model.skeleton != COMMON:
        raise UserError(f'{model.source}: expected the classes of the taxonomy on {COMMON}, found {model.skeleton}')
    common = convert_layout(tracks, COMMON, partial=True)
    times = common.frame_times
    starts = np.arange(times[0], max(times[-1] - WINDOW, times[0]) + 1e-6, STRIDE)
    for person in range(len(common.keypoints)):
        for start in starts:
            part = (times >= start) & (times < start + WINDOW)
            points, scores = common.keypoints[person : person + 1, part], common.scores[person : person + 1, part]
            if (scores > 0.3).any():
                yield person, float(start), model.predict_clip(points, scores, frame_times=times[part])[0]


def whole_clip(model: MicroActionInferencer, tracks: PoseTracks) -> np.ndarray:
    """Mean probabilities (classes,) of the first person's windows; NaN where nobody is seen."""
    found = [one for person, _, one in probabilities(model, tracks) if person == 0]
    return np.mean(found, 0) if found else np.full(len(CLASSES), np.nan)


def print_clips(model: MicroActionInferencer, folder: Path) -> None:
    """Rank of the right action of MA-52 among 52, and of its class among those of the taxonomy."""
    class_of = {name: index for index, one in enumerate(TAXONOMY.values()) for name in one.ma52}
    print('| clip | rank of 52 | rank of the class | most likely | rules |\n|---|---|---|---|---|')
    for path in sorted(folder.rglob('*.npz')):
        action = path.parent.name.replace('_', ' ')
        if action not in class_of:
            continue
        tracks = load_tracks(path)
        scores = whole_clip(model, tracks)
        likely = ', '.join(f'{CLASSES[k]} {scores[k]:.2f}' for k in np.argsort(-scores)[:3])
        rules = Counter(event.label for event in find_events(compute_signals(tracks)).events)
        ranks = rank_among(ma52_scores(scores, ACTIONS), ACTIONS.index(action)), rank_among(scores, class_of[action])
        said = ', '.join(rules) or 'nothing'
        print(f'| {action} | {ranks[0]:g} | {ranks[1]:g} of {len(CLASSES)} | {likely} | {said} |')


def all_events(model: Recognizer, tracks: PoseTracks) -> dict[str, list[Event]]:
    """Events by who was asked: ``model`` alone, ``rules`` alone, and ``together`` as the package does by default.

    Args:
        model: Asked as the package does.
        tracks: Of any layout.
    """
    return {
        'model': answer_tracks(tracks, model, rules=False).events,
        'rules': answer_tracks(tracks, False).events,
        'together': answer_tracks(tracks, model).events,
    }


def right_windows(events: Sequence[Event], seconds: float, right: set[str]) -> np.ndarray:
    """Whether each window of a stream is right, bool (W,).

    Args:
        events: Found in it.
        seconds: Its length.
        right: Labels of which one must cover a quarter of each window; none for streams in which nothing may be found.
    """
    fired = fired_windows(events, seconds, WINDOW, STRIDE)
    return np.array([bool(one & right) if right else not one for one in fired])


def print_streams(model: Recognizer, path: Path, part: str, fps: float) -> None:
    """Share of windows of each stream that are right, false events a minute, and all events, by who was asked."""
    arrays = load_npz(path, 'streams of face points', lambda headers: None)
    print('| stream | asked | windows right | false events a minute | events |\n|---|---|---|---|---|')
    for label, right in OF_STREAM.items():
        if label not in arrays:
            raise UserError(f'{path}: no stream {label!r}; it has {", ".join(arrays)}')
        first, last = (round(share * len(arrays[label])) for share in PARTS[part])
        tracks = stream_tracks(arrays[label][first:last], [str(name) for name in arrays['feature_names']], fps)
        seconds = float(tracks.frame_times[-1])
        for who, events in all_events(model, tracks).items():
            said = Counter(event.label for event in events)
            false = sum(count for name, count in said.items() if name not in right)
            share = right_windows(events, seconds, right).mean()
            counts = ', '.join(f'{name} {count}' for name, count in said.most_common()) or 'none'
            print(f'| {label} | {who} | {share:.2f} | {false / seconds * 60:.1f} | {counts} |')


def print_idle(model: Recognizer, path: Path) -> None:
    """Events of each who was asked where nothing should be found, and how many minutes of people that are."""
    tracks = load_tracks(path)
    minutes = len(tracks.keypoints) * (tracks.frame_times[-1] - tracks.frame_times[0]) / 60
    said = {who: dict(Counter(event.label for event in events)) for who, events in all_events(model, tracks).items()}
    counts = '; '.join(f'{who} {sum(one.values())} {one}' for who, one in said.items())
    print(f'{path.name}: {minutes:.2f} minutes of people; {counts}')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py box``."""
    what = 'trained by configs/benchmarks/box.py (default: the one that comes with the package)'
    parser.add_argument('checkpoint', type=Path, nargs='?', default=EVERYDAY, help=what)
    parser.add_argument('--clips', type=Path, help='track files in folders named by actions of MA-52')
    parser.add_argument('--streams', type=Path, help='file of head-gesture streams')
    parser.add_argument('--part', choices=PARTS, default='second', help='of each stream (default: %(default)s)')
    parser.add_argument('--fps', type=float, default=30.0, help='of the streams, which do not say (default: 30)')
    parser.add_argument('--idle', type=Path, nargs='+', default=[], help='track files in which nothing should be found')
    parser.add_argument('--threshold', type=float, default=0.5, help='of an event (default: %(default)s)')


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; exit code 0."""
    if not arguments.clips and not arguments.streams and not arguments.idle:
        raise UserError('nothing to measure: give --clips FOLDER, --streams FILE or --idle FILE')
    if arguments.clips:
        print_clips(MicroActionInferencer(arguments.checkpoint), arguments.clips)
    model = Recognizer(default_model(checkpoint=arguments.checkpoint, threshold=arguments.threshold))
    if arguments.streams:
        print_streams(model, arguments.streams, arguments.part, arguments.fps)
    for path in arguments.idle:
        print_idle(model, path)
    return 0
