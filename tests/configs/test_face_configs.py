from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from face_aux.models import DescriptorModel, TextureJointModel
from face_aux.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from mm_runtime import cli  # noqa: F401  (registers the hooks that all trainers share)
from mm_runtime.config import load_config, share_dataset

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'face_aux'
CONFIGS = sorted(FOLDER.glob('*.py'))


def test_there_are_at_most_a_dozen() -> None:
    assert 0 < len(CONFIGS) <= 12


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_part_is_known_and_takes_its_options(path: Path) -> None:
    cfg = load_config(path)
    share_dataset(cfg)
    init_default_scope(cfg.default_scope)
    has_encoder = cfg.model.type == 'TextureJointModel'
    if has_encoder:
        cfg.model.encoder.update(embed_dim=32, depth=1, num_heads=4)  # the same model, small
    tasks = {'emotion': {'classes': ['a', 'b'], 'multi_label': False}}
    TextureJointModel.complete_config(cfg.model, {'tasks': tasks})
    model = MODELS.build(cfg.model)
    assert isinstance(model, TextureJointModel if has_encoder else DescriptorModel)
    assert not has_encoder or model.auxiliary is not None
    for loader, part in (('train_dataloader', 'train'), ('val_dataloader', None), ('test_dataloader', None)):
        dataset = cfg[loader].dataset
        DATASETS.build({**dataset, 'lazy_init': True})
        Compose([TRANSFORMS.build(transform) for transform in dataset.pipeline])
        kinds = [transform.type for transform in dataset.pipeline]
        assert ('KeepTextureSource' in kinds) == (part == 'train' and has_encoder)
        assert dataset.get('test_mode', False) == (part is None)
    for evaluator in [*cfg.val_evaluator, *cfg.test_evaluator]:
        METRICS.build(evaluator)
    for hook in cfg.custom_hooks:
        HOOKS.build(hook)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_training_never_sees_the_test_part(path: Path) -> None:
    cfg = load_config(path)
    share_dataset(cfg)
    parts = {
        (cfg[f'{p}_dataloader'].dataset.get('split'), cfg[f'{p}_dataloader'].dataset.get('part'))
        for p in ('train', 'val', 'test')
    }
    assert len(parts) == 3
