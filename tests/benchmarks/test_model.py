from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import cross_validation
from benchmarks import model as benchmark
from benchmarks.run_report import collect, mean_routing, summary, summed_confusion, table
from benchmarks.stgcnpp import STGCNPlusPlus
from bmoe_ground.errors import UserError
from bmoe_skel.hooks.report import draw_routing
from bmoe_skel.models import BMoE
from mm_runtime.config import load_config, parse_cfg_options

REPO = Path(__file__).resolve().parents[2]


def test_yardstick_has_the_published_size() -> None:
    params, macs = benchmark.count(STGCNPlusPlus(), (torch.randn(1, 2, 100, 17, 3),))
    assert params == pytest.approx(1.39e6, rel=0.01)
    assert macs == pytest.approx(1.95e9, rel=0.01)


@pytest.mark.parametrize('classes', [10, 52])
def test_mixture_is_within_its_budget(classes: int) -> None:
    model = benchmark.Classify(benchmark.build(str(REPO / 'configs/bmoe_skel.py'), 'coco17', 2, classes))
    shape = (1, 1, 1, 64, 17)
    params, macs = benchmark.count(model, (torch.randn(*shape, 2), torch.ones(shape, dtype=torch.bool)))
    assert params <= 1.0e6
    assert macs <= 0.5e9


def test_figures_are_written(tmp_path, capsys) -> None:
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    arguments = ['--batch', '2', '--repeats', '1', '--frames', '8', '--json', str(tmp_path / 'figures.json')]
    assert benchmark.run(parser.parse_args([str(REPO / 'configs/bmoe_skel.py'), *arguments])) == 0
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert {'params', 'macs', 'train_clips_per_s', 'infer_clips_per_s'} <= figures.keys()
    assert figures['train_ratio'] == pytest.approx(
        figures['train_clips_per_s'] / figures['stgcnpp']['train_clips_per_s']
    )
    assert 'ST-GCN++' in capsys.readouterr().out


def test_config_without_a_model_is_named(tmp_path) -> None:
    (tmp_path / 'empty.py').write_text('x = 1\n')
    with pytest.raises(UserError, match=r'empty\.py: model type None'):
        benchmark.build(str(tmp_path / 'empty.py'), 'coco17', 2, 3)


def test_cross_validation_table_pairs_runs() -> None:
    runs = {
        'full': [{'seed': s, 'fold': 0, 'top1': v, 'f1_macro': v} for s, v in ((0, 0.9), (1, 0.8))],
        'top2': [{'seed': s, 'fold': 0, 'top1': v, 'f1_macro': v} for s, v in ((0, 0.8), (1, 0.7), (2, 0.1))],
    }
    rows = table(runs).splitlines()
    assert rows[2].startswith('| full | 2 runs | 85.0 ± 7.1 |')
    assert rows[3].startswith('| top2 | 3 runs | 53.3')
    assert rows[3].endswith('| -10.0 ± 0.0 |  |')


def test_cross_validation_averages_a_seeds_folds() -> None:
    tops = {(0, 0): 0.9, (0, 1): 0.5, (1, 0): 0.8, (1, 1): 0.8}
    runs = [{'seed': seed, 'fold': fold, 'top1': top} for (seed, fold), top in tops.items()]
    row = table({'full': runs}, ['top1']).splitlines()[2]
    assert row.startswith('| full | 2 seeds, each the mean of 2 folds | 75.0 ± 7.1 |')  # of 70 and 80
    assert table({'full': runs[:3]}, ['top1']).splitlines()[2].startswith('| full | 3 runs | 73.3 ± 20.8 |')


def test_confusions_of_all_runs_are_summed(tmp_path) -> None:
    for seed, classes in ((0, ['nod', 'wave']), (1, ['nod', 'wave'])):
        folder = tmp_path / 'full' / f'seed{seed}_fold0'
        folder.mkdir(parents=True)
        content = {'classes': classes, 'rows_are_the_truth': [[3, seed], [0, 2]]}
        (folder / 'confusion.json').write_text(json.dumps(content))
    confusion, classes, count = summed_confusion(tmp_path)
    assert (confusion.tolist(), classes, count) == ([[6, 1], [0, 4]], ['nod', 'wave'], 2)
    (folder / 'confusion.json').write_text(json.dumps({**content, 'classes': ['nod', 'clap']}))
    with pytest.raises(UserError, match='different classes'):
        summed_confusion(tmp_path)


def test_cross_validation_reads_what_runs_left(tmp_path) -> None:
    for seed, head in ((0, 0.2), (1, 0.6)):
        folder = tmp_path / 'full' / f'seed{seed}_fold2'
        folder.mkdir(parents=True)
        (folder / 'metrics.json').write_text(json.dumps({'top1': 0.5, 'f1_macro': 0.5}))
        (folder / 'run.json').write_text(json.dumps({'minutes': 2.0 + seed, 'machine': 'box'}))
        weights = {'nod': {'head': head, 'body': 1 - head, 'upper': 0, 'lower': 0}}
        if seed:
            weights['wave'] = {'head': 0, 'body': 0, 'upper': 1, 'lower': 0}
        (folder / 'routing.json').write_text(json.dumps(weights))
    runs = collect(tmp_path)
    assert [(run['seed'], run['fold'], run['machine']) for run in runs['full']] == [(0, 2, 'box'), (1, 2, 'box')]
    assert table(runs).splitlines()[2].endswith('| 2.5 |')
    rows = summary([tmp_path, tmp_path], ['f1_macro']).splitlines()
    assert rows[2] == rows[3] == f'| {tmp_path.name} | full | 2 runs | 50.0 ± 0.0 | 2.5 |'
    for folder, key, message in ((tmp_path / 'full', 'top1', 'no finished runs'), (tmp_path, 'auc', '--keys auc')):
        with pytest.raises(UserError, match=message):
            summary([folder], [key])
    (tmp_path / 'full' / 'seed1_fold2' / 'parts.json').write_text(
        json.dumps({'head': {'top1': 0.25, 'recall': {'nod': 0.25}}})
    )
    assert [run.get('top1_head') for run in collect(tmp_path)['full']] == [None, 0.25]
    routing, classes, count = mean_routing(tmp_path)
    assert (classes, count) == (['nod', 'wave'], 2)
    np.testing.assert_allclose(routing, [[0.4, 0.6, 0, 0], [0, 0, 1, 0]])
    draw_routing(tmp_path / 'routing.png', routing, classes, 'weights')
    assert (tmp_path / 'routing.png').stat().st_size > 5000


@pytest.mark.parametrize('variant', sorted(cross_validation.VARIANTS))
def test_every_variant_is_a_model(variant: str) -> None:
    options = parse_cfg_options(cross_validation.VARIANTS[variant])
    cfg = load_config(str(REPO / 'configs/benchmarks/skeleton_small.py'), options)
    facts = {'classes': ['nod', 'wave', 'fall'], 'skeleton': 'coco17', 'coordinates': 2}
    BMoE.complete_config(cfg.model, facts)
    router = BMoE(**{key: value for key, value in cfg.model.items() if key != 'type'}).router
    assert router.region_weight == (0.2 if variant == 'told' else 0)
    assert (router.top_k == 1) == variant.endswith('top1')


def test_protocols_that_do_not_fit_are_named(tmp_path) -> None:
    parser = argparse.ArgumentParser()
    cross_validation.add_arguments(parser)
    out = ['--out', str(tmp_path)]
    for given, message in (
        ([], 'needs a pickle of clips'),
        (['--protocol', 'own', '--folds', '1'], 'one fold'),
        (['a.pkl', '--paired', '--seeds', '0', '1'], 'as many seeds as folds'),
    ):
        with pytest.raises(UserError, match=message):
            cross_validation.run(parser.parse_args([*given, *out]))


def test_the_configs_own_parts_are_compared(tmp_path) -> None:
    rng = np.random.default_rng(0)
    names = [f'c{i}' for i in range(8)]
    clips = [{'frame_dir': n, 'label': i % 2, 'keypoint': rng.normal(0, 1, (1, 9, 17, 2))} for i, n in enumerate(names)]
    content = {'split': {'train': names[:4], 'test': names[4:]}, 'annotations': clips}
    (tmp_path / 'clips.pkl').write_bytes(pickle.dumps(content))
    parser = argparse.ArgumentParser()
    cross_validation.add_arguments(parser)
    arguments = [
        *(str(tmp_path / 'clips.pkl'), '--protocol', 'own', '--out', str(tmp_path / 'runs'), '--seeds', '0'),
        *('--config', str(REPO / 'configs/benchmarks/skeleton_small.py'), '--keys', 'f1_micro', '--cfg-options'),
        *('dataset.skeleton=coco17', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.epoch_clips=0'),
        *('model.expert.dims=(16,16)', 'model.global_stream.dims=(16,16)', 'model.dims=32'),
    ]
    assert cross_validation.run(parser.parse_args(arguments)) == 0
    (run,) = collect(tmp_path / 'runs')['full']
    assert run['f1_micro'] in (0, 0.25, 0.5, 0.75, 1) and run['minutes'] > 0
    with pytest.raises(UserError, match='--keys recall: there is no such metric'):
        cross_validation.run(parser.parse_args([*arguments[:10], 'recall', *arguments[11:]]))
