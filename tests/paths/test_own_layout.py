"""A layout of somebody's own from the YAML file to a prediction in a process that knows its checkpoint only."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from own_layout import MOVING, SOFA9, forget_layouts, write_sofa9, write_sofa_pickle
from warm_programs import run as run_program

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from bmoe_ground.tables import read_table
from bmoe_skel.check.checks import collect
from bmoe_skel.check.report import draw_examples
from bmoe_skel.datasets import PosePickleDataset
from bmoe_skel.inferencer import MicroActionInferencer
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main as run_train
from pose_extract.convert import ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.draw.render import draw_frame
from pose_extract.skeletons import DECLARATION, get_skeleton, load_layout, skeleton_names
from pose_extract.tracks import load_tracks

REPO = Path(__file__).resolve().parents[2]
CONFIG = f"""
_base_ = ['{REPO}/configs/benchmarks/skeleton.py']
num_frames = 16
model = dict(dims=32, expert=dict(dims=(16, 16)), global_stream=dict(dims=(16, 16), depths=(1, 1)))
train_dataloader = dict(batch_size=6, num_workers=0, persistent_workers=False, dataset=dict(epoch_clips=0))
test_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=1)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=1, convert_to_iter_based=True)]
"""

pytestmark = pytest.mark.usefixtures('only_built_in')


def tool(name: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a tool in a process of its own."""
    return run_program([REPO / 'tools' / f'{name}.py', *arguments], cwd=folder)


def options(folder: Path, layout: str = 'sofa9') -> list[str]:
    return ['--cfg-options', f'dataset.ann_file={folder / "clips.pkl"}', f'dataset.skeleton={folder / layout}.yaml']


@pytest.fixture(scope='module')
def run_folder(once: Callable[..., Path]) -> Path:
    """A folder with config, pickle, layout and a checkpoint of one epoch."""
    return once('own_layout', train_sofa)


def train_sofa(folder: Path) -> None:
    (folder / 'config.py').write_text(CONFIG)
    write_sofa_pickle(folder / 'clips.pkl')
    write_sofa9(folder)
    run_train([str(folder / 'config.py'), '--work-dir', str(folder / 'work'), *options(folder)])
    forget_layouts()


@pytest.fixture
def trained(run_folder: Path, tmp_path: Path) -> Path:
    """The checkpoint, beside copies of what it was made from."""
    shutil.copytree(run_folder, tmp_path, dirs_exist_ok=True)
    return tmp_path / 'work' / 'epoch_1.pth'


@pytest.mark.slow
def test_from_the_pickle_to_a_prediction_elsewhere(trained: Path, tmp_path: Path) -> None:
    run_test([str(tmp_path / 'config.py'), str(trained), '--work-dir', str(tmp_path / 'work'), *options(tmp_path)])
    assert 'f1_macro' in json.loads((tmp_path / 'work' / 'metrics.json').read_text())
    facts = torch.load(trained, weights_only=True)['meta']['dataset_meta']
    assert facts['skeleton'] == 'sofa9'
    assert [point['name'] for point in facts[DECLARATION]['keypoints']] == list(get_skeleton('sofa9').keypoints)

    size = ('--image-size', 200, 200)
    done = tool('convert_poses', 'clips.pkl', 'poses', '--skeleton', 'sofa9.yaml', *size, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / 'sofa9.yaml').unlink()
    done = tool('infer', 'poses', '--checkpoint', trained, '--threshold', 0, '--no-rules', folder=tmp_path)
    assert done.returncode == 0, done.stderr
    events = read_table(tmp_path / 'answers' / 'events.csv', ('video', 'label'))
    assert len(events) == 6 * len(MOVING)
    assert all(event['label'] in MOVING for event in events)


def test_conversion_drawing_and_checks_know_the_layout_from_the_files(tmp_path: Path) -> None:
    read = ReadOptions(skeleton=str(write_sofa9(tmp_path)), image_size=(200, 200))
    convert_poses(write_sofa_pickle(tmp_path / 'clips.pkl'), tmp_path / 'poses', ConvertSettings(read=read))
    (tmp_path / 'sofa9.yaml').unlink()
    forget_layouts()
    done = convert_poses(tmp_path / 'poses', tmp_path / 'again.pkl', ConvertSettings())
    assert len(done.clips) == 18 and not done.failures
    assert load_pickle(tmp_path / 'again.pkl')['metainfo'][DECLARATION] == get_skeleton('sofa9').declaration
    tracks = load_tracks(next((tmp_path / 'poses').rglob('*.npz')))
    assert (draw_frame(np.zeros((200, 200, 3), np.uint8), tracks, 0) > 0).sum() > 500

    forget_layouts()
    dataset = PosePickleDataset(str(tmp_path / 'again.pkl'), split='train')
    assert (dataset.metainfo['skeleton'], len(dataset)) == ('sofa9', 9)
    assert all(seen == 1 for seen in collect(dataset).seen)
    draw_examples(tmp_path / 'examples.png', {'train': dataset})
    assert (tmp_path / 'examples.png').stat().st_size > 5_000


@pytest.mark.slow
def test_a_checkpoint_says_the_layout_and_opens_nothing(trained: Path, tmp_path: Path) -> None:
    forget_layouts()
    MicroActionInferencer(trained)
    assert get_skeleton('sofa9').num_keypoints == 9

    forget_layouts()
    (tmp_path / 'other.yaml').write_text(SOFA9.replace('fist', 'thumb'))
    load_layout(tmp_path / 'other.yaml')
    with pytest.raises(UserError, match=r"epoch_1\.pth: another layout of the name 'sofa9' is known already"):
        MicroActionInferencer(trained)
    with pytest.raises(UserError, match=f"was trained with {DECLARATION} = .*'nose'"):
        work = ['--work-dir', str(tmp_path / 'w')]
        run_test([str(tmp_path / 'config.py'), str(trained), *work, *options(tmp_path, 'other')])

    forget_layouts()
    saved = torch.load(trained, weights_only=True)
    saved['meta']['dataset_meta'][DECLARATION] = str(tmp_path / 'sofa9.yaml')
    torch.save(saved, tmp_path / 'path.pth')
    with pytest.raises(UserError, match=r'path\.pth: expected a layout with the keys name, keypoints'):
        MicroActionInferencer(tmp_path / 'path.pth')
    del saved['meta']['dataset_meta'][DECLARATION]
    saved['meta']['dataset_meta']['skeleton'] = str(tmp_path / 'sofa9.yaml')
    torch.save(saved, tmp_path / 'name.pth')
    with pytest.raises(UserError, match='unknown skeleton'):
        MicroActionInferencer(tmp_path / 'name.pth')
    assert 'sofa9' not in skeleton_names()


def test_a_data_set_that_comes_to_life_in_another_process_knows_its_layout(tmp_path: Path) -> None:
    """As in a data loader's process where these are started anew and not forked."""
    dataset = PosePickleDataset(str(write_sofa_pickle(tmp_path / 'clips.pkl')), skeleton=str(write_sofa9(tmp_path)))
    content = pickle.dumps(dataset)
    forget_layouts()
    assert pickle.loads(content)[0]['skeleton'] == 'sofa9'
    assert get_skeleton('sofa9').num_keypoints == 9


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / 'config.py').write_text(CONFIG)
    clips = f'dataset.ann_file={write_sofa_pickle(tmp_path / "clips.pkl")}'
    work = ['--work-dir', str(tmp_path / 'w'), '--cfg-options', clips]
    with pytest.raises(UserError, match=r'give the dataset skeleton=NAME or FILE\.yaml'):
        run_train([str(tmp_path / 'config.py'), *work])
    with pytest.raises(UserError, match=r'no such layout file: .*none\.yaml'):
        run_train([str(tmp_path / 'config.py'), *work, f'dataset.skeleton={tmp_path}/none.yaml'])
    with pytest.raises(UserError, match=r'keypoint has shape \(1, 24, 9, 2\), expected \(M, T, 17,'):
        run_train([str(tmp_path / 'config.py'), *work, 'dataset.skeleton=coco17'])
    done = tool('convert_poses', 'clips.pkl', 'poses', '--skeleton', 'coco71', folder=tmp_path)
    assert done.returncode == 2 and "unknown skeleton 'coco71'" in done.stderr
