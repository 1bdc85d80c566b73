"""Predictions as rows: one a face, frame or video, and one for every file without any; CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmoe_ground.cells import plain_cell, safe_cell, writable
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write

OK, NO_FACE, UNREADABLE, MISSING, SKIPPED = 'ok', 'no face', 'unreadable', 'missing', 'skipped'
FAILED, PARTIAL = 'failed', 'partial'
FAILURES = (UNREADABLE, MISSING, FAILED, PARTIAL)
"""Statuses that mean an input could not be used; a picture without a face is none of them."""


@dataclass
class Prediction:
    """One row.

    Args:
        file: The input, as it was named or found.
        level: 'image', 'frame', 'clip' or 'video'.
        status: 'ok', 'no face', 'unreadable', 'missing', 'failed' (the model gave no finite scores), 'partial' (a video
            that was not read whole; a row of its own, beside those of the frames that were), or 'skipped' (in a folder,
            neither image nor video).
        message: Why it is not ok, or what is to be known of it.
        frame: Number of the frame (the first one of a clip).
        time: Its time in seconds.
        face: Number of the face in the image, or of the person in the video, from 0, largest first.
        box: x1, y1, x2, y2 of the detected face in pixels.
        confidence: The detector's, 0 to 1.
        samples: For a video, how many frames or clips its scores are the mean of.
        scores: Task to class to probability.
        labels: Task to the chosen class; to a list of them for a multi-label task.

    Example:
        >>> row = face_aux.Prediction('a.jpg', 'image', status='no face')
        >>> row.status, row.labels
        ('no face', {})
    """

    file: str
    level: str
    status: str = OK
    message: str = ''
    frame: int | None = None
    time: float | None = None
    face: int | None = None
    box: tuple[float, float, float, float] | None = None
    confidence: float | None = None
    samples: int | None = None
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data without what is absent."""
        plain = {key: value for key, value in vars(self).items() if value not in (None, '', {})}
        if self.box is not None:
            plain['box'] = [round(value, 1) for value in self.box]
        return plain


def csv_text(rows: Sequence[Prediction], tasks: Mapping[str, Sequence[str]]) -> str:
    """A header and a line a row; columns ``<task>`` for the label and ``<task>:<class>`` for each probability."""
    header = ['file', 'level', 'status', 'message', 'frame', 'time', 'face', 'x1', 'y1', 'x2', 'y2', 'confidence',
              'samples']  # fmt: skip
    for task, classes in tasks.items():
        header += [task, *(f'{task}:{name}' for name in classes)]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, lineterminator='\n')
    writer.writeheader()
    for row in rows:
        cells: dict[str, Any] = {key: getattr(row, key) for key in header[:7]}
        cells['samples'] = row.samples
        cells['time'] = None if row.time is None else f'{row.time:.3f}'
        cells['confidence'] = None if row.confidence is None else f'{row.confidence:.3f}'
        if row.box is not None:
            cells.update(zip(('x1', 'y1', 'x2', 'y2'), (f'{value:.1f}' for value in row.box), strict=True))
        for task, scores in row.scores.items():
            label = row.labels[task]
            cells[task] = ';'.join(label) if isinstance(label, list) else label
            cells.update({f'{task}:{name}': f'{value:.6f}' for name, value in scores.items()})
        writer.writerow({key: safe_cell(value) for key, value in cells.items()})
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """Plain data whose texts can all be written."""
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def rows_of_csv(path: Path) -> list[Prediction]:
    """Read what :func:`csv_text` wrote, without scores and labels.

    Args:
        path: The file.

    Returns:
        Its rows; none where there is no file, or another kind of CSV.
    """
    try:
        text = path.read_bytes().decode('utf-8')
        lines = list(csv.DictReader(io.StringIO(text, newline='')))
    except (OSError, ValueError, csv.Error):
        return []
    rows = []
    for cells in lines:
        try:
            rows.append(_row_of(cells))
        except (KeyError, TypeError, ValueError, AttributeError):  # damaged, or not ours: the file is looked at again
            continue
    return rows


def _row_of(cells: Mapping[str, str]) -> Prediction:
    box = [cells[key] for key in ('x1', 'y1', 'x2', 'y2')]
    return Prediction(
        plain_cell(cells['file']),
        cells['level'],
        cells['status'],
        plain_cell(cells['message']),
        frame=int(cells['frame']) if cells['frame'] else None,
        time=float(cells['time']) if cells['time'] else None,
        face=int(cells['face']) if cells['face'] else None,
        box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])) if all(box) else None,
        confidence=float(cells['confidence']) if cells['confidence'] else None,
        samples=int(cells['samples']) if cells['samples'] else None,
    )


def json_text(rows: Sequence[Prediction], tasks: Mapping[str, Sequence[str]], settings: Mapping[str, Any]) -> str:
    """One object: how the predictions were made, the label map, the counts by status, and the rows."""
    plain = {
        'settings': dict(settings),
        'tasks': {task: list(classes) for task, classes in tasks.items()},
        'files': count_files(rows),
        'predictions': [row.to_dict() for row in rows],
    }
    return json.dumps(_plain(plain), indent=1, ensure_ascii=False) + '\n'


def count_files(rows: Sequence[Prediction]) -> dict[str, int]:
    """Number of input files by status."""
    return dict(Counter(file_status(rows).values()))


def exit_code(counts: Mapping[str, int]) -> int:
    """Exit code of a command that went through files: 0 all could be used, 1 some, 2 none.

    Args:
        counts: Files by status, from :func:`count_files`; those skipped are no failure, and of a video that was not
            read whole some frames could be used.
    """
    failed = sum(counts.get(status, 0) for status in FAILURES)
    useless = failed - counts.get(PARTIAL, 0)
    return 2 if useless and useless == sum(counts.values()) - counts.get(SKIPPED, 0) else int(failed > 0)


def file_status(rows: Sequence[Prediction]) -> dict[str, str]:
    """Status of each input file.

    One with any face is ok, unless it is a video that was not read whole, or the model failed on one of its faces.
    """
    rank = {OK: 1, PARTIAL: 2, FAILED: 3}
    status: dict[str, str] = {}
    for row in rows:
        if rank.get(row.status, 0) > rank.get(status.get(row.file, ''), -1):
            status[row.file] = row.status
    return status


def check_output(path: str | Path) -> Path:
    """Refuse an output name whose format is unknown, before hours of work.

    Raises:
        UserError: The name ends in neither .csv nor .json, or is a folder.
    """
    path = Path(path)
    if path.suffix.lower() not in ('.csv', '.json'):
        raise UserError(f'output {path}: expected a name that ends in .csv or .json')
    if path.is_dir():
        raise UserError(f'output {path}: is a folder')
    return path


def write_predictions(
    path: str | Path, rows: Sequence[Prediction], tasks: Mapping[str, Sequence[str]], settings: Mapping[str, Any]
) -> None:
    """Write the rows to a .csv or .json file, whole or not at all.

    Example:
        >>> rows = [face_aux.Prediction('a.jpg', 'image', scores={'light': {'dark': 0.8, 'bright': 0.2}})]
        >>> face_aux.write_predictions('rows.json', rows, {'light': ['dark', 'bright']}, settings={})
        >>> json.loads(pathlib.Path('rows.json').read_text())['files']
        {'ok': 1}
    """
    path = check_output(path)
    text = csv_text(rows, tasks) if path.suffix.lower() == '.csv' else json_text(rows, tasks, settings)
    with atomic_write(path) as file:
        file.write(text.encode('utf-8'))
