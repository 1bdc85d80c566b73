"""Tracks as DeepLabCut's table of several animals, which ``movement`` and many other programs read."""

from __future__ import annotations

import csv
import io
import os

import numpy as np

from bmoe_app.answer import Answer
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from pose_extract.skeletons import get_skeleton


def write_movement(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write keypoints and scores, a row a frame: ``movement.io.load_poses.from_dlc_file(path, fps=...)`` reads it.

    Args:
        path: The ``.csv`` file, replaced if it exists.
        answer: To the video. Absent keypoints are empty cells with likelihood 0; frame times are not in such a table.

    Raises:
        UserError: Nobody is in the tracks, or the file cannot be written.
    """
    tracks = answer.tracks
    if not tracks.num_persons:
        raise UserError(f'{path}: not written: nobody was seen, and the format has no table without individuals')
    columns = [(f'person_{m}', k) for m in range(tracks.num_persons) for k in get_skeleton(tracks.skeleton).keypoints]
    coords = ('x', 'y', 'likelihood')
    values = np.concatenate([tracks.keypoints, tracks.scores[..., None]], -1).transpose(1, 0, 2, 3)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['scorer', *['bmoe-skel'] * (3 * len(columns))])
    writer.writerow(['individuals', *(person for person, _ in columns for _ in coords)])
    writer.writerow(['bodyparts', *(name for _, name in columns for _ in coords)])
    writer.writerow(['coords', *coords * len(columns)])
    for frame, row in enumerate(values.reshape(tracks.num_frames, -1).tolist()):
        writer.writerow([frame, *('' if value != value else f'{value:.6g}' for value in row)])
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
