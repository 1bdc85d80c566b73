"""What the model that comes along is worth as a start, where there are few labelled clips: a learning curve.

python tools/benchmark.py few-shot clips.pkl --out work_dirs/few                      # 2, 4, 8, 16 clips a class
python tools/benchmark.py few-shot clips.pkl --out work_dirs/few --clips 4 --starts box scratch --by subject
python tools/benchmark.py few-shot clips.pkl --out work_dirs/few --starts features    # seconds: nothing is trained

From every class some clips train; the same 40 % of the clips (with ``--by subject`` of the subjects) of a seed test,
and never train. The network, its layout and the number of clips that are shown are the same from scratch and from the
box; from scratch the rate is that of the recipe. ``features`` trains no network: a logistic regression on what all
parts of the box's model say of the clips, which tells how much of the classes it knows already. Each run has a folder
of its own and is not run again, so that a stopped job goes on.
"""

from __future__ import annotations

import argparse
import pickle
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.run_report import read_metrics
from benchmarks.tested import load_tests
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.skeleton_pickle import SkeletonClips, read_skeleton_pickle
from bmoe_skel.checkpoint import load_model
from bmoe_skel.everyday import EVERYDAY
from bmoe_skel.models.bmoe import BMoE
from mm_runtime.cli import test_main, train_main, write_metrics

CONFIG = 'configs/benchmarks/skeleton.py'
TEST_SHARE = 0.4
STARTS: dict[str, list[str]] = {
    'scratch': ['preset=from_box', 'start_from=null', 'optim_wrapper.optimizer.lr=2e-3'],
    'box': ['preset=from_box'],
    'frozen': ['preset=from_box', "start_from.frozen=['experts','global_stream','router','features']"],
}
"""Name to what it changes in the config: no start, all weights trained, experts and streams as they come."""
FEATURES = 'features'


def deal(clips: SkeletonClips, count: int, seed: int, by: str | None) -> tuple[list[int], list[int]]:
    """Which annotations train and which test.

    Args:
        clips: With labels.
        count: Clips of each class that train; fewer where there are not so many.
        seed: Draws both; the test clips are the same for every ``count``.
        by: Key of the annotations whose values are on one side only, such as ``subject``; None for none.

    Returns:
        Indices to train on and to test.

    Raises:
        UserError: An annotation lacks the key, or no clip is left on a side.
    """
    rng = np.random.default_rng(seed)
    groups = [annotation.get(by) if by else number for number, annotation in enumerate(clips.annotations)]
    if any(group is None for group in groups):
        raise UserError(f'--by {by}: not every clip says its {by}')
    names = sorted(set(groups), key=str)
    chosen = rng.permutation(len(names))[: max(round(TEST_SHARE * len(names)), 1)]
    testing = {names[place] for place in chosen}
    test = [number for number, group in enumerate(groups) if group in testing]
    of_class: dict[Any, list[int]] = defaultdict(list)
    for number in rng.permutation(len(groups)).tolist():
        if groups[number] not in testing:
            of_class[clips.annotations[number]['label']].append(number)
    train = sorted(number for members in of_class.values() for number in members[:count])
    if not train or not test:
        raise UserError(f'--by {by}: no clip is left to {"test" if train else "train"} on')
    return train, test


def write_part(clips: SkeletonClips, train: Sequence[int], test: Sequence[int], path: Path) -> None:
    """Write a pickle with the splits train and test."""
    names = [clip['frame_dir'] for clip in clips.annotations]
    kept = [*train, *test]
    content = {
        'split': {'train': [names[k] for k in train], 'test': [names[k] for k in test]},
        'annotations': [clips.annotations[k] for k in kept],
        'metainfo': {'layout': clips.layout, **({'classes': clips.classes} if clips.classes else {})},
    }
    with atomic_write(path) as file:
        pickle.dump(content, file, protocol=4)


def run_one(args: argparse.Namespace, clips: SkeletonClips, count: int, seed: int, start: str) -> float:
    """Train and test once, unless it was done before.

    Returns:
        Top-1 accuracy, 0..1.
    """
    folder = args.out / f'{args.pickle.stem}_{count}_{seed}_{start}'
    if not (folder / 'metrics.json').is_file():
        part = args.out / 'parts' / f'{args.pickle.stem}_{count}_{seed}.pkl'
        write_part(clips, *deal(clips, count, seed, args.by), part)
        if start == FEATURES:
            top1 = by_features(part, args.cfg_options)
            folder.mkdir(parents=True, exist_ok=True)
            write_metrics({'top1': top1}, folder / 'metrics.json')
            return top1
        options = [*STARTS[start], f'dataset.ann_file={part}', *args.cfg_options]
        options += [f'train_dataloader.dataset.epoch_clips={args.shown // args.epochs}', 'warmup_epochs=1']
        for side in ('train', 'test'):
            options += [f'{side}_dataloader.num_workers=0', f'{side}_dataloader.persistent_workers=false']
        common = ['--work-dir', str(folder), '--seed', str(seed), '--cfg-options', *options]
        train_main([CONFIG, '--resume', 'auto', '--epochs', str(args.epochs), *common])
        test_main([CONFIG, (folder / 'last_checkpoint').read_text().strip(), *common])
    return float(read_metrics(folder)['top1'])


def by_features(part: Path, options: Sequence[str]) -> float:
    """Classify by the box's features alone.

    Args:
        part: Pickle with the splits train and test.
        options: Changes to the config.

    Returns:
        Top-1 accuracy on the test clips of a logistic regression (C 1) on the standardised features, the mean over the
        cuts of each clip, of the mixture, the regions and the global stream.
    """
    model = load_model(EVERYDAY)
    assert isinstance(model, BMoE)
    changed = [*STARTS['box'], f'dataset.ann_file={part}']
    changed += ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=false', *options]
    found = {
        split: features_of(model, load_tests(CONFIG, [*changed, f'test_dataloader.dataset.split={split}']))
        for split in ('train', 'test')
    }
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(*found['train'])
    return float(classifier.score(*found['test']))


@torch.no_grad()
def features_of(model: BMoE, loader: Iterable[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """What all parts of a model with a global stream say of clips, (N, 6 x D) float32, and their labels (N,) int64."""
    features, labels = [], []
    for batch in loader:
        batch = model.data_preprocessor(batch, False)
        encoded = model.encode(batch['inputs'])
        assert encoded.whole is not None
        parts = torch.cat([encoded.clip, encoded.regions.flatten(1), encoded.whole], 1)
        features.append(parts.view(encoded.bodies[0], encoded.bodies[1], -1).mean(1).numpy())
        labels += [int(sample.gt_label) for sample in batch['data_samples']]
    return np.concatenate(features), np.array(labels)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``tools/benchmark.py few-shot``."""
    add = parser.add_argument
    add('pickle', type=Path, help='clips with labels, in the layout of pyskl and mmaction2')
    add('--out', type=Path, required=True, help='folder of the runs')
    add('--clips', type=int, nargs='+', default=[2, 4, 8, 16], help='of each class (default: 2 4 8 16)')
    add('--seeds', type=int, nargs='+', default=[0, 1, 2], help='(default: 0 1 2)')
    add('--starts', nargs='+', choices=[*STARTS, FEATURES], default=['scratch', 'box'], help='(default: scratch box)')
    add('--by', help='key of the annotations that keeps clips together, such as subject')
    add('--epochs', type=int, default=10, help='(default: %(default)s)')
    add('--shown', type=int, default=6000, help='clips that are shown in a training (default: %(default)s)')
    add('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='further changes to the config')


def run(args: argparse.Namespace) -> int:
    """Run what is missing, print a table; exit code 0."""
    clips = read_skeleton_pickle(args.pickle)
    rows = []
    for count in args.clips:
        cells = []
        for start in args.starts:
            scores = [100 * run_one(args, clips, count, seed, start) for seed in args.seeds]
            spread = f' ± {np.std(scores, ddof=1):.1f}' if len(scores) > 1 else ''
            cells.append(f'{np.mean(scores):.1f}{spread} ({", ".join(f"{one:.1f}" for one in scores)})')
        rows.append(f'| {count} | {" | ".join(cells)} |')
        print(rows[-1], flush=True)
    print(f'\n{args.pickle.name}\n\n| clips a class | {" | ".join(args.starts)} |\n|---|{"---|" * len(args.starts)}')
    print('\n'.join(rows))
    return 0
