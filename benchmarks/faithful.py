"""Does the routing tell the truth? Hide the regions that it names, and compare with other ways to name them.

python tools/benchmark.py faithful CONFIG CHECKPOINT --cfg-options dataset.ann_file=FILE.pkl
python tools/benchmark.py faithful CONFIG CHECKPOINT --known demo                # who names the region that moves
python tools/benchmark.py faithful CONFIG CHECKPOINT --out fold0.npz             # keep the answers of one run
python tools/benchmark.py faithful --collect fold0.npz fold1.npz                 # the tables of several runs
python tools/benchmark.py faithful --planted FILE.pkl                            # write clips whose region is known
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.faithful_scores import (
    KNOWN,
    WHOLE,
    Answers,
    Effect,
    alone,
    at_random,
    attributions,
    effect_of,
    hidden,
    interval,
    join,
    lowest,
    ranked,
    true_regions,
)
from benchmarks.known_regions import write_planted
from benchmarks.tested import batches, load_tests, model_for
from bmoe_ground.errors import UserError
from bmoe_skel.models.attribution import attribute_regions, seen_regions, subset_scores
from bmoe_skel.models.bmoe import BMoE
from bmoe_skel.models.features import SkeletonFeatures, motion
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.recognizer import Batch
from pose_extract.skeletons import REGIONS, get_skeleton

HIDE = ('keypoints', 'channels')


class ChannelsOfWhole(nn.Module):
    """Compute the channels from the whole body, then take those of what is hidden, and the distances to it.

    What a joint's channels say of its place relative to the trunk, or to its parent in another region, then stays.

    Args:
        features: The model's own.
        inputs: A batch in which nothing is hidden yet.
    """

    def __init__(self, features: SkeletonFeatures, inputs: Batch) -> None:
        super().__init__()
        self.features = features
        self.keypoint, self.visible = (inputs[key].flatten(0, 2) for key in ('keypoint', 'visible'))

    def forward(self, keypoint: Tensor, visible: Tensor, pace: Tensor) -> Tensor:
        """As :meth:`SkeletonFeatures.forward`; of ``keypoint`` nothing is used."""
        times = len(visible) // len(self.visible)  # several sets of regions may be asked about in one pass
        whole = (part.repeat(times, *[1] * (part.ndim - 1)) for part in (self.keypoint, self.visible))
        channels = self.features(*whole, pace) * visible.unsqueeze(-1)
        own = channels.shape[-1] - visible.shape[-1]
        return torch.cat([channels[..., :own], channels[..., own:] * visible.unsqueeze(2)], -1)


@contextmanager
def channels_of_whole(model: BMoE, inputs: Batch) -> Iterator[None]:
    """Inside, the model's channels are those of :class:`ChannelsOfWhole`."""
    before = model.features
    model.features = ChannelsOfWhole(before, inputs)  # type: ignore[assignment]
    try:
        yield
    finally:
        model.features = before


def movement(inputs: Batch, skeleton: str) -> Tensor:
    """Root mean square step of each region's keypoints from frame to frame, (B, 4), 0 where nothing is seen."""
    mask = inputs['visible'].unsqueeze(-1)
    shape = (-1, *inputs['keypoint'].shape[3:])
    steps = motion(inputs['keypoint'].masked_fill(~mask, 0).reshape(shape), mask.reshape(*shape[:-1], 1))
    squares = steps.square().sum(-1, keepdim=True).view(mask.shape).flatten(1, -3)  # (B, S * M * T, V, 1)
    seen = mask.flatten(1, -3)
    regions = get_skeleton(skeleton).regions
    joints = [list(regions[region]) for region in REGIONS]
    means = [masked_mean(squares[:, :, j].flatten(1, 2), seen[:, :, j].flatten(1, 2), 1) for j in joints]
    return torch.cat(means, 1).sqrt()


def measure(arguments: argparse.Namespace) -> Answers:
    """Ask a model about every test clip of a config, with each set of regions shown.

    Args:
        arguments: As :func:`add_arguments` defines them.

    Raises:
        UserError: Config, data or checkpoint are wrong, the model is no mixture, or clips have several labels.
    """
    loader = load_tests(arguments.config, arguments.cfg_options)
    model = model_for(loader, arguments.checkpoint)
    if not isinstance(model, BMoE):
        raise UserError(f'checkpoint {arguments.checkpoint}: a {type(model).__name__} has no routing to judge')
    rows: dict[str, list[np.ndarray]] = {field.name: [] for field in fields(Answers) if field.name != 'classes'}
    for inputs, samples, labels in batches(loader, model):
        rows['names'].append(np.array([sample.name for sample in samples]))
        rows['labels'].append(labels.numpy())
        for name, value in ask(model, inputs, arguments.hide).items():
            rows[name].append(value.numpy())
    arrays = {name: np.concatenate(value) for name, value in rows.items()}
    return Answers(classes=np.array(model.classes), **arrays)


def ask(model: BMoE, inputs: Batch, hide: str) -> dict[str, Tensor]:
    """What :class:`Answers` holds of a batch, but names and labels."""
    nobody = torch.full((len(inputs['keypoint']), len(REGIONS)), torch.nan)
    said = {
        'seen': seen_regions(inputs, model.skeleton),
        'routing': attribute_regions(model, inputs, 'routing'),
        'margin': attribute_regions(model, inputs, 'margin') if model.head.side_weight > 0 else nobody,
        'movement': movement(inputs, model.skeleton),
    }
    if hide == 'keypoints':
        return {**said, 'probabilities': subset_scores(model, inputs)}
    with channels_of_whole(model, inputs):
        return {**said, 'probabilities': subset_scores(model, inputs)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py faithful``."""
    parser.add_argument('config', nargs='?', help='config whose test clips are asked about')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint of a mixture')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='changes to the config')
    parser.add_argument(
        '--hide',
        choices=HIDE,
        default='keypoints',
        help="keypoints: as if not seen, though place and size stay; channels: what other regions' channels say of the "
        'hidden one stays too (default: %(default)s)',
    )
    parser.add_argument('--known', choices=KNOWN, help='where it is known from which region shows a class')
    parser.add_argument('--out', type=Path, metavar='FILE.npz', help='keep the answers')
    parser.add_argument('--collect', type=Path, nargs='+', metavar='FILE.npz', help='tables of answers that were kept')
    parser.add_argument('--planted', type=Path, metavar='FILE.pkl', help='write clips whose region is known, and end')
    parser.add_argument(
        '--distraction',
        type=float,
        default=1.0,
        help='with --planted: how far the other regions move (default 1: as far)',
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure or collect, and print the tables; exit code 0."""
    if arguments.planted:
        write_planted(arguments.planted, distraction=arguments.distraction)
        print(f'written to {arguments.planted}; judge with --known names')
        return 0
    if arguments.collect:
        answers = join([Answers.load(path) for path in arguments.collect])
    elif arguments.config and arguments.checkpoint:
        answers = measure(arguments)
        if arguments.out:
            answers.save(arguments.out)
    else:
        raise UserError('nothing to measure: give CONFIG and CHECKPOINT, --collect FILE.npz or --planted FILE.pkl')
    print_routing(answers)
    print_methods(answers)
    if arguments.known:
        print_known(answers, arguments.known)
    return 0


def _cell(values: np.ndarray, names: np.ndarray) -> str:
    """Per cent with the interval; a share of 1 is 100."""
    mean, low, high = (100 * value for value in interval(values, names))
    return f'{mean:.1f} ({low:.1f} to {high:.1f})'


def print_routing(answers: Answers) -> None:
    """What is right, and how probable label and answer are, without the regions that the router weighs."""
    order = ranked(attributions(answers)['routing'])
    whole = effect_of(answers, np.full(len(answers.names), WHOLE))
    rows = {
        'nothing': whole,
        'the top-routed': hidden(answers, order[:, 0]),
        'the second': hidden(answers, order[:, 1]),
        'a random one': at_random(answers, hidden),
        'the lowest': hidden(answers, lowest(order)),
    }
    clips = len(np.unique(answers.names))
    print(f'{len(answers.names)} answers for {clips} clips; per cent, mean and 95 % interval over clips\n')
    print('| region hidden | top-1 | probability of the label | of the answer |\n|---|---|---|---|')
    for name, effect in rows.items():
        cells = (_cell(getattr(effect, field.name), answers.names) for field in fields(Effect))
        print(f'| {name} | {" | ".join(cells)} |')
    more = rows['a random one'].right - rows['the top-routed'].right
    print(f'\nthe top-routed costs {_cell(more, answers.names)} points of top-1 more than a random one')


def print_methods(answers: Answers) -> None:
    """Each method judged by hiding the region it names first, the one it names last, and by showing the first alone."""
    judged: list[tuple[str, Callable[[Answers, np.ndarray], Effect], Callable[[np.ndarray], np.ndarray]]] = [
        ('without its first', hidden, lambda order: order[:, 0]),
        ('without its last', hidden, lowest),
        ('its first alone', alone, lambda order: order[:, 0]),
    ]
    print(
        '\n| attribution | ' + ' | '.join(f'top-1 {name} | probability of the answer' for name, _, _ in judged) + ' |'
    )
    print('|---' * (1 + 2 * len(judged)) + '|')
    rows = {
        name: [judge(answers, choose(ranked(one))) for _, judge, choose in judged]
        for name, one in attributions(answers).items()
    }
    rows['at random'] = [at_random(answers, judge) for _, judge, _ in judged]
    for name, effects in rows.items():
        cells = [_cell(values, answers.names) for effect in effects for values in (effect.right, effect.answered)]
        print(f'| {name} | {" | ".join(cells)} |')


def print_known(answers: Answers, known: str) -> None:
    """How often each method names the region that is known to show the class, where the answer is right."""
    truth = true_regions(answers, known)
    counted = (truth >= 0) & (answers.predicted == answers.labels)
    present = [r for r in range(len(REGIONS)) if (counted & (truth == r)).any()]
    columns = [f'{REGIONS[r]} (n = {int((counted & (truth == r)).sum())})' for r in present]
    print(f'\nnames the region that is known ({known}), of {int(counted.sum())} right answers, per cent\n')
    print(f'| attribution | all | mean of the regions | {" | ".join(columns)} |')
    print('|---' * (3 + len(present)) + '|')
    for name, one in attributions(answers).items():
        hit = np.where(counted, ranked(one)[:, 0] == truth, np.nan)
        by_region = [float(100 * hit[counted & (truth == r)].mean()) for r in present]
        cells = ' | '.join(f'{share:.1f}' for share in by_region)
        print(f'| {name} | {_cell(hit, answers.names)} | {np.mean(by_region):.1f} | {cells} |')
