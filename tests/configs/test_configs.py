"""What holds for every config: it is built of known parts, and no change of it is ignored."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from bmoe_ground.errors import UserError
from bmoe_skel.registry import HOOKS, METRICS, MODELS, TRANSFORMS
from mm_runtime import cli  # noqa: F401  (registers the hooks that all trainers share)
from mm_runtime.catalog import list_configs
from mm_runtime.config import load_config, share_dataset
from mm_runtime.config_options import OWN_KEYS, RUNNER_KEYS, effective
from mm_runtime.config_steps import step_names

FOLDER = Path(__file__).resolve().parents[2] / 'configs'


def presets_of(path: Path) -> list[str]:
    return list(Config.fromfile(str(path)).get('presets', {}))


EVERY = [(entry.name, preset) for entry in list_configs() for preset in (None, *presets_of(entry.path))]
# the stages are the same in every mixture: what is asked of every value is asked of them once
ONCE = [case for case in EVERY if case[0] == 'bmoe_skel' or case[1] not in ('stage1', 'stage2')]
# a fit in closed form goes through the images once, without rates that rise and fall
IN_CLOSED_FORM = ('face_aux/real_or_fake_hog', 'face_aux/utkface_hog')
TRAINED = [case for case in EVERY if case[0] not in IN_CLOSED_FORM]
MIXTURES = [case for case in EVERY if not case[0].startswith('face_aux') and case[0] != 'own_faces']


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """mmengine reads a config through temporary files, which thousands of loads need not repeat."""
    monkeypatch.setattr(Config, 'fromfile', staticmethod(_from_file))


_from_file = functools.cache(Config.fromfile)


def load(name: str, preset: str | None = None, **options: Any) -> Config:
    return load_config(name, {**({'preset': preset} if preset else {}), **options})


def test_there_are_few() -> None:
    assert len(list(FOLDER.rglob('*.py'))) <= 22
    assert {preset for _, preset in EVERY} >= {'stage1', 'stage2', 'features', 'single', 'localization', 'ferplus'}


def leaves(node: Any, above: str) -> list[tuple[str, Any]]:
    if isinstance(node, dict) and node:
        return [leaf for key, value in node.items() for leaf in leaves(value, f'{above}.{key}')]
    if isinstance(node, list) and step_names(node):
        named = zip(step_names(node), node, strict=True)
        return [leaf for name, value in named for leaf in leaves(value, f'{above}.{name}')]
    return [(above, node)]


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return 'another' if isinstance(value, str) or value is None else ['another']


@pytest.mark.parametrize(('name', 'preset'), ONCE)
def test_no_change_of_a_helper_is_ignored(name: str, preset: str | None) -> None:
    """A name that the runner does not read must change what it reads, or be refused with the key to set instead."""
    before = load(name, preset)
    helpers = [key for key in before if key not in RUNNER_KEYS + OWN_KEYS + ('preset',)]
    tried, refused = [], {}
    for key, value in (leaf for helper in helpers for leaf in leaves(before[helper], helper)):
        tried.append(key)
        try:
            after = load(name, preset, **{key: another(value)})
        except UserError as error:
            refused[key] = str(error)
        else:
            assert effective(after.to_dict()) != effective(before.to_dict()), key
    assert {'max_epochs', 'warmup_epochs'} <= set(tried)
    for key, message in refused.items():
        # imports are done before options are read; the others have no use in some configs
        unused = ('warmup_epochs', 'train_pipeline') if name in IN_CLOSED_FORM else ('rgb_frames', 'stage1_dir')
        assert key.split('.')[0] in ('custom_imports', 'fractions', *unused), (key, message)
        assert 'it would have no effect' in message
    assert ('stage1_dir' in refused) == ('stage1_dir' in helpers and preset != 'stage2')
    assert not (name == 'bmoe_skel' and preset != 'from_box' and 'rgb_frames' in refused)
    assert not (name == 'face_aux/emotion' and 'fractions.train' in refused)


@pytest.mark.parametrize(('name', 'preset'), EVERY)
def test_an_index_is_answered_with_a_name(name: str, preset: str | None) -> None:
    places = ['train_pipeline', 'test_pipeline', 'custom_hooks']
    for place in places if name in IN_CLOSED_FORM else [*places, 'param_scheduler']:
        with pytest.raises(UserError, match=rf'{place} is changed by name, not by index: {place}\.\w+\.x$'):
            load(name, preset, **{f'{place}.0.x': 3})


@pytest.mark.parametrize(('name', 'preset'), TRAINED)
def test_lengths_and_schedules_follow_their_names(name: str, preset: str | None) -> None:
    cfg = load(name, preset, max_epochs=77, warmup_epochs=7)
    assert cfg.train_cfg.max_epochs == 77
    assert [(schedule.begin, schedule.end) for schedule in cfg.param_scheduler] == [(0, 7), (7, 77)]
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    assert cfg.test_dataloader.dataset.pipeline == cfg.test_pipeline


@pytest.mark.parametrize('name', IN_CLOSED_FORM)
def test_a_fit_in_closed_form_is_one_pass(name: str) -> None:
    cfg = load(name)
    assert (cfg.train_cfg.max_epochs, list(cfg.param_scheduler)) == (1, [])


@pytest.mark.parametrize(('name', 'preset'), MIXTURES)
def test_every_part_of_a_mixture_is_known(name: str, preset: str | None) -> None:
    cfg = load(name, preset)
    share_dataset(cfg)
    init_default_scope(cfg.default_scope)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(loader):
            Compose([TRANSFORMS.build(step) for step in cfg[loader].dataset.pipeline])
            assert {'type', 'pipeline'} < set(cfg[loader].dataset)
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        if evaluator:
            METRICS.build(evaluator)
    for hook in cfg.custom_hooks:
        HOOKS.build(hook)
    facts = {'classes': ['a', 'b'], 'skeleton': 'coco17', 'coordinates': 2, 'clips_digest': 'any'}
    MODELS.get(cfg.model.type).complete_config(cfg.model, facts)
    region = cfg.model.get('region')
    assert (preset == 'stage1') == (region == 'upper')


@pytest.mark.parametrize('name', ['bmoe_skel', 'bmoe_skel_small', 'bmoe_skel_ma52', 'benchmarks/skeleton'])
def test_stage_one_is_an_expert_of_the_mixture(name: str) -> None:
    whole, part = load(name).model, load(name, 'stage1').model
    assert all(part[key] == whole[key] for key in ('dims', 'expert', 'drop_path', 'head'))
    assert 'global_stream' not in part and 'router' not in part


def test_stage_two_starts_where_stage_one_ended() -> None:
    found = load('bmoe_skel_ma52', 'stage2').pretty_text
    for region in ('head', 'body', 'upper', 'lower'):
        assert f'work_dirs/ma52_stage1/{region}/epoch_50.pth' in found
    assert 'mine/head/epoch_9.pth' in load('bmoe_skel', 'stage2', stage1_dir='mine', max_epochs=9).pretty_text


def step(steps: list, kind: str) -> dict[str, Any]:
    (found,) = [dict(step) for step in steps if step['type'] == kind]
    del found['type']
    return found


def test_the_demo_trains_what_its_figures_were_measured_with() -> None:
    cfg = load('bmoe_skel_small')
    assert cfg.train_cfg == {'type': 'EpochBasedTrainLoop', 'max_epochs': 40, 'val_interval': 10}
    warmup, decay = cfg.param_scheduler
    assert warmup == {'type': 'LinearLR', 'start_factor': 0.01, 'by_epoch': True, 'begin': 0, 'end': 5,
                      'convert_to_iter_based': True}  # fmt: skip
    assert decay == {'type': 'CosineAnnealingLR', 'by_epoch': True, 'begin': 5, 'end': 40, 'eta_min_ratio': 0.01,
                     'convert_to_iter_based': True}  # fmt: skip
    assert (cfg.model.dims, cfg.model.expert.dims, cfg.model.expert.depths) == (48, (16, 24), (1, 1))
    assert (cfg.model.global_stream.dims, cfg.model.global_stream.depths) == ((16, 24), (1, 1))
    assert (cfg.model.drop_path, cfg.model.head.side_weight, cfg.model.head.drop) == (0.1, 0.2, 0.2)
    train, test = cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline
    kinds = ['NormalizePose', 'SampleFrames', 'RandomAffine', 'RandomJitter', 'PackPose']
    assert [step['type'] for step in train] == kinds
    assert [step['type'] for step in test] == [kinds[0], kinds[1], kinds[4]]
    assert step(train, 'NormalizePose') == step(test, 'NormalizePose') == {'min_score': 0.5}
    assert step(train, 'SampleFrames') == {'num_frames': 32, 'crop': (0.7, 1.0)}
    assert step(test, 'SampleFrames') == {'num_frames': 32, 'random': False}
    assert step(train, 'RandomAffine') == {'rotation': 0.1, 'scale': 0.15, 'stretch': 0.1, 'shear': 0.05}
    assert step(train, 'RandomJitter') == {'joint': 0.1, 'frame': 0.005}
    assert (cfg.train_dataloader.batch_size, cfg.train_dataloader.num_workers) == (16, 0)
    assert dict(cfg.optim_wrapper.optimizer) == {
        'type': 'AdamW',
        'lr': 2e-3,
        'weight_decay': 0.05,
        'betas': (0.9, 0.99),
    }


def test_schedules_of_the_benchmarks() -> None:
    found = {}
    for name in ('bmoe_skel', 'bmoe_skel_ma52', 'bmoe_skel_mpii', 'bmoe_skel_socialgesture', 'benchmarks/skeleton',
                 'benchmarks/skeleton_small'):  # fmt: skip
        cfg = load(name)
        assert cfg.param_scheduler[1].end == cfg.train_cfg.max_epochs
        found[name] = (cfg.train_cfg.max_epochs, cfg.param_scheduler[0].end, cfg.train_cfg.val_interval)
    assert found == {
        'bmoe_skel': (60, 5, 5),
        'bmoe_skel_ma52': (50, 3, 2),
        'bmoe_skel_mpii': (20, 1, 1),
        'bmoe_skel_socialgesture': (30, 2, 1),
        'benchmarks/skeleton': (40, 3, 5),
        'benchmarks/skeleton_small': (16, 2, 5),
    }


def test_steps_of_the_recipe_for_pickles() -> None:
    cfg = load('benchmarks/skeleton')
    assert [step['type'] for step in cfg.train_dataloader.dataset.pipeline] == [
        *('NormalizePose', 'SampleFrames', 'RandomAffine', 'RandomJitter', 'DropJoints', 'RandomFlip', 'PackPose')
    ]
    assert [step['type'] for step in cfg.test_dataloader.dataset.pipeline] == [
        *('NormalizePose', 'SampleFrames', 'AddMirrored', 'PackPose')
    ]
