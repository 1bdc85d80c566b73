"""A data set in MA-52's layout with synthetic people, to rehearse the whole path from lists to a submission.

What it shows are moves of a drawn body, not micro-actions: scores on it say nothing about MA-52.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rehearsal_motions import HEAD, LAYOUT, MOVES, Move, rest_pose
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_skel.datasets.ma52.classes import ACTIONS
from bmoe_skel.datasets.ma52.lists import read_list
from pose_extract.skeletons import REGIONS, get_skeleton

# clips of each class in the official training list
TRAIN_COUNTS: tuple[int, ...] = (
    *(309, 150, 20, 9, 156, 337, 242, 456, 962, 1283, 1193, 227, 112, 95, 42, 82, 76, 355, 87, 277, 147, 356, 373),
    *(397, 238, 66, 92, 97, 60, 231, 259, 398, 63, 82, 53, 33, 43, 43, 89, 82, 58, 126, 66, 147, 52, 6, 25, 68, 421),
    *(497, 92, 20),
)
SPLITS = {'train': 11250, 'val': 5586, 'test': 5586}
IMAGE_SIZE = (1296, 1080)
_SUBJECTS = 186
_KEYPOINTS = get_skeleton(LAYOUT).keypoints
_INDEX = {name: i for i, name in enumerate(_KEYPOINTS)}


class Subject(NamedTuple):
    """What stays the same over a person's clips."""

    pose: np.ndarray  # (28, 2) at rest
    scale: float  # pixels a shoulder width
    origin: np.ndarray  # (2,) pixels
    noise: float  # pixels


def make_subject(rng: np.random.Generator) -> Subject:
    """Draw a person: proportions, habitual posture, distance and place.

    Args:
        rng: Random numbers.
    """
    pose = rest_pose() * rng.normal(1, (0.06, 0.05), 2) + rng.normal(0, 0.03, (len(_KEYPOINTS), 2))
    return Subject(pose, rng.uniform(170, 260), np.array([540, 760]) + rng.normal(0, 30, 2), rng.uniform(1.0, 2.5))


def make_clip(label: int, subject: Subject, frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Play an action.

    Args:
        label: Action, 0..51.
        subject: Who plays it.
        frames: T.
        rng: Random numbers.

    Returns:
        keypoint (1, T, 28, 2) float32 in pixels, (0, 0) where not seen, and score (1, T, 28) float32.
    """
    rest = subject.pose + _posture(rng)
    body = np.repeat(rest[None], frames, 0)
    body += _sway(frames, rng)
    for distraction in rng.integers(len(MOVES), size=rng.integers(0, 3)):
        _play(body, MOVES[distraction], rng, rng.uniform(0.1, 0.5))
    _play(body, MOVES[label], rng, float(np.clip(rng.normal(0.85, 0.22), 0.4, 1.3)))
    return _film(body, subject, rng)


def _posture(rng: np.random.Generator) -> np.ndarray:
    """How a person sits in one clip: hands and feet here and there, turned and leaning a little."""
    offset = np.zeros((len(_KEYPOINTS), 2))
    for side in ('left', 'right'):
        for parts, spread in ((('wrist',), 0.16), (('elbow',), 0.07), (('knee',), 0.08), (('ankle',), 0.12)):
            offset[_joints(parts, side)] += rng.normal(0, spread, 2)
        wrist = _INDEX[f'{side}_wrist']
        offset[[i for i, name in enumerate(_KEYPOINTS) if name.startswith(side) and '_tip' in name]] += offset[wrist]
    above = rest_pose()[:, 1:] / -2  # 0 at the hips, 1 at the head
    offset += above * rng.normal(0, (0.08, 0.03), 2)
    offset[_joints(HEAD, None)] += rng.normal(0, 0.05, 2)
    return offset


def _sway(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Breathing and slow drift, more of the head than of the hips: (T, 28, 2)."""
    time = np.arange(frames)[:, None] / 30
    slow = sum(
        rng.normal(0, 0.012, 2) * np.sin(2 * np.pi * rng.uniform(0.1, 0.7) * time + rng.uniform(0, 6.3, 2))
        for _ in range(3)
    )
    height = np.clip(-rest_pose()[:, 1:] / 2, 0.05, 1)
    return np.asarray(slow)[:, None] * height[None]


def _play(body: np.ndarray, moves: Sequence[Move], rng: np.random.Generator, strength: float) -> None:
    """Add an action's moves to a body (T, 28, 2), in place."""
    frames, mirrored = len(body), rng.random() < 0.5
    time = np.arange(frames) / max(frames - 1, 1)
    start, rise = rng.uniform(0.0, 0.35), rng.uniform(0.12, 0.3)
    end = rng.uniform(0.65, 0.95)
    for move in moves:
        leaves = rng.random() < move.stay
        envelope = _smooth((time - start) / rise) * (1 if leaves else 1 - _smooth((time - end) / rise))
        envelope = 1 - _smooth((time - start) / rise) if move.reverse else envelope
        cycles = rng.uniform(*move.cycles) if move.cycles[1] else 0.0
        phase = np.sin(2 * np.pi * cycles * (time - start) / (end - start) + rng.uniform(0, 0.8))
        sides = ('right', 'left') if move.side == 'both' else (('left',) if mirrored else ('right',))
        for side in sides:
            _move(body, move, side, strength, envelope, phase, rng)


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _joints(parts: Sequence[str], side: str | None) -> list[int]:
    return [_INDEX[n] for p in parts for n in (p, f'{side}_{p}', f'left_{p}' if side is None else '',
            f'right_{p}' if side is None else '') if n in _INDEX]  # fmt: skip


def _move(
    body: np.ndarray,
    move: Move,
    side: str,
    strength: float,
    envelope: np.ndarray,
    phase: np.ndarray,
    rng: np.random.Generator,
) -> None:
    mirror = np.array([1.0 if side == 'right' else -1.0, 1.0])
    # the head and the trunk have both sides and their middle in a move that is not of one limb
    whole = move.side == 'one' and set(HEAD) <= set(move.parts)
    joints = _joints(move.parts, None if whole else side)
    if move.side == 'both' and side == 'left':
        joints = [j for j in joints if _KEYPOINTS[j].startswith('left_')]  # the middle has moved already
    course = (envelope * (phase if move.cycles[1] else 1.0))[:, None]
    vector = np.array(move.vector) * mirror
    if move.kind in ('shift', 'swing'):
        if set(HEAD) <= set(move.parts) and move.side == 'both':
            vector = np.array(move.vector)
        body[:, joints] += strength * course[:, None] * vector
    elif move.kind == 'squeeze':
        axis = body[:, [_INDEX['neck']], :1]
        body[:, joints, :1] += strength * envelope[:, None, None] * (move.vector[0] - 1) * (body[:, joints, :1] - axis)
    elif move.kind == 'curl':
        wrist = body[:, [_INDEX[f'{side}_wrist']]]
        course = course if not move.cycles[1] else np.abs(course)
        body[:, joints] += strength * course[:, None] * move.vector[0] * (wrist - body[:, joints])
    elif move.kind == 'yaw':
        depth = np.array([0.4 if 'ear' in _KEYPOINTS[j] else 1.0 for j in joints])
        body[:, joints, 0] += strength * course * vector[0] * depth
    elif move.kind == 'roll':
        centre = body[:, [_INDEX['neck']]]
        angle = strength * course * vector[0]
        relative = body[:, joints] - centre
        turned = np.stack([-relative[..., 1] * angle, relative[..., 0] * angle], -1)
        body[:, joints] += turned - 0.5 * relative * angle[..., None] ** 2
    else:
        _reach(body, move, side, mirror, strength, envelope, phase, rng)


def _reach(
    body: np.ndarray,
    move: Move,
    side: str,
    mirror: np.ndarray,
    strength: float,
    envelope: np.ndarray,
    phase: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Lead a hand to a place; the elbow follows half the way and bends outwards, the fingers go along."""
    wrist, elbow = _INDEX[f'{side}_wrist'], _INDEX[f'{side}_elbow']
    fingers = [i for i, name in enumerate(_KEYPOINTS) if name.startswith(side) and '_tip' in name]
    place = np.array(move.vector) * mirror + rng.normal(0, 0.09, 2)
    share = envelope[:, None] * np.clip(strength, 0, 1)
    direction = rng.normal(0, 1, 2)
    wiggle = move.wiggle * strength * direction / np.linalg.norm(direction)
    step = share * (place - body[:, wrist]) + (envelope * phase)[:, None] * wiggle
    body[:, [wrist, *fingers]] += step[:, None]
    body[:, elbow] += 0.45 * step + share * np.array([-0.06, 0.0]) * mirror


def _film(body: np.ndarray, subject: Subject, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bring a body into the picture, with an estimator's noise and what it does not see."""
    frames, count = body.shape[:2]
    pixels = body * subject.scale + subject.origin
    hands = np.array(['tip' in name for name in _KEYPOINTS])
    spread = subject.noise * np.where(hands, 1.8, 1.0)
    pixels += rng.normal(0, 1, pixels.shape) * spread[:, None]
    bias = rng.normal(0, 1, (1, count, 2)) * 2 * spread[:, None]
    pixels += bias
    slips = rng.random((frames, count)) < 0.01  # a point found somewhere near for one frame
    pixels[slips] += rng.normal(0, 25, (int(slips.sum()), 2))
    score = np.clip(rng.normal(0.82, 0.09, (frames, count)) - 0.25 * hands - 0.3 * slips, 0.05, 1)
    hidden = np.zeros((frames, count), bool)
    layout = get_skeleton(LAYOUT)
    if rng.random() < 0.15:  # a table, or the picture's lower border
        hidden[:, [j for j in layout.regions['lower'] if 'ankle' in _KEYPOINTS[j] or rng.random() < 0.5]] = True
    for _ in range(rng.poisson(1.2)):
        start, length = rng.integers(frames), rng.integers(2, max(3, frames // 3))
        joints = list(layout.regions[REGIONS[rng.integers(len(REGIONS))]])
        hidden[start : start + length, rng.choice(joints, max(1, len(joints) // 2), replace=False)] = True
    pixels[hidden], score[hidden] = 0, 0
    return pixels[None].astype(np.float32), score[None].astype(np.float32)


def make_lists(scale: float, lists: Path | None, seed: int) -> dict[str, list[tuple[str, int]]]:
    """Name and label the clips of each split.

    Args:
        scale: Share of each split's clips that is made; every class keeps at least 3 clips.
        lists: Folder of the official lists, whose names and labels are then taken; None makes them after the
            published counts.
        seed: Of labels that are not published.

    Returns:
        (name, label) of each clip of 'train', 'val' and 'test'.

    Raises:
        UserError: ``scale`` is not in 0..1, or a list cannot be read.
    """
    if not 0 < scale <= 1:
        raise UserError(f'--scale {scale}: expected a share above 0, at most 1')
    rng = np.random.default_rng(seed)
    made: dict[str, list[tuple[str, int]]] = {}
    shares = np.array(TRAIN_COUNTS) / sum(TRAIN_COUNTS)
    serial = 0
    for split, total in SPLITS.items():
        entries = None if lists is None else read_list(lists / f'{split}_list_videos.txt')
        if entries is not None and any(entry.label for entry in entries):
            labels = [entry.label for entry in entries]
        else:
            labels = np.repeat(np.arange(len(ACTIONS)), _apportion(shares, total)).tolist()
            labels = rng.permutation(labels).tolist()
        if entries is not None:
            names = [entry.name for entry in entries]
        elif split == 'test':
            names = [f'test{i:04d}.mp4' for i in range(total)]
        else:
            names = [f'{3 + (serial + i) % _SUBJECTS:04d}_{1 + i % 3:02d}_{serial + i:05d}.mp4' for i in range(total)]
        serial += total
        pairs = list(zip(names, labels, strict=True))
        made[split] = pairs if scale == 1 else _thin(pairs, scale, rng)
    return made


def _apportion(shares: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers in the given shares that sum to ``total``, by largest remainder, none below 2."""
    counts = np.maximum(np.floor(shares * total).astype(int), 2)
    for c in np.argsort(counts - shares * total)[: max(total - counts.sum(), 0)]:
        counts[c] += 1
    counts[counts.argmax()] += total - counts.sum()
    return counts


def _thin(pairs: list[tuple[str, int]], scale: float, rng: np.random.Generator) -> list[tuple[str, int]]:
    labels = np.array([label for _, label in pairs])
    kept = np.zeros(len(pairs), bool)
    for c in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == c))
        kept[members[: max(3, round(scale * len(members)))]] = True
    return [pair for pair, keep in zip(pairs, kept, strict=True) if keep]


def write_rehearsal(
    out: Path, scale: float = 1.0, lists: Path | None = None, seed: int = 0, overwrite: bool = False
) -> dict[str, int]:
    """Write lists, PCAN-style pickles and the test split's answers.

    Args:
        out: Folder to write: ``{train,val,test}_list_videos.txt`` (CRLF, test labels 0), ``MA52_{...}.pkl``, and
            ``test_answers.txt`` with the labels that the test list hides.
        scale: Share of the clips.
        lists: Folder of the official lists, or None.
        seed: Of everything that is drawn; the same seed gives the same files.
        overwrite: Whether files may be replaced.

    Returns:
        Clips of each split.

    Raises:
        UserError: A file exists already, cannot be written, or an option is wrong.
    """
    if (out / 'train_list_videos.txt').exists() and not overwrite:
        raise UserError(f'{out}: holds lists already, perhaps the real ones; choose another folder or --overwrite')
    splits = make_lists(scale, lists, seed)
    people: dict[str, Subject] = {}
    for part, (split, pairs) in enumerate(splits.items()):
        annotations = [
            _annotation(n, y, people, np.random.default_rng((seed, part, i))) for i, (n, y) in enumerate(pairs)
        ]
        with atomic_write(out / f'MA52_{split}.pkl') as file:
            pickle.dump(annotations, file, protocol=4)
        hidden = [(name, 0 if split == 'test' else label) for name, label in pairs]
        _write_list(out / f'{split}_list_videos.txt', hidden)
    _write_list(out / 'test_answers.txt', splits['test'])
    return {split: len(pairs) for split, pairs in splits.items()}


def _annotation(name: str, label: int, people: dict[str, Subject], rng: np.random.Generator) -> dict[str, Any]:
    who = name.split('_')[0] if '_' in name else str(rng.integers(200, 219))  # 19 people are in the test split only
    if who not in people:
        people[who] = make_subject(np.random.default_rng([ord(letter) for letter in who]))
    frames = int(np.clip(rng.lognormal(np.log(58), 0.4), 18, 240))
    keypoint, score = make_clip(label, people[who], frames, rng)
    return {
        'frame_dir': name.removesuffix('.mp4'),
        'label': 0 if name.startswith('test') else label,
        'img_shape': IMAGE_SIZE,
        'original_shape': IMAGE_SIZE,
        'total_frames': frames,
        'keypoint': keypoint,
        'keypoint_score': score,
    }


def _write_list(path: Path, pairs: Sequence[tuple[str, int]]) -> None:
    with atomic_write(path) as file:
        file.write(''.join(f'{name} {label}\r\n' for name, label in pairs).encode())
