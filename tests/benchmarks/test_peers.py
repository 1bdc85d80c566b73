"""The peers: transcribed as published, fit for any layout, and trained by the doors that train the mixture."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import moving_clip, normalized_clip, random_inputs

from benchmarks import cross_validation
from benchmarks.ctrgcn import CTRGCN, RefinedConv
from benchmarks.model import build, count
from benchmarks.peers import CubeView, PeerRecognizer
from benchmarks.run_report import collect
from benchmarks.stgcnpp import spatial_graphs
from bmoe_skel.registry import MODELS, TRANSFORMS
from mm_runtime.config import drop_empty_schedules, load_config
from pose_extract.skeletons import get_skeleton

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / 'benchmarks/configs/peers.py')


def test_ctr_gcn_has_the_published_size() -> None:
    params, macs = count(CTRGCN(num_classes=120), (torch.randn(1, 2, 64, 25, 3),))
    assert params == pytest.approx(1.46e6, rel=0.005)
    assert macs == pytest.approx(1.97e9, rel=0.01)


def test_a_refined_graph_equals_the_equations_written_out() -> None:
    torch.manual_seed(0)
    conv, graph, alpha = RefinedConv(40, 6), torch.rand(4, 4), torch.tensor([0.7])
    x = torch.randn(1, 40, 3, 4)
    with torch.no_grad():
        found = conv(x, graph, alpha)
        here, there, value = (part(x)[0] for part in (conv.here, conv.there, conv.value))
        matrix, offset = conv.refine.weight[:, :, 0, 0], conv.refine.bias
        for u in range(4):
            wanted = torch.zeros(6, 3)
            for v in range(4):
                difference = torch.tanh(here[:, :, u].mean(1) - there[:, :, v].mean(1))
                refined = graph[u, v] + alpha * (matrix @ difference + offset)
                wanted += refined[:, None] * value[:, :, v]
            torch.testing.assert_close(found[0, :, :, u], wanted)
    assert here.shape[0] == 5 and RefinedConv(3, 6).here.out_channels == 8


def test_every_joint_gives_to_its_children_and_its_parent() -> None:
    own, down, up = spatial_graphs('kinect20')
    layout = get_skeleton('kinect20')
    assert torch.equal(own, torch.eye(20))
    assert torch.equal(up.nonzero(), torch.tensor(sorted(layout.edges)))
    torch.testing.assert_close(down.sum(0), torch.tensor([float(k in dict(layout.edges)) for k in range(20)]))


@pytest.mark.parametrize('backbone', ['stgcnpp', 'ctrgcn'])
def test_what_is_not_seen_does_not_enter(backbone: str) -> None:
    torch.manual_seed(0)
    model = PeerRecognizer(backbone, num_classes=3, skeleton='kinect20', coordinates=3).eval()
    inputs = random_inputs(batch=2, cuts=2, persons=2, frames=8, skeleton='kinect20', coordinates=3)
    inputs['visible'][:, :, 1] = False  # the second person
    inputs['visible'][..., 5] = False
    other = {**inputs, 'keypoint': torch.where(inputs['visible'].unsqueeze(-1), inputs['keypoint'], 9.0)}
    one = {key: value if key == 'pace' else value[:, :, :1] for key, value in inputs.items()}
    with torch.no_grad():
        logits = model(inputs)
        assert logits.shape == (4, 3)
        torch.testing.assert_close(model(other), logits)
        torch.testing.assert_close(model(one), logits)
    with pytest.raises(ValueError, match="unknown backbone 'gcn'"):
        PeerRecognizer('gcn', num_classes=3, skeleton='coco17')


def test_a_clip_becomes_a_cube_whose_turns_keep_its_distances() -> None:
    clip = normalized_clip(skeleton='kinect20', dims=3, frames=9)
    clip['visible'][0, :, 3] = False
    source, visible = clip['keypoint'].copy(), clip['visible'].copy()
    out = CubeView()({**clip})['keypoint']
    shown = source[visible]
    wanted = 2 * (shown - shown.min(0)) / (shown.max(0) - shown.min(0)) - 1
    np.testing.assert_allclose(out[visible], wanted, atol=1e-5)
    assert (out[~visible] == 0).all()
    turned = [CubeView(60)({**clip, 'rng': np.random.default_rng(seed)})['keypoint'] for seed in range(2)]
    assert np.abs(turned[0] - turned[1]).max() > 0.1
    # a turn before the stretch is undone by the linear map that fits best; a stretch alone could not give it
    design = np.c_[shown, np.ones(len(shown))]
    fitted, *_ = np.linalg.lstsq(design, turned[0][visible], rcond=None)
    np.testing.assert_allclose(design @ fitted, turned[0][visible], atol=1e-4)
    size = (fitted[:3] / np.linalg.norm(fitted[:3], axis=0)).T
    np.testing.assert_allclose(size @ size.T, np.eye(3), atol=1e-4)  # rows of a rotation, each axis stretched
    flat = normalized_clip(frames=9)
    np.testing.assert_allclose(CubeView(60)({**flat})['keypoint'], CubeView()({**flat})['keypoint'])


@pytest.mark.parametrize('preset', [None, 'ctrgcn', 'stgcnpp_own', 'ctrgcn_own'])
def test_each_recipe_is_what_its_comment_says(preset: str | None) -> None:
    options = {} if preset is None else {'preset': preset}
    cfg, ours = load_config(CONFIG, options), load_config('benchmarks/skeleton')
    assert build(CONFIG, 'kinect20', 3, 5, options).backbone.__class__.__name__ == (
        'CTRGCN' if 'ctrgcn' in str(preset) else 'STGCNPlusPlus'
    )
    for steps in (cfg.train_pipeline, cfg.test_pipeline):
        assert [TRANSFORMS.build(step) for step in steps]
    if preset in (None, 'ctrgcn'):
        same = ('train_dataloader', 'test_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'custom_hooks')
        assert all(cfg[key] == ours[key] for key in same)
        return
    drop_empty_schedules(cfg, 60)
    assert cfg.optim_wrapper.optimizer.type == 'SGD' and cfg.optim_wrapper.clip_grad is None
    assert 'EMAHook' not in [hook.type for hook in cfg.custom_hooks]
    names = [step['type'] for step in cfg.train_dataloader.dataset.pipeline]
    if preset == 'ctrgcn_own':
        assert names == ['NormalizePose', 'CubeView', 'SampleFrames', 'PackPose']
        assert cfg.param_scheduler[1].milestones == [225] and cfg.train_cfg.max_epochs == 325
    else:
        assert names == ['NormalizePose', 'SampleFrames', 'PackPose']
        assert [schedule.type for schedule in cfg.param_scheduler] == ['CosineAnnealingLR']


@pytest.mark.slow
def test_both_doors_train_and_test_a_peer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f'{label}_{i}' for label in range(2) for i in range(4)]
    clips = [
        {'frame_dir': name, 'label': int(name[0]), 'keypoint': moving_clip(int(name[0]), rng), 'total_frames': 24}
        for name in names
    ]
    split = {'train': names, 'test': names}
    (tmp_path / 'clips.pkl').write_bytes(pickle.dumps({'split': split, 'annotations': clips}))
    parser = argparse.ArgumentParser()
    cross_validation.add_arguments(parser)
    options = ['preset=ctrgcn_own', 'dataset.skeleton=coco17', 'num_frames=8', 'train_dataloader.batch_size=4']
    for part in ('train_dataloader', 'test_dataloader'):
        options += [f'{part}.num_workers=0', f'{part}.persistent_workers=false']
    arguments = [str(tmp_path / 'clips.pkl'), '--protocol', 'own', '--config', CONFIG, '--epochs', '1']
    arguments += ['--out', str(tmp_path / 'runs'), '--cfg-options', *options]
    assert cross_validation.run(parser.parse_args(arguments)) == 0
    (run,) = collect(tmp_path / 'runs')['full']
    assert 0 <= run['top1'] <= 1 and MODELS.get('PeerRecognizer') is PeerRecognizer


def test_a_small_peer_is_trained_and_tested_as_the_small_mixture() -> None:
    ours = load_config(str(ROOT / 'configs/benchmarks/skeleton_small.py'), {})
    theirs = load_config(CONFIG, {'preset': ['ctrgcn', 'small']})
    own = {'model', 'preset', 'custom_imports', 'after_test'}
    assert {key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)} == own
