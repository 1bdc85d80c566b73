"""What is still right when regions are hidden, noisy or another's: accuracy against their share, for several models.

python tools/benchmark.py occlusion CONFIG router=a.pth mean=b.pth top1=c.pth --cfg-options dataset.ann_file=FILE.pkl
python tools/benchmark.py occlusion CONFIG router=a0.pth router=a1.pth mean=b0.pth mean=b1.pth --out curves/

Every set of one, two and three of the four regions is damaged in every clip, so that the figures are means over all of
them and not over a draw. The models see the same damage. Checkpoints of one name are seeds of one model.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.faithful_scores import WHOLE, Answers, at_random, attributions, effect_of, hidden, ranked
from benchmarks.tested import batches, load_tests, model_for, scores_of
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_skel.models.attribution import attribute_regions, hide_regions, seen_regions
from bmoe_skel.models.recognizer import Batch, SkeletonRecognizer
from pose_extract.skeletons import REGIONS, get_skeleton

DAMAGES = ('hidden', 'noise', 'swapped')
"""How a region is damaged: not seen; noise about its mean place, as wide as it reaches; another clip's."""
SETS = [regions for count in range(1, len(REGIONS)) for regions in combinations(REGIONS, count)]
_SEED = 0


def damaged(inputs: Batch, skeleton: str, regions: tuple[str, ...], how: str, rng: torch.Generator) -> Batch:
    """Damage regions of every person in a batch, for the whole clip.

    Args:
        inputs: As the batch builder makes it; left as it is.
        skeleton: Name of its keypoint layout.
        regions: Which.
        how: One of :data:`DAMAGES`.
        rng: Random numbers of the noise.

    Returns:
        A batch that shares everything but ``keypoint`` and ``visible`` with ``inputs``. 'swapped' takes each clip's
        regions from the next clip of the batch, the last one's from the first.

    Raises:
        UserError: A batch of one clip has no other to take a region from.
    """
    if how == 'hidden':
        return hide_regions(inputs, skeleton, regions)
    joints = [joint for region in regions for joint in get_skeleton(skeleton).regions[region]]
    keypoint, visible = inputs['keypoint'].clone(), inputs['visible'].clone()
    if how == 'swapped':
        if len(keypoint) < 2:
            raise UserError(
                'a batch of one clip has no other to take a region from; set test_dataloader.batch_size so that the '
                'last batch has more, or leave swapped out (--damage hidden noise)'
            )
        keypoint[..., joints, :] = keypoint.roll(-1, 0)[..., joints, :]
        visible[..., joints] = visible.roll(-1, 0)[..., joints]
        return {**inputs, 'keypoint': keypoint, 'visible': visible}
    for region in regions:
        own = list(get_skeleton(skeleton).regions[region])
        part, mask = keypoint[..., own, :], visible[..., own].unsqueeze(-1)
        count = mask.sum((3, 4), keepdim=True).clamp(min=1)
        mean = (part * mask).sum((3, 4), keepdim=True) / count
        spread = (((part - mean) * mask).square().sum((3, 4), keepdim=True) / count).sqrt()
        drawn = torch.randn(part.shape, generator=rng).to(part)
        keypoint[..., own, :] = torch.where(mask, mean + spread * drawn, part)
    return {**inputs, 'keypoint': keypoint, 'visible': visible}


@dataclass(frozen=True)
class Curves:
    """What one model had right; N clips.

    Attributes:
        right: Damage to (N, 16) 0 or 1; bit r of the second index says that ``REGIONS[r]`` is whole. NaN with none.
        cost: Points of top-1 that hiding the top-routed region costs, and those of a random one; None without routing.
    """

    right: dict[str, np.ndarray]
    cost: tuple[float, float] | None

    def accuracy(self, how: str) -> list[float]:
        """Share that is right with 0, 1, 2 and 3 regions damaged, the mean over all such sets."""
        damaged_regions = np.array([len(REGIONS) - whole.bit_count() for whole in range(WHOLE + 1)])
        return [float(self.right[how][:, damaged_regions == count].mean()) for count in range(len(REGIONS))]


def measure(model: SkeletonRecognizer, loader: Any, damages: list[str]) -> Curves:
    """Ask a model about every test clip, whole and with every set of regions damaged.

    Args:
        model: In evaluation mode.
        loader: From :func:`benchmarks.tested.load_tests`.
        damages: Some of :data:`DAMAGES`.
    """
    right: dict[str, list[np.ndarray]] = {how: [] for how in damages}
    rows: dict[str, list[np.ndarray]] = {'names': [], 'labels': [], 'probabilities': [], 'seen': [], 'routing': []}
    for number, (inputs, samples, labels) in enumerate(batches(loader, model)):
        whole = scores_of(model, inputs)
        for how in damages:
            rng = torch.Generator().manual_seed(_SEED + number)
            scores = torch.full((len(labels), WHOLE + 1, whole.shape[1]), torch.nan)
            scores[:, WHOLE] = whole
            for regions in SETS:
                left = WHOLE - sum(1 << REGIONS.index(region) for region in regions)
                scores[:, left] = scores_of(model, damaged(inputs, model.skeleton, regions, how, rng))
            found = (scores.argmax(-1) == labels[:, None]).double()
            found[:, 0] = torch.nan
            right[how].append(found.numpy())
            if how == 'hidden' and hasattr(model, 'router'):
                rows['probabilities'].append(scores.numpy())
                rows['routing'].append(attribute_regions(model, inputs, 'routing').numpy())
                rows['seen'].append(seen_regions(inputs, model.skeleton).numpy())
                rows['labels'].append(labels.numpy())
                rows['names'].append(np.array([sample.name for sample in samples]))
    joined = {how: np.concatenate(parts) for how, parts in right.items()}
    return Curves(joined, _cost_of_the_top({key: np.concatenate(parts) for key, parts in rows.items() if parts}))


def _cost_of_the_top(rows: dict[str, np.ndarray]) -> tuple[float, float] | None:
    """Points of top-1 lost without the top-routed region, and without a random one; see :mod:`benchmarks.faithful`."""
    if not rows:
        return None
    nobody = np.full(rows['routing'].shape, np.nan)
    answers = Answers(**rows, classes=np.arange(rows['probabilities'].shape[2]), margin=nobody, movement=nobody)
    whole = effect_of(answers, np.full(len(answers.names), WHOLE)).right
    top = hidden(answers, ranked(attributions(answers)['routing'])[:, 0]).right
    return 100 * float(np.nanmean(whole - top)), 100 * float(np.nanmean(whole - at_random(answers, hidden).right))


def summed(found: dict[str, list[Curves]], damages: list[str]) -> dict[str, Any]:
    """Model to its figures: for each damage the mean over its checkpoints with 0 to 3 regions damaged, and the spread.

    Args:
        found: Model to the curves of its checkpoints.
        damages: Some of :data:`DAMAGES`.

    Returns:
        What is written as JSON; shares of 1, and points for the costs.
    """
    said: dict[str, Any] = {}
    for name, curves in found.items():
        entry: dict[str, Any] = {'checkpoints': len(curves)}
        for how in damages:
            each = np.array([one.accuracy(how) for one in curves])
            spread = each.std(0, ddof=1).tolist() if len(each) > 1 else None
            entry[how] = {'mean': each.mean(0).tolist(), 'standard_deviation': spread}
        costs = [one.cost for one in curves if one.cost is not None]
        if costs:
            entry['cost_of_top_routed'], entry['cost_of_random'] = np.mean(costs, 0).tolist()
        said[name] = entry
    return said


def table(said: dict[str, Any], damages: list[str]) -> str:
    """Lay the figures out as Markdown, per cent; see :func:`summed`."""
    lines = ['| damage | model | checkpoints | none | 1 of 4 | 2 of 4 | 3 of 4 |', '|---|---|---|---|---|---|---|']
    for how in damages:
        for name, entry in said.items():
            spread = entry[how]['standard_deviation'] or [None] * len(REGIONS)
            cells = [
                f'{100 * mean:.1f}' + ('' if by is None else f' ± {100 * by:.1f}')
                for mean, by in zip(entry[how]['mean'], spread, strict=True)
            ]
            lines.append(f'| {how} | {name} | {entry["checkpoints"]} | {" | ".join(cells)} |')
    routed = {name: entry for name, entry in said.items() if 'cost_of_random' in entry}
    if routed:
        lines += ['', '| points of top-1 lost without | the top-routed region | a random one |', '|---|---|---|']
        lines += [f'| {name} | {entry["cost_of_top_routed"]:.1f} | {entry["cost_of_random"]:.1f} |'
                  for name, entry in routed.items()]  # fmt: skip
    return '\n'.join(lines)


def draw(path: Path, said: dict[str, Any], damages: list[str]) -> None:
    """Draw a panel for each damage, a line for each model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(damages), 3.4), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(damages), sharey=True, squeeze=False)[0]
    for panel, how in zip(panels, damages, strict=True):
        for name, entry in said.items():
            spread = entry[how]['standard_deviation']
            panel.errorbar(
                [25 * count for count in range(len(REGIONS))],
                [100 * mean for mean in entry[how]['mean']],
                None if spread is None else [100 * by for by in spread],
                marker='o',
                capsize=3,
                label=name,
            )
        panel.set(title=f'regions {how}', xlabel='share of the regions, %', xticks=[0, 25, 50, 75])
    panels[0].set_ylabel('top-1, %')
    panels[0].legend()
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=120)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py occlusion``."""
    parser.add_argument('config', help='config whose test clips are asked about')
    parser.add_argument('checkpoints', nargs='+', metavar='[NAME=]CHECKPOINT', help='seeds of one model have one name')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='changes to the config')
    parser.add_argument('--damage', nargs='+', choices=DAMAGES, default=list(DAMAGES), help='(default: all)')
    parser.add_argument('--out', type=Path, metavar='FOLDER', help='write occlusion.json and occlusion.png to it')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print the tables; exit code 0.

    Raises:
        UserError: Config, data or a checkpoint are wrong.
    """
    loader = load_tests(arguments.config, arguments.cfg_options)
    found: dict[str, list[Curves]] = {}
    for given in arguments.checkpoints:
        name, equals, path = given.partition('=')
        curves = measure(model_for(loader, path if equals else given), loader, arguments.damage)
        found.setdefault(name, []).append(curves)
    said = summed(found, arguments.damage)
    print(table(said, arguments.damage))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with atomic_write(arguments.out / 'occlusion.json') as file:
            file.write((json.dumps(said, indent=2) + '\n').encode())
        draw(arguments.out / 'occlusion.png', said, arguments.damage)
        print(f'written to {arguments.out}')
    return 0
