"""Every config of the mixture, from tracks to a tested checkpoint, on tiny models."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.inferencer import MicroActionInferencer
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train
from mm_runtime.config_text import parse_config_text
from pose_extract.crops import CropRecorder
from pose_extract.tracks import crops_path

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SMALL = """
_base_ = ['BASE']
num_frames = 16
model = dict(dims=32, expert=dict(dims=(16, 16)))
train_dataloader = dict(batch_size=6, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=2, val_interval=1)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=2, convert_to_iter_based=True)]
"""
STREAM = "model['global_stream'] = dict(dims=(16, 16), depths=(1, 1))\n"


@pytest.fixture
def tracks(tmp_path) -> Path:
    return write_tracks(tmp_path / 'poses', 6)


def write_config(folder: Path, name: str, extra: str = '') -> str:
    path = folder / f'{name}_small.py'
    path.write_text(SMALL.replace('BASE', str(CONFIGS / f'{name}.py')) + extra)
    return str(path)


def add_crops(tracks: Path) -> None:
    """The class shows in the colour, so that the stream can learn at once."""
    for i, folder in enumerate(sorted(tracks.iterdir())):
        for file in folder.glob('*.npz'):
            recorder = CropRecorder(32)
            for t in range(24):
                image = np.zeros((40, 40, 3), np.uint8)
                image[..., i] = 200
                recorder.add(t, image, np.zeros(1, int), np.array([[4.0, 4, 36, 36]]))
            recorder.write(crops_path(file), [0], np.arange(24))
            recorder.close()


def train(config: str, work: Path, tracks: Path, *options: str) -> None:
    run_train([config, '--work-dir', str(work), '--cfg-options', f'dataset.tracks={tracks}', *options])


def evaluate(config: str, work: Path, tracks: Path, checkpoint: str = 'epoch_2.pth', *options: str) -> dict[str, float]:
    options = (f'dataset.tracks={tracks}', *options)
    run_test([config, str(work / checkpoint), '--work-dir', str(work), '--cfg-options', *options])
    return json.loads((work / 'metrics.json').read_text())


@pytest.mark.slow
def test_rgb_where_the_extraction_saved_it(tracks, tmp_path, capsys) -> None:
    extra = """
rgb_frames = 2
train_pipeline = dict(LoadCrops=dict(size=32))
test_pipeline = dict(LoadCrops=dict(size=32))
"""
    config, work = write_config(tmp_path, 'bmoe_skel', extra), tmp_path / 'work'
    add_crops(tracks)
    train(config, work, tracks)
    assert 'global stream: RGBStream (all 18 clips have RGB crops beside their tracks)' in capsys.readouterr().out
    saved = torch.load(work / 'epoch_2.pth', weights_only=True)
    trained = parse_config_text(saved['meta']['cfg'], 'checkpoint')
    assert trained['model']['global_stream'] == {
        'type': 'RGBStream',
        'backbone': 'resnet18',
        'frames': 2,
        'pretrained': None,
    }
    assert any('global_stream.backbone.layer4' in key for key in saved['state_dict'])
    assert 'f1_macro' in evaluate(config, work, tracks)
    file = next(tracks.rglob('*.npz'))
    assert len(MicroActionInferencer(work / 'epoch_2.pth')(file)) == 1

    crops_path(file).unlink()
    name = file.relative_to(tracks).as_posix().removesuffix('.npz')
    with pytest.raises(UserError, match=f'1 of 18 clips have no RGB crops .*{name}'):
        train(config, tmp_path / 'other', tracks)
    chosen = ('model.global_stream.type=SkeletonStream', 'train_cfg.max_epochs=1')
    train(config, tmp_path / 'other', tracks, *chosen)
    saved = torch.load(tmp_path / 'other' / 'epoch_1.pth', weights_only=True)
    trained = parse_config_text(saved['meta']['cfg'], 'checkpoint')
    assert trained['model']['global_stream']['type'] == 'SkeletonStream'


@pytest.mark.slow
def test_skeletons_only_is_the_way_where_there_are_no_crops(tracks, tmp_path, capsys) -> None:
    config = write_config(tmp_path, 'bmoe_skel', STREAM)
    train(config, tmp_path / 'work', tracks, 'train_cfg.max_epochs=1')
    assert 'global stream: SkeletonStream (no RGB crops beside the tracks' in capsys.readouterr().out
    with pytest.raises(UserError, match='RGBStream: 18 of 18 clips have no RGB crops'):
        train(config, tmp_path / 'other', tracks, 'model.global_stream.type=RGBStream')


@pytest.mark.slow
def test_precomputed_features(tracks, tmp_path) -> None:
    config, work = write_config(tmp_path, 'bmoe_skel'), tmp_path / 'work'
    features = tmp_path / 'features'
    for i, folder in enumerate(sorted(tracks.iterdir())):
        (features / folder.name).mkdir(parents=True)
        for file in folder.glob('*.npz'):
            np.save(features / folder.name / f'{file.stem}.npy', np.eye(5, dtype=np.float32)[[i] * 4])
    options = ['preset=features', f'dataset.feature_root={features}']
    options += ['model.global_stream.feature_channels=5', 'train_cfg.max_epochs=20']
    train(config, work, tracks, *options)
    metrics = evaluate(config, work, tracks, 'epoch_20.pth', *options)
    assert metrics['top1'] > 0.6  # a third is chance; the features name the class
    with pytest.raises(UserError, match='features of 5 channels, the global stream expects feature_channels=7'):
        train(config, tmp_path / 'other', tracks, *options[:2], 'model.global_stream.feature_channels=7')


@pytest.mark.slow
def test_two_stages(tracks, tmp_path) -> None:
    config = write_config(tmp_path, 'bmoe_skel', STREAM)
    regions, one = ('head', 'lower'), 'train_cfg.max_epochs=1'
    for region in regions:
        train(config, tmp_path / region, tracks, 'preset=stage1', f'model.region={region}', one)
    assert 'f1_macro' in evaluate(
        config, tmp_path / 'head', tracks, 'epoch_1.pth', 'preset=stage1', 'model.region=head'
    )
    experts = [
        'preset=stage2',
        *(f'init_experts.{region}={tmp_path / region / "epoch_1.pth"}' for region in regions),
    ]
    experts += ['init_experts.body=null', 'init_experts.upper=null']
    train(config, tmp_path / 'whole', tracks, *experts, 'optim_wrapper.optimizer.lr=0', one)
    whole = torch.load(tmp_path / 'whole' / 'epoch_1.pth', weights_only=True)['state_dict']
    for region in regions:
        alone = torch.load(tmp_path / region / 'epoch_1.pth', weights_only=True)['state_dict']
        for key, value in alone.items():
            if key.startswith('expert.'):
                assert torch.equal(whole[f'experts.{region}.{key.removeprefix("expert.")}'], value), key

    other = (*experts, 'dataset.split_seed=1', one)
    with pytest.raises(UserError, match='was trained on other clips than this run'):
        train(config, tmp_path / 'leak', tracks, *other)
    train(config, tmp_path / 'any', tracks, *other, 'init_experts.check_clips=false')
    for region in regions:
        (tmp_path / region / 'epoch_1.pth').unlink()
    assert 'f1_macro' in evaluate(config, tmp_path / 'whole', tracks, 'epoch_1.pth', *experts)
    with pytest.raises(UserError, match='checkpoint not found'):
        train(config, tmp_path / 'gone', tracks, *experts)


@pytest.mark.slow
def test_early_stop_and_curves(tracks, tmp_path) -> None:
    config = write_config(tmp_path, 'bmoe_skel', STREAM)
    options = ('train_cfg.max_epochs=9', 'optim_wrapper.optimizer.lr=0', 'early_stop.patience=2')
    train(config, tmp_path / 'work', tracks, *options)
    reached = [int(file.stem.removeprefix('epoch_')) for file in (tmp_path / 'work').glob('epoch_*.pth')]
    assert max(reached) == 3  # nothing changes after the first: two validations of patience
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = (tmp_path / 'work').rglob('events.out.tfevents*')
    curves = EventAccumulator(str(events)).Reload()
    assert len(curves.Scalars('f1_macro')) == 3
    assert 'loss' in curves.Tags()['scalars']


@pytest.mark.slow
def test_runs_of_one_second_share_nothing(tracks, tmp_path, monkeypatch) -> None:
    config = write_config(tmp_path, 'bmoe_skel', STREAM)
    moment = time.time()
    monkeypatch.setattr(time, 'time', lambda: moment)
    for name in ('a', 'b', 'c'):
        train(config, tmp_path / name, tracks, 'train_cfg.max_epochs=1')
    for name in ('a', 'b', 'c'):
        assert len(list((tmp_path / name).rglob('*.log'))) == 1
        assert len(list((tmp_path / name).rglob('scalars.json'))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'frames'), [('skeleton', 64), ('skeleton_small', 32)])
def test_any_pickle_with_two_splits(name: str, frames: int, tmp_path) -> None:
    rng = np.random.default_rng(0)
    clips = [
        {'frame_dir': f'c{i}', 'label': i % 2, 'total_frames': 20, 'keypoint': rng.normal(0, 1, (1, 20, 20, 3)) + i % 2}
        for i in range(12)
    ]
    content = {
        'split': {'train': [f'c{i}' for i in range(8)], 'test': [f'c{i}' for i in range(8, 12)]},
        'annotations': clips,
        'metainfo': {'classes': ['sit down', 'stand up'], 'layout': 'kinect20'},
    }
    (tmp_path / 'clips.pkl').write_bytes(pickle.dumps(content))
    config = str(CONFIGS / 'benchmarks' / f'{name}.py')
    here = ('num_workers=0', 'persistent_workers=false')
    options = [
        f'dataset.ann_file={tmp_path / "clips.pkl"}',
        'train_cfg.max_epochs=1',
        'train_dataloader.dataset.epoch_clips=0',
        'model.expert.dims=(16,16)',
        'model.global_stream.dims=(16,16)',
        *(f'{part}_dataloader.{key}' for part in ('train', 'test') for key in here),
    ]
    common = ['--work-dir', str(tmp_path / 'work'), '--cfg-options', *options]
    run_train([config, *common])
    run_test([config, str(tmp_path / 'work' / 'epoch_1.pth'), *common])
    assert 0 <= json.loads((tmp_path / 'work' / 'metrics.json').read_text())['top1'] <= 1
    inferencer = MicroActionInferencer(tmp_path / 'work' / 'epoch_1.pth')
    steps = inferencer.pipeline
    assert steps[1].num_frames == frames
    scores, _ = inferencer.predict_clip(clips[0]['keypoint'].astype(np.float32))
    assert scores.shape == (2,) and scores.sum() == pytest.approx(1, abs=1e-4)
