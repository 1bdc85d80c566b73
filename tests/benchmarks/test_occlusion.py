"""Curves and ensembles on a handful of planted clips and untrained models."""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import SMALL, config_text, random_inputs

from benchmarks import ensemble, occlusion
from benchmarks.known_regions import RHYTHMS, write_planted
from benchmarks.occlusion import Curves, damaged
from benchmarks.tested import batches, load_tests, model_for, scores_of
from bmoe_ground.errors import UserError
from bmoe_skel.metrics import ActionMetric
from bmoe_skel.models.attribution import hide_regions
from bmoe_skel.registry import MODELS
from pose_extract.skeletons import get_skeleton

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str], list[str]]:
    """A config, checkpoints of two untrained mixtures and the options that lead to 8 planted clips."""
    folder = tmp_path_factory.mktemp('asked')
    write_planted(folder / 'clips.pkl', train=4, test=8)
    model = {'type': 'BMoE', 'num_classes': 4, 'skeleton': 'coco17', 'coordinates': 2, **SMALL}
    facts = {'classes': list(RHYTHMS), 'skeleton': 'coco17', 'coordinates': 2}
    meta = {'cfg': config_text(model, [{'type': 'NormalizePose'}]), 'dataset_meta': facts}
    paths = []
    for seed in range(2):
        torch.manual_seed(seed)
        paths.append(str(folder / f'{seed}.pth'))
        torch.save({'state_dict': MODELS.build(model).state_dict(), 'meta': meta}, paths[-1])
    options = [f'dataset.ann_file={folder / "clips.pkl"}', 'num_frames=8', 'test_dataloader.batch_size=4']
    options += ['test_pipeline.SampleFrames.num_clips=1', 'test_pipeline.AddMirrored=null']
    return str(REPO / 'configs/benchmarks/skeleton_small.py'), paths, options


def parsed(module, *given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(given)


def test_curves_are_means_over_every_set_of_regions(asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, paths, options = asked
    given = [f'router={paths[0]}', f'router={paths[1]}', paths[1], '--out', str(tmp_path / 'curves')]
    assert occlusion.run(parsed(occlusion, config, *given, '--cfg-options', *options)) == 0
    said = json.loads((tmp_path / 'curves/occlusion.json').read_text())
    assert (tmp_path / 'curves/occlusion.png').stat().st_size > 5000
    loader = load_tests(config, options)
    for how in ('hidden', 'swapped'):
        each = []
        for path in paths:
            model = model_for(loader, path)
            right: dict[int, list[float]] = {1: [], 3: []}
            for inputs, _, labels in batches(loader, model):
                for count, found in right.items():
                    for regions in combinations(('head', 'body', 'upper', 'lower'), count):
                        scores = scores_of(model, damaged(inputs, 'coco17', regions, how, torch.Generator()))
                        found += (scores.argmax(1) == labels).tolist()
            each.append([np.mean(right[1]), np.mean(right[3])])
        entry = said['router'][how]
        np.testing.assert_allclose([entry['mean'][1], entry['mean'][3]], np.mean(each, 0))
        np.testing.assert_allclose(entry['standard_deviation'][1], np.std(each, 0, ddof=1)[0])
    out = capsys.readouterr().out
    assert '| swapped | router | 2 |' in out and 'the top-routed region' in out


def test_damage_touches_the_regions_it_names() -> None:
    inputs = random_inputs(batch=3, cuts=2)
    inputs['visible'][0, ..., 6] = False
    inputs['keypoint'][0, ..., 6, :] = 0
    joints = [j for region in ('head', 'upper') for j in get_skeleton('coco17').regions[region]]
    others = [j for j in range(17) if j not in joints]
    rng = torch.Generator().manual_seed(0)
    for how in occlusion.DAMAGES:
        out = damaged(inputs, 'coco17', ('head', 'upper'), how, rng)
        assert torch.equal(out['keypoint'][..., others, :], inputs['keypoint'][..., others, :])
        assert torch.equal(out['visible'][..., others], inputs['visible'][..., others])
    assert torch.equal(out['keypoint'][0][..., joints, :], inputs['keypoint'][1][..., joints, :])
    assert torch.equal(out['keypoint'][2][..., joints, :], inputs['keypoint'][0][..., joints, :])
    hidden = damaged(inputs, 'coco17', ('upper',), 'hidden', rng)
    assert torch.equal(hidden['visible'], hide_regions(inputs, 'coco17', ['upper'])['visible'])
    inputs['keypoint'] = 5 + 0.1 * inputs['keypoint']
    noise = damaged(inputs, 'coco17', ('lower',), 'noise', rng)
    assert torch.equal(noise['visible'], inputs['visible'])
    legs = list(get_skeleton('coco17').regions['lower'])
    assert float(noise['keypoint'][..., legs, :].mean()) == pytest.approx(5, abs=0.03)
    assert float(noise['keypoint'][..., legs, :].std()) == pytest.approx(0.1, rel=0.1)
    with pytest.raises(UserError, match='no other to take a region from'):
        damaged(random_inputs(batch=1), 'coco17', ('head',), 'swapped', rng)


def test_accuracy_falls_into_numbers_of_damaged_regions() -> None:
    right = np.tile([float(bin(whole).count('1') >= 3) for whole in range(16)], (5, 1))
    right[:, 0] = np.nan
    assert Curves({'hidden': right}, None).accuracy('hidden') == [1, 1, 0, 0]


def test_an_ensemble_averages_and_adds_up(asked, tmp_path: Path) -> None:
    config, paths, options = asked
    figures = tmp_path / 'figures.json'
    assert ensemble.run(parsed(ensemble, config, *paths, '--json', str(figures), '--cfg-options', *options)) == 0
    rows = json.loads(figures.read_text())
    loader = load_tests(config, options)
    scores, labels = zip(*(ensemble.ask(model_for(loader, path), loader)[:2] for path in paths), strict=True)
    mean = (scores[0] + scores[1]) / 2
    assert rows['2 averaged']['top1'] == np.mean(mean.argmax(1) == labels[0])
    lost = -np.log(mean[np.arange(len(mean)), labels[0]]).mean()
    assert rows['2 averaged']['log_loss'] == pytest.approx(lost, rel=1e-5)
    for key in ('parameters', 'macs', 'seconds'):
        assert rows['2 averaged'][key] == pytest.approx(sum(rows[path][key] for path in paths)) and rows[paths[0]][key]


def test_scores_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(0)
    scores, labels = rng.dirichlet(np.ones(5), 40), rng.integers(0, 4, 40)
    found = ActionMetric.calculate(scores, labels)
    assert found['top1'] == metrics.accuracy_score(labels, scores.argmax(1))
    assert found['f1_macro'] == pytest.approx(metrics.f1_score(labels, scores.argmax(1), average='macro'))
    assert found['log_loss'] == pytest.approx(metrics.log_loss(labels, scores, labels=range(5)))
