"""The model in the box on real recordings, with the rules beside it.

python tools/benchmark.py box best.pth --clips poses/                      # MA-52 clips in folders named by action
python tools/benchmark.py box best.pth --streams head_gestures/landmarks.npz
python tools/benchmark.py box best.pth --idle poses/two_people.mp4.npz     # events a minute where nothing happens

Tracks of any layout are brought to the common one. Windows are 2 s long, one each second. These recordings are for
development: choose nothing by them that is then reported on them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.rules import PARTS, STREAMS, stream_tracks
from bmoe_app.rules import find_events
from bmoe_app.signals import compute_signals
from bmoe_ground.errors import UserError
from bmoe_ground.npz import load_npz
from bmoe_skel.datasets.ma52.classes import ACTIONS
from bmoe_skel.inferencer import MicroActionInferencer
from bmoe_skel.taxonomy import CLASSES, NOTHING, TAXONOMY, ma52_scores, rank_among
from pose_extract.convert.layout import COMMON, convert_layout
from pose_extract.tracks import PoseTracks, load_tracks

WINDOW, STRIDE = 2.0, 1.0
"""Seconds of a window, and from one to the next."""
OF_STREAM = {'nodding': {'nod'}, 'turning': {'head_shake', 'turn'}, 'stationary': {NOTHING}}
"""Stream to the classes that are right in a window of it."""


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


def print_streams(model: MicroActionInferencer, path: Path, part: str, fps: float, least: float) -> None:
    """Share of windows of each stream in which the model and the rules are right, and what the model says."""
    arrays = load_npz(path, 'streams of face points', lambda headers: None)
    print('| stream | windows | model right | rules right | the model says |\n|---|---|---|---|---|')
    for label, right in OF_STREAM.items():
        if label not in arrays:
            raise UserError(f'{path}: no stream {label!r}; it has {", ".join(arrays)}')
        first, last = (round(share * len(arrays[label])) for share in PARTS[part])
        tracks = stream_tracks(arrays[label][first:last], [str(name) for name in arrays['feature_names']], fps)
        windows = [(start, one) for _, start, one in probabilities(model, tracks)]
        said = [answer(one, least) for _, one in windows]
        events = find_events(compute_signals(tracks)).events
        fired = [
            {e.label for e in events if min(e.end, s + WINDOW) - max(e.start, s) >= WINDOW / 4} for s, _ in windows
        ]
        wanted = STREAMS[label]
        by_rule = [bool(one & wanted) if wanted else not one & {'nod', 'head_shake'} for one in fired]
        counts = ', '.join(f'{name} {count}' for name, count in Counter(said).most_common(4))
        print(
            f'| {label} | {len(said)} | {np.mean([s in right for s in said]):.2f} | {np.mean(by_rule):.2f} | {counts} |'
        )


def answer(scores: np.ndarray, least: float) -> str:
    """The likeliest class, or nothing where it is less probable than ``least``."""
    best = int(scores.argmax())
    return CLASSES[best] if scores[best] >= least else NOTHING


def print_idle(model: MicroActionInferencer, path: Path, least: float) -> None:
    """Events a minute of model and rules; neighbouring windows of one class are one event."""
    tracks = load_tracks(path)
    minutes = len(tracks.keypoints) * (tracks.frame_times[-1] - tracks.frame_times[0]) / 60
    events: list[str] = []
    before: tuple[int, str] | None = None
    for person, _, scores in probabilities(model, tracks):
        now = (person, answer(scores, least))
        if now != before and now[1] != NOTHING:
            events.append(now[1])
        before = now
    rules = Counter(event.label for event in find_events(compute_signals(tracks)).events)
    print(f'{path.name}: {minutes:.2f} minutes of people; model {len(events)} events {dict(Counter(events))}, '
          f'rules {sum(rules.values())} {dict(rules)}')  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py box``."""
    parser.add_argument('checkpoint', type=Path, help='trained by configs/benchmarks/box.py')
    parser.add_argument('--clips', type=Path, help='track files in folders named by actions of MA-52')
    parser.add_argument('--streams', type=Path, help='file of head-gesture streams')
    parser.add_argument('--part', choices=PARTS, default='second', help='of each stream (default: %(default)s)')
    parser.add_argument('--fps', type=float, default=30.0, help='of the streams, which do not say (default: 30)')
    parser.add_argument('--idle', type=Path, nargs='+', default=[], help='track files in which nothing should be found')
    parser.add_argument('--least', type=float, default=0.5, help='probability of an event (default: %(default)s)')


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; exit code 0."""
    if not arguments.clips and not arguments.streams and not arguments.idle:
        raise UserError('nothing to measure: give --clips FOLDER, --streams FILE or --idle FILE')
    model = MicroActionInferencer(arguments.checkpoint)
    if arguments.clips:
        print_clips(model, arguments.clips)
    if arguments.streams:
        print_streams(model, arguments.streams, arguments.part, arguments.fps, arguments.least)
    for path in arguments.idle:
        print_idle(model, path, arguments.least)
    return 0
