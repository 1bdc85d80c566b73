"""The file that MA-52's challenge takes: the five best actions and body parts of each test clip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.npz import load_npz
from bmoe_ground.safe_pickle import load_pickle
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION, BODY_PARTS
from bmoe_skel.metrics.ranked import ranked

ANSWERS = 5
CSV_NAME = 'prediction.csv'
_HEADER = ','.join(['vid', *(f'{level}_pred_{k + 1}' for level in ('action', 'body') for k in range(ANSWERS))])


def prediction_csv(names: Sequence[str], scores: np.ndarray, body_scores: np.ndarray | None = None) -> str:
    """Write the table of answers.

    Args:
        names: N clips, such as ``test0000.mp4``.
        scores: (N, 52) of the actions; of equal scores the lower class comes first.
        body_scores: (N, 7) of the body parts; None takes the body parts of the five actions.

    Returns:
        CSV with the header ``vid,action_pred_1..5,body_pred_1..5`` and lines that end in a line feed.

    Raises:
        UserError: Shapes do not fit, a score is not finite, or a clip occurs twice.
    """
    scores = np.asarray(scores)
    _check_scores('action scores', scores, len(names), len(ACTIONS))
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else None
    if repeated:
        raise UserError(f'clip {sorted(repeated)[0]!r} has more than one prediction ({len(repeated)} such clips)')
    actions = ranked(scores, ANSWERS)
    if body_scores is None:
        bodies = np.asarray(BODY_OF_ACTION)[actions]
    else:
        body_scores = np.asarray(body_scores)
        _check_scores('body scores', body_scores, len(names), len(BODY_PARTS))
        bodies = ranked(body_scores, ANSWERS)
    rows = np.concatenate([actions, bodies], axis=1)
    lines = [f'{name},{",".join(map(str, row))}' for name, row in zip(names, rows.tolist(), strict=True)]
    return '\n'.join([_HEADER, *lines]) + '\n'


def _check_scores(what: str, scores: np.ndarray, clips: int, classes: int) -> None:
    if scores.shape != (clips, classes):
        raise UserError(f'{what}: expected shape ({clips}, {classes}), got {scores.shape}')
    if scores.dtype.kind not in 'fiu' or not np.isfinite(scores).all():
        raise UserError(f'{what}: expected finite numbers, got {scores.dtype} with NaN or infinite ones')


def write_submission(path: Path, csv_text: str) -> None:
    """Write ``prediction.csv`` and, where the name ends in ``.zip``, zip it as the challenge asks.

    The same answers give the same bytes.

    Args:
        path: ``.zip`` or ``.csv`` file.
        csv_text: From :func:`prediction_csv`.

    Raises:
        UserError: The name has another ending, or the file cannot be written.
    """
    if path.suffix not in ('.zip', '.csv'):
        raise UserError(f'{path}: expected a name that ends in .zip or .csv')
    content = csv_text.encode()
    if path.suffix == '.zip':
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(CSV_NAME), content, zipfile.ZIP_DEFLATED)
        content = buffer.getvalue()
    with atomic_write(path) as file:
        file.write(content)


def read_scores(path: Path) -> tuple[list[str] | None, np.ndarray, np.ndarray | None]:
    """Read scores from a dump of ``tools/test.py`` or from an archive of arrays.

    Args:
        path: ``.pkl`` of dicts with ``name``, ``pred_scores`` and perhaps ``pred_body_scores``; or ``.npz`` with
            ``scores`` (N, 52) and perhaps ``names`` and ``body_scores``.

    Returns:
        Names (None where the file has none), action scores, and body scores or None.

    Raises:
        UserError: The file is missing or holds something else.
    """
    if path.suffix == '.npz':
        return _read_npz(path)
    content = load_pickle(path)
    if not isinstance(content, list) or not content or not all(isinstance(item, dict) for item in content):
        raise UserError(f'{path}: expected a list of dicts, as tools/test.py --dump writes it')
    for number, item in enumerate(content):
        if 'name' not in item or 'pred_scores' not in item:
            raise UserError(
                f'{path}: prediction {number} lacks "name" or "pred_scores"; its keys: {sorted(map(str, item))}'
            )
    with_body = all('pred_body_scores' in item for item in content)
    return (
        [str(item['name']) for item in content],
        _stacked(path, content, 'pred_scores'),
        _stacked(path, content, 'pred_body_scores') if with_body else None,
    )


def _stacked(path: Path, content: list[dict[str, Any]], key: str) -> np.ndarray:
    try:
        return np.stack([np.asarray(item[key], dtype=np.float64) for item in content])
    except (ValueError, TypeError, OverflowError) as error:
        raise UserError(f'{path}: {key}: expected one vector of numbers for each clip: {error}') from error


def _read_npz(path: Path) -> tuple[list[str] | None, np.ndarray, np.ndarray | None]:
    arrays = load_npz(path)
    if 'scores' not in arrays:
        raise UserError(f'{path}: expected an array "scores", found {sorted(arrays)}')
    names = [str(name) for name in arrays['names']] if 'names' in arrays else None
    return names, arrays['scores'], arrays.get('body_scores')


def complete(
    names: Sequence[str],
    scores: np.ndarray,
    body_scores: np.ndarray | None,
    wanted: Sequence[str],
    fill_class: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Bring predictions into the order of a list.

    Args:
        names: N clips that have predictions.
        scores: (N, 52).
        body_scores: (N, 7) or None.
        wanted: W clips of the list.
        fill_class: Answer for clips without a prediction; None makes them an error.

    Returns:
        (W, 52), and (W, 7) or None.

    Raises:
        UserError: A clip of the list has no prediction, or a prediction belongs to no clip of the list.
    """
    index = {name: i for i, name in enumerate(names)}
    foreign = sorted(set(names) - set(wanted))
    if foreign:
        raise UserError(f'{len(foreign)} predictions are of clips that the list does not name, first {foreign[0]!r}')
    missing = [name for name in wanted if name not in index]
    if missing and fill_class is None:
        raise UserError(
            f'{len(missing)} of {len(wanted)} clips have no prediction, first {missing[0]!r}; '
            'predict them, or answer them all alike with --fill-class NUMBER'
        )
    filled = np.zeros((1, scores.shape[1]))
    filled_body = None if body_scores is None else np.zeros((1, body_scores.shape[1]))
    if fill_class is not None:
        if not 0 <= fill_class < len(ACTIONS):
            raise UserError(f'--fill-class {fill_class} is not in 0..{len(ACTIONS) - 1}')
        filled[0, fill_class] = 1
        if filled_body is not None:
            filled_body[0, BODY_OF_ACTION[fill_class]] = 1
    rows = [index.get(name, len(names)) for name in wanted]
    bodies = None if body_scores is None or filled_body is None else np.concatenate([body_scores, filled_body])[rows]
    return np.concatenate([scores, filled])[rows], bodies
