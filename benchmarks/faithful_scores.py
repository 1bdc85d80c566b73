"""Judge attributions by what is answered when the regions they name are hidden, or are all that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from benchmarks.known_regions import DEMO, rehearsal_regions
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.npz import load_npz
from bmoe_skel.models.attribution import LEAST, left_out, shapley, shown_alone
from pose_extract.skeletons import REGIONS

WHOLE = (1 << len(REGIONS)) - 1
KNOWN: dict[str, Callable[[], dict[str, str]] | None] = {
    'demo': lambda: DEMO,
    'rehearsal': rehearsal_regions,
    'names': None,
}
"""Where the region that shows a class is known from: the demo's or rehearsal's classes, or the clips' names."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Answers:
    """What a model answered for N clips with each of the 16 sets of regions shown, C classes.

    Attributes:
        names: (N,) of the clips.
        labels: (N,) int.
        classes: (C,) names.
        probabilities: (N, 16, C); bit r of the second index says that ``REGIONS[r]`` is shown.
        seen: (N, 4) bool.
        routing: (N, 4) mean weight of the router.
        margin: (N, 4) margin of each region's own classifier for the class answered; all NaN where there are none.
        movement: (N, 4) how far the region's keypoints move; a baseline that asks no model.
    """

    names: np.ndarray
    labels: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray
    seen: np.ndarray
    routing: np.ndarray
    margin: np.ndarray
    movement: np.ndarray

    def save(self, path: Path) -> None:
        """Write them as ``.npz``, whole or not at all."""
        with atomic_write(path) as file:
            np.savez_compressed(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Answers:
        """Read what :meth:`save` wrote.

        Raises:
            UserError: The file is something else.
        """
        arrays = load_npz(path, 'answers of benchmark.py faithful', lambda headers: None)
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            raise UserError(f'{path}: no array {missing[0]!r}; expected a file of benchmark.py faithful --out')
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    @property
    def predicted(self) -> np.ndarray:
        """(N,) the class answered for the whole."""
        return np.asarray(self.probabilities[:, WHOLE].argmax(1))


def join(parts: Sequence[Answers]) -> Answers:
    """The clips of several runs, such as folds and seeds, one after the other.

    Raises:
        UserError: The runs have different classes.
    """
    if any(list(part.classes) != list(parts[0].classes) for part in parts):
        raise UserError('the runs to collect have different classes')
    arrays = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Answers)}
    return Answers(**{**arrays, 'classes': parts[0].classes})


def attributions(answers: Answers) -> dict[str, np.ndarray]:
    """By each method (N, 4) numbers of the class answered, NaN for regions that are not seen."""
    clips = np.arange(len(answers.names))
    chosen = np.log(np.maximum(answers.probabilities[clips, :, answers.predicted], LEAST))
    logs = dict(enumerate(torch.from_numpy(chosen).unbind(1)))
    found = {
        'routing': answers.routing,
        'margin': answers.margin,
        'leave_one_out': left_out(logs).numpy(),
        'alone': shown_alone(logs).numpy(),
        'shapley': shapley(logs).numpy(),
        'movement': answers.movement,
    }
    return {name: np.where(answers.seen, one, np.nan) for name, one in found.items() if np.isfinite(one).any()}


def ranked(attribution: np.ndarray) -> np.ndarray:
    """Regions of each clip from the highest to the lowest number, (N, 4) int; -1 after the last that has one."""
    order = np.argsort(-attribution, axis=1, kind='stable')  # NaN comes last
    return np.where(np.isnan(np.take_along_axis(attribution, order, 1)), -1, order)


@dataclass(frozen=True)
class Effect:
    """What is answered with some regions shown, clip by clip; NaN for clips that do not count.

    Attributes:
        right: (N,) 0 or 1, or a share of it where it is a mean over regions.
        true: (N,) probability of the label.
        answered: (N,) probability of the class that is answered for the whole.
    """

    right: np.ndarray
    true: np.ndarray
    answered: np.ndarray


def effect_of(answers: Answers, shown: np.ndarray) -> Effect:
    """What is answered where clip n shows the set of regions ``shown[n]``; -1 for a clip that does not count."""
    clips = np.arange(len(shown))
    scores = answers.probabilities[clips, shown]
    counts = np.where(shown >= 0, 1.0, np.nan)
    return Effect(
        (scores.argmax(1) == answers.labels) * counts,
        scores[clips, answers.labels] * counts,
        scores[clips, answers.predicted] * counts,
    )


def hidden(answers: Answers, regions: np.ndarray) -> Effect:
    """With one region of each clip hidden; (N,) int, -1 for none that counts."""
    return effect_of(answers, np.where(regions < 0, -1, WHOLE ^ (1 << np.maximum(regions, 0))))


def alone(answers: Answers, regions: np.ndarray) -> Effect:
    """With one region of each clip shown only; see :func:`hidden`."""
    return effect_of(answers, np.where(regions < 0, -1, 1 << np.maximum(regions, 0)))


def at_random(answers: Answers, judge: Callable[[Answers, np.ndarray], Effect]) -> Effect:
    """The mean over all seen regions of each clip, which is what one drawn at random does on average."""
    each = [judge(answers, np.where(answers.seen[:, r], r, -1)) for r in range(len(REGIONS))]
    return Effect(*(np.nanmean([getattr(one, f.name) for one in each], 0) for f in fields(Effect)))


def lowest(order: np.ndarray) -> np.ndarray:
    """(N,) the last region of each clip that has a number."""
    last = (order >= 0).sum(1) - 1
    return np.asarray(np.where(last < 0, -1, order[np.arange(len(order)), np.maximum(last, 0)]))


def true_regions(answers: Answers, known: str) -> np.ndarray:
    """(N,) index of the region that shows the class; -1 where nobody knows or it is not seen.

    Raises:
        UserError: No clip has one.
    """
    table = KNOWN[known]
    if table is None:
        named = [str(name).split('/', 1)[0] for name in answers.names]
    else:
        of_class = table()
        named = [of_class.get(str(answers.classes[label]), '') for label in answers.labels]
    truth = np.array([REGIONS.index(name) if name in REGIONS else -1 for name in named])
    truth[(truth >= 0) & ~answers.seen[np.arange(len(truth)), np.maximum(truth, 0)]] = -1
    if not (truth >= 0).any():
        raise UserError(f'--known {known}: the region is known of none of {len(truth)} clips')
    return truth


def interval(values: np.ndarray, names: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean and 95 % interval by bootstrap over clips; the runs in which a clip was tested stay together.

    Args:
        values: (N,); NaN does not count.
        names: (N,) which values are of the same clip.
        seed: Of the resampling.
    """
    counted = np.isfinite(values)
    if not counted.any():
        return float('nan'), float('nan'), float('nan')
    _, clip = np.unique(names[counted], return_inverse=True)
    total, count = np.bincount(clip, values[counted]), np.bincount(clip)
    draws = np.random.default_rng(seed).multinomial(len(count), np.full(len(count), 1 / len(count)), RESAMPLES)
    means = (draws @ total) / np.maximum(draws @ count, 1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values[counted].mean()), float(low), float(high)
