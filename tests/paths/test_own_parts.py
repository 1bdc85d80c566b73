"""Parts that somebody adds from outside, by the public way, and names in a config or a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from own_layout import SOFA9

from bmoe_ground.errors import UserError
from face_aux.models import TextureJointModel
from face_aux.models.targets import Pattern
from face_aux.models.variant import Variant
from face_aux.registry import MODELS
from face_aux.textures import Descriptor, register_texture, table
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train
from mm_runtime.config import load_config
from pose_extract.estimators import backend_class
from pose_extract.tracks import load_tracks

REPO = Path(__file__).resolve().parents[2]

TEXTURE = '''
from face_aux.textures import Descriptor, register_texture


def brighter_right(images, step=1):
    """Which pixels are darker than the one to the right."""
    return (images.roll(-step, 2) > images).byte()


register_texture('RIGHT', Descriptor(brighter_right, labels=2))
'''
BACKEND = f'''
from pathlib import Path

import numpy as np
import yaml

from pose_extract.estimators import PoseEstimator
from pose_extract.poses import FramePoses
from pose_extract.skeletons import register_declaration

register_declaration(yaml.safe_load("""{SOFA9}"""), 'own_backend')


class Standing(PoseEstimator):
    """Sees one person who stands still, in a layout of its own."""

    skeleton = 'sofa9'
    packages = ('numpy',)

    @staticmethod
    def identify(settings):
        return {{'model': 'standing'}}

    def __init__(self, settings):
        pass

    def run(self, frames, boxes=None):
        for frame in frames:
            points = np.arange(18, dtype=np.float32).reshape(1, 9, 2) + frame.index
            yield frame, FramePoses(points, np.full((1, 9), 0.5, np.float32), np.float32([[0, 0, 20, 20]]))


class NoEstimator:
    pass
'''
PARTS = '''
import numpy as np
from mmengine.evaluator import BaseMetric
from skeleton_clips import moving_clip

from bmoe_skel.datasets import PoseDataset
from bmoe_skel.registry import DATASETS, METRICS


@DATASETS.register_module()
class MadeUpClips(PoseDataset):
    """Clips that are computed, not read."""

    def __init__(self, split, **kwargs):
        self.per_class = {'train': 4, 'test': 3}[split]
        super().__init__(**kwargs)

    @property
    def source(self):
        return 'made up'

    def load_clips(self):
        rng = np.random.default_rng(self.per_class)
        return [
            {'frame_dir': f'{label}_{i}', 'label': label, 'keypoint': moving_clip(label, rng)}
            for label in range(3)
            for i in range(self.per_class)
        ]


@METRICS.register_module()
class WrongOnes(BaseMetric):
    """How many clips were answered wrongly."""

    default_prefix = None

    def process(self, data_batch, data_samples):
        self.results.extend(int(s['pred_scores'].argmax()) != int(s['gt_label']) for s in data_samples)

    def compute_metrics(self, results):
        return {'wrong': sum(results), 'seen': len(results)}
'''

CONFIG = f"""
_base_ = ['{REPO}/configs/benchmarks/skeleton.py']
custom_imports = dict(imports=['bmoe_skel.registry', 'outside_parts'])
num_frames = 16
model = dict(dims=32, expert=dict(dims=(16, 16)), global_stream=dict(dims=(16, 16), depths=(1, 1)))
dataset = dict(_delete_=True, type='MadeUpClips', skeleton='coco17', classes=['head', 'arms', 'legs'])
train_dataloader = dict(batch_size=6, num_workers=0, persistent_workers=False, dataset=dict(epoch_clips=0))
test_dataloader = dict(num_workers=0, persistent_workers=False)
test_evaluator = dict(_delete_=True, type='WrongOnes')
train_cfg = dict(max_epochs=1)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=1, convert_to_iter_based=True)]
"""


@pytest.mark.slow
def test_a_data_set_and_a_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'outside_parts.py').write_text(PARTS)
    (tmp_path / 'config.py').write_text(CONFIG)
    monkeypatch.syspath_prepend(tmp_path)
    work = ['--work-dir', str(tmp_path / 'work')]
    run_train([str(tmp_path / 'config.py'), *work])
    run_test([str(tmp_path / 'config.py'), str(tmp_path / 'work' / 'epoch_1.pth'), *work])
    metrics = json.loads((tmp_path / 'work' / 'metrics.json').read_text())
    assert metrics['seen'] == 9
    assert 0 <= metrics['wrong'] <= 9


def test_a_backend_with_a_layout_of_its_own(tmp_path: Path, make_video, only_built_in: None) -> None:
    make_video('videos/a.mp4', frames=5)
    make_video('videos/b.mp4', frames=3)
    (tmp_path / 'own_backend.py').write_text(BACKEND)
    environment = {**os.environ, 'PYTHONPATH': f'{REPO}:{tmp_path}', 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, str(REPO / 'tools/extract_pose.py'), 'videos', '--jobs', '2', '--quiet', '--backend']

    def run(backend: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, backend], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = run('own_backend:Standing')
    assert done.returncode == 0, done.stderr
    tracks = load_tracks(tmp_path / 'poses' / 'a.mp4.npz')
    assert (tracks.skeleton, tracks.keypoints.shape) == ('sofa9', (1, 5, 9, 2))
    assert tracks.keypoints[0, 3, 0].tolist() == [3, 4]
    assert tracks.provenance['settings']['backend'] == 'own_backend:Standing'
    assert {'numpy', 'opencv-python'} >= set(tracks.provenance['versions']) >= {'numpy'}
    done = run('own_backend:Sitting')
    assert done.returncode == 2 and 'own_backend has no Sitting' in done.stderr


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('openpose', "unknown backend 'openpose'; choose from mediapipe, mmpose, or name a class of your own as"),
        ('module:', "unknown backend 'module:'"),
        ('none_such:Class', 'none_such cannot be imported.*PYTHONPATH'),
        ('pathlib:Path', 'pathlib has no pose_extract.estimators.PoseEstimator Path'),
    ],
)
def test_no_such_backend(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        backend_class(name)


@pytest.fixture
def own_texture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A face config that reconstructs a texture of one's own."""
    monkeypatch.setattr(table, 'DESCRIPTORS', dict(table.DESCRIPTORS))
    (tmp_path / 'my_texture.py').write_text(TEXTURE)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'faces.py').write_text(f"""
_base_ = ['{REPO}/configs/face_aux/utkface.py']
custom_imports = dict(imports=['face_aux.registry', 'my_texture'])
model = dict(
    variant='MRGB/RRIGHT/CRGB',
    encoder=dict(name='vit_tiny_patch16_224', img_size=24, patch_size=6, embed_dim=32, depth=1, num_heads=4),
)
""")
    yield load_config(tmp_path / 'faces.py')
    sys.modules.pop('my_texture', None)


def test_a_texture(own_texture: Config) -> None:
    init_default_scope('face_aux')
    TextureJointModel.complete_config(
        own_texture.model, {'tasks': {'age': {'classes': ['a', 'b'], 'multi_label': False}}}
    )
    model = MODELS.build(own_texture.model)
    assert list(model.auxiliary.targets) == ['RIGHT']
    images = torch.arange(24, dtype=torch.uint8).expand(2, 3, 1, 24, 24)
    codes = model.auxiliary.targets['RIGHT'].maps(images)
    assert (codes[..., :-1] == 1).all() and (codes[..., -1] == 0).all()
    with pytest.raises(UserError, match=r'of RGB, LBP, LDP, LDN, CSLBP, RIGHT'):
        Variant.parse('MRGB/RLEFT/CRGB')


def test_textures_that_cannot_be(own_texture: Config) -> None:
    line = table.get_descriptor('LBP')
    with pytest.raises(UserError, match="texture 'LBP': another descriptor has this name"):
        register_texture('LBP', table.get_descriptor('LDP'))
    for name in ('RGB', 'A+B', ''):
        with pytest.raises(UserError, match='expected letters and digits'):
            register_texture(name, line)
    register_texture('FLOATS', Descriptor(lambda images: images.float(), labels=2))
    with pytest.raises(UserError, match='pattern FLOATS: expected integer codes'):
        Pattern('FLOATS')
    with pytest.raises(UserError, match='pattern RIGHT: .*unexpected keyword'):
        Pattern('RIGHT', stride=2)
