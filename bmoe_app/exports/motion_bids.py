"""Tracks as BIDS Motion: samples, channels and what is said of them, in files beside each other.

Source: https://bids-specification.readthedocs.io/en/stable/modality-specific-files/motion.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bmoe_app.answer import Answer
from bmoe_app.exports.texts import one_line
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from pose_extract.skeletons import get_skeleton

SUFFIX = '_tracksys-pose_motion.tsv'
UNEVEN = 0.001
"""Seconds that a frame may lie off even sampling before the times themselves are written; containers round to 0.001."""


class _Channel(NamedTuple):
    name: str
    component: str
    type: str
    tracked_point: str
    units: str
    reference_frame: str


def write_motion_bids(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write keypoints and scores of all persons, a row a frame and a column a channel, ``n/a`` where unseen.

    Beside ``<name>_motion.tsv`` come ``<name>_channels.tsv``, ``<name>_channels.json`` and ``<name>_motion.json``.
    Where frame times are uneven, the first channel is of type LATENCY: seconds since the first frame.

    Args:
        path: The file of samples; its name ends in ``_motion.tsv``. Files of these names are replaced.
        answer: To the video. Of its tracks only.

    Raises:
        UserError: The name ends otherwise, nobody is in the tracks, they have one frame, or a file cannot be written.
    """
    path, tracks = Path(path), answer.tracks
    if not path.name.endswith('_motion.tsv'):
        raise UserError(f'{path}: expected a name that ends in _motion.tsv')
    if not tracks.num_persons:
        raise UserError(f'{path}: not written: nobody was seen, and the format has no recording without channels')
    if tracks.num_frames < 2:
        raise UserError(f'{path}: not written: one frame has no sampling frequency')
    latency = tracks.frame_times - tracks.frame_times[0]
    rate = (tracks.num_frames - 1) / float(latency[-1])
    uneven = bool(np.abs(latency - np.arange(tracks.num_frames) / rate).max() > UNEVEN)
    channels = [_Channel('latency', 'n/a', 'LATENCY', 'n/a', 's', 'n/a')] if uneven else []
    points = [
        f'person{m}_{one_line(k)}' for m in range(tracks.num_persons) for k in get_skeleton(tracks.skeleton).keypoints
    ]
    axes = 'xyz'[: tracks.keypoints.shape[-1]]
    for point in points:
        channels += [_Channel(f'{point}_{axis}', axis, 'POS', point, 'px', 'image') for axis in axes]
        channels.append(_Channel(f'{point}_score', 'n/a', 'MISC', point, 'n/a', 'n/a'))
    values = np.concatenate([tracks.keypoints, tracks.scores[..., None]], -1).transpose(1, 0, 2, 3)
    rows = []
    for moment, row in zip(latency.tolist(), values.reshape(tracks.num_frames, -1).tolist(), strict=True):
        cells = ['n/a' if value != value else f'{value:.6g}' for value in row]
        rows.append([f'{moment:.6f}', *cells] if uneven else cells)
    _write(path, rows)
    stem = path.name.removesuffix('_motion.tsv')
    _write(path.with_name(f'{stem}_channels.tsv'), [_Channel._fields, *channels])
    image = {'Description': 'pixels of the video: origin top left, x to the right, y down'}
    frames = {'Description': 'what positions are relative to', 'Levels': {'image': image}}
    _write_json(path.with_name(f'{stem}_channels.json'), {'reference_frame': frames})
    _write_json(path.with_name(f'{stem}_motion.json'), {
        'TaskName': one_line(answer.name),
        'SamplingFrequency': rate,
        'SamplingFrequencyEffective': rate,
        'RecordingDuration': answer.seconds,
        'MotionChannelCount': len(channels),
        'POSChannelCount': len(points) * len(axes),
        'MISCChannelCount': len(points),
        'LATENCYChannelCount': int(uneven),
        'TrackedPointsCount': len(points),
        'TrackingSystemName': 'pose',
        'MissingValues': 'n/a',
        'SoftwareVersions': 'bmoe-skel',
    })  # fmt: skip


def _write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    with atomic_write(path) as file:
        file.write(''.join('\t'.join(row) + '\n' for row in rows).encode())


def _write_json(path: Path, content: dict[str, object]) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b'\n')
