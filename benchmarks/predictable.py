"""How much of a hidden patch a linear model tells from the patches around it, target by target.

A reconstruction target teaches only what can be told from what is visible. Here a patch is hidden, a ring around it is
seen whole (a masked pass at 75% leaves a quarter of it, but sees further), and a ridge regression from its pixels
and the patch's place is fitted by cross-validation over images. The figure is the share of a target's variance that it
explains on images that it has not seen, over all values of the target: what is linearly predictable. The place alone
(the mean patch there) is the baseline; the mean over all patches would be 0. For bits the area under the ROC curve is
given too.

    python tools/benchmark.py predictable data/utkface --side 48 --patch 8 --images 1000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata
from sklearn.model_selection import GroupKFold

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.folders import iter_files
from bmoe_ground.media import media_of
from face_aux.images import read_image
from face_aux.models.patches import Patch
from face_aux.models.targets import Target
from face_aux.transforms.geometric import resize

ALPHAS = tuple(10.0**power for power in range(-1, 7))
"""Strengths of the ridge, of which one is chosen for each target inside the training images."""
PER_IMAGE = 4
"""Patches taken of each image, none at its rim."""
Fit = Callable[[np.ndarray], Callable[[float], np.ndarray]]


def targets() -> dict[str, Target]:
    """What is asked for, by the name in the table."""
    return {
        'RGB': Target('RGB'),
        'RGB, normalised by patch': Target('RGB', norm_pix=True),
        'HOG, 2 x 2 cells': Target('HOG'),
        'HOG, 1 cell': Target('HOG', cells=1),
        'LDP bits': Target('LDP', 'planes'),
        'LDP bits, half resolution': Target('LDP', 'planes', shrink=2),
        'LDP histogram, 4 x 4 cells': Target('LDP', 'histogram', cells=4),
        'LDP histogram, 2 x 2 cells': Target('LDP', 'histogram', cells=2),
        'LDP histogram, 1 cell': Target('LDP', 'histogram'),
        'Kirsch, normalised by patch': Target('LDP', 'kirsch'),
        'LBP bits': Target('LBP', 'planes'),
        'LBP bits, half resolution': Target('LBP', 'planes', shrink=2),
        'LBP histogram, 2 x 2 cells': Target('LBP', 'histogram', cells=2, method='uniform'),
        'LBP histogram, 1 cell': Target('LBP', 'histogram', method='uniform'),
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line of this benchmark."""
    parser.add_argument('folder', type=Path, help='folder of faces, framed alike')
    parser.add_argument('--side', type=int, default=48, help='height and width to which they are brought (default 48)')
    parser.add_argument('--patch', type=int, default=8, help='side of a patch in pixels (default 8)')
    parser.add_argument('--ring', type=int, help='pixels seen on each side of a patch (default: half a patch)')
    parser.add_argument('--images', type=int, default=1000, help='images taken at random (default 1000)')
    parser.add_argument('--folds', type=int, default=5, help='folds of the cross-validation (default 5)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of images and patches (default 0)')
    parser.add_argument('--json', type=Path, help='write the figures here too')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print a table and return 0."""
    if arguments.side % arguments.patch or arguments.side < 3 * arguments.patch:
        raise UserError(f'--side {arguments.side} must be three or more times --patch {arguments.patch}, whole')
    source = load(arguments.folder, arguments.side, arguments.images, arguments.seed)
    ring = arguments.ring or (arguments.patch + 1) // 2
    if not 1 <= ring <= arguments.patch:
        raise UserError(f'--ring {ring}: expected 1 to {arguments.patch} pixels, the side of a patch')
    figures = measure(source, arguments.patch, ring, arguments.folds, arguments.seed)
    print(f'{len(source)} faces of {arguments.folder} at {arguments.side} pixels, patches of {arguments.patch}, '
          f'a ring of {ring}, {PER_IMAGE} patches each, {arguments.folds} folds over images')  # fmt: skip
    print(table(figures))
    if arguments.json:
        with atomic_write(arguments.json) as file:
            file.write((json.dumps(figures, indent=1) + '\n').encode())
    return 0


def load(folder: Path, side: int, count: int, seed: int = 0) -> torch.Tensor:
    """Faces of a folder, chosen at random and brought to one size: (N, 3, 1, side, side) uint8.

    Raises:
        UserError: There are fewer than ten.
    """
    paths = [path for path in iter_files(folder) if media_of(path) == 'image']
    if min(len(paths), count) < 10:
        raise UserError(f'{folder}: {len(paths)} images and --images {count}; at least 10 are needed')
    chosen = np.random.default_rng(seed).permutation(len(paths))[:count]
    pixels = np.stack([resize(read_image(paths[i]), side, side) for i in np.sort(chosen)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)[:, :, None].contiguous()


def measure(
    source: torch.Tensor, patch: int, ring: int, folds: int = 5, seed: int = 0, wanted: dict[str, Target] | None = None
) -> dict[str, dict[str, float]]:
    """Explained variance of each target on images that the model has not seen.

    Args:
        source: (N, 3, 1, side, side) uint8.
        patch: Side of a patch in pixels.
        ring: Width of what is seen around it, at most a patch.
        folds: Of the cross-validation.
        seed: Of the choice of patches.
        wanted: Targets by name; None for :func:`targets`.

    Returns:
        Target name to ``place`` and ``ring``, explained shares of the variance; for bits also ``auc_place`` and
        ``auc_ring``.
    """
    sample = Sample.draw(source, patch, ring, seed)
    wanted = wanted or targets()
    truth = {
        name: target.patches(source, Patch(1, patch, patch)).numpy()[sample.image, sample.place]
        for name, target in wanted.items()
    }
    bits = [name for name, target in wanted.items() if target.kind == 'planes']
    predicted: dict[str, dict[str, np.ndarray]] = {name: {} for name in truth}
    for inputs in ('place', 'ring'):
        features = sample.places if inputs == 'place' else np.concatenate([sample.ring, sample.places], axis=1)
        for name in truth:
            predicted[name][inputs] = np.empty_like(truth[name])
        for seen, unseen in GroupKFold(folds).split(features, groups=sample.image):
            for name, made in predict(features, truth, sample.image, seen, unseen):
                predicted[name][inputs][unseen] = made
    return {name: _scores(truth[name], predicted[name], name in bits) for name in truth}


@dataclass(frozen=True)
class Sample:
    """Hidden patches and what lies around them.

    Args:
        image: (n,) which image.
        place: (n,) which patch of it.
        ring: (n, values of the ring's pixels) float32, -1 to 1.
        places: (n, places) 1 at the patch's place.
    """

    image: np.ndarray
    place: np.ndarray
    ring: np.ndarray
    places: np.ndarray

    @classmethod
    def draw(cls, source: torch.Tensor, patch: int, ring: int, seed: int) -> Sample:
        """Take some patches of each image, away from its rim."""
        grid = source.shape[-1] // patch
        inner = np.arange(grid * grid).reshape(grid, grid)[1:-1, 1:-1].ravel()
        rng = np.random.default_rng([seed, 1])
        each = min(PER_IMAGE, len(inner))
        place = np.stack([rng.permutation(inner)[:each] for _ in range(len(source))]).ravel()
        image = np.arange(len(source)).repeat(each)
        pixels = source[:, :, 0].permute(0, 2, 3, 1).numpy().astype(np.float32) / 127.5 - 1
        seen = np.ones((patch + 2 * ring,) * 2, dtype=bool)
        seen[ring : ring + patch, ring : ring + patch] = False
        corners = zip(image, place // grid * patch - ring, place % grid * patch - ring, strict=True)
        size = len(seen)
        around = np.stack([pixels[i, y : y + size, x : x + size][seen].ravel() for i, y, x in corners])
        return cls(image, place, around, (place[:, None] == inner).astype(np.float32))


def predict(
    features: np.ndarray, truth: dict[str, np.ndarray], image: np.ndarray, seen: np.ndarray, unseen: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Predict the unseen rows of each target by ridge regression on the seen ones.

    The strength is chosen for each target on a fifth of the seen images, the final fit uses them all.

    Args:
        features: (n, p).
        truth: Target name to (n, values).
        image: (n,) images, which stay together.
        seen: Rows to learn from.
        unseen: Rows to predict.

    Yields:
        Target name and (unseen, values).
    """
    learn, check = next(GroupKFold(5).split(seen, groups=image[seen]))
    inner = ridge(features[seen[learn]], features[seen[check]])
    outer = ridge(features[seen], features[unseen])
    for name, values in truth.items():
        held = inner(values[seen[learn]])
        errors = {alpha: float(np.square(held(alpha) - values[seen[check]]).sum()) for alpha in ALPHAS}
        yield name, outer(values[seen])(min(errors, key=lambda alpha: errors[alpha]))


def ridge(known: np.ndarray, asked: np.ndarray) -> Fit:
    """Ridge regression with an intercept, for any strength and number of targets from one decomposition.

    Args:
        known: (n, p) features to learn from.
        asked: (m, p) features to predict for.

    Returns:
        A function of values (n, v) that gives a function of the strength, which gives predictions (m, v).
    """
    mean = known.mean(axis=0, dtype=np.float64)
    centred = known - mean
    strengths, directions = np.linalg.eigh(centred.T @ centred)
    projected = (asked - mean) @ directions

    learnt = centred @ directions

    def fit(values: np.ndarray) -> Callable[[float], np.ndarray]:
        middle = values.mean(axis=0, dtype=np.float64)
        found = learnt.T @ (values - middle)
        return lambda alpha: projected @ (found / (strengths + alpha)[:, None]) + middle

    return fit


def _scores(truth: np.ndarray, predicted: dict[str, np.ndarray], is_bits: bool) -> dict[str, float]:
    total = np.square(truth - truth.mean(axis=0, dtype=np.float64)).sum()
    scores = {name: float(1 - np.square(truth - made).sum() / total) for name, made in predicted.items()}
    if is_bits:
        scores.update({f'auc_{name}': mean_auc(truth, made) for name, made in predicted.items()})
    return scores


def mean_auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean over bits of the area under the ROC curve; bits that are always the same are left out.

    Args:
        truth: (n, bits) of 0 and 1.
        scores: (n, bits).

    Example:
        >>> mean_auc(np.array([[0.0], [1.0], [1.0]]), np.array([[0.2], [0.1], [0.6]]))
        0.5
    """
    positives = truth.sum(axis=0)
    negatives = len(truth) - positives
    ranks = (rankdata(scores, axis=0) * truth).sum(axis=0)
    with np.errstate(invalid='ignore', divide='ignore'):
        areas = (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    return float(np.nanmean(areas))


def table(figures: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown, per cent."""
    lines = [
        '| target | by place alone | by place and ring | AUC of the bits: place | place and ring |',
        '|---' * 5 + '|',
    ]
    for name, each in figures.items():
        areas = [f'{100 * each[key]:.1f}' if key in each else '–' for key in ('auc_place', 'auc_ring')]
        lines.append(f'| {name} | {100 * each["place"]:.1f} | {100 * each["ring"]:.1f} | {" | ".join(areas)} |')
    return '\n'.join(lines)
