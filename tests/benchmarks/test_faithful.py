"""The benchmark on a handful of planted clips and a small model."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import SMALL, config_text, random_inputs, small_model, write_checkpoint

from benchmarks import faithful
from benchmarks.faithful import channels_of_whole, movement
from benchmarks.faithful_scores import Answers
from benchmarks.known_regions import RHYTHMS, write_planted
from bmoe_ground.errors import UserError
from bmoe_skel.models.attribution import hide_regions
from bmoe_skel.registry import MODELS
from pose_extract.skeletons import REGIONS, get_skeleton

REPO = Path(__file__).resolve().parents[2]


def parsed(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    faithful.add_arguments(parser)
    return parser.parse_args(given)


@pytest.fixture
def planted(tmp_path: Path) -> list[str]:
    """Arguments that ask an untrained model about 16 clips."""
    write_planted(tmp_path / 'clips.pkl', train=4, test=16)
    model = {'type': 'BMoE', 'num_classes': 4, 'skeleton': 'coco17', 'coordinates': 2, **SMALL}
    facts = {'classes': list(RHYTHMS), 'skeleton': 'coco17', 'coordinates': 2}
    meta = {'cfg': config_text(model, [{'type': 'NormalizePose'}]), 'dataset_meta': facts}
    torch.manual_seed(0)
    torch.save({'state_dict': MODELS.build(model).state_dict(), 'meta': meta}, tmp_path / 'model.pth')
    config = str(REPO / 'configs/benchmarks/skeleton_small.py')
    options = [f'dataset.ann_file={tmp_path / "clips.pkl"}', 'num_frames=12', 'test_dataloader.batch_size=5']
    options += ['test_pipeline.SampleFrames.num_clips=1', 'test_pipeline.AddMirrored=null']
    return [config, str(tmp_path / 'model.pth'), '--cfg-options', *options]


def test_a_run_prints_its_tables_and_keeps_its_answers(
    planted: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = [tmp_path / 'keypoints.npz', tmp_path / 'channels.npz']
    assert faithful.run(parsed(*planted, '--out', str(kept[0]))) == 0
    assert faithful.run(parsed(*planted, '--out', str(kept[1]), '--hide', 'channels')) == 0
    capsys.readouterr()
    answers, channels = (Answers.load(path) for path in kept)
    assert answers.probabilities.shape == (16, 16, 4) and answers.seen.all()
    np.testing.assert_allclose(answers.probabilities.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(answers.routing.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(answers.probabilities[:, 15], channels.probabilities[:, 15], atol=1e-6)
    assert not np.allclose(answers.probabilities[:, 13], channels.probabilities[:, 13])  # without the trunk
    assert faithful.run(parsed('--collect', *map(str, [kept[0], kept[0]]), '--known', 'names')) == 0
    said = capsys.readouterr().out
    assert '32 answers for 16 clips' in said
    assert '| the top-routed |' in said and '| leave_one_out |' in said and '| at random |' in said
    top1 = 100 * (answers.predicted == answers.labels).mean()
    assert f'| nothing | {top1:.1f} (' in said
    assert f'of {2 * (answers.predicted == answers.labels).sum()} right answers' in said


def test_channels_of_the_whole_body_leave_what_others_say_of_the_hidden() -> None:
    model, inputs = small_model().eval(), random_inputs()
    layout = get_skeleton('coco17')
    inputs['visible'][0, 0, 0, 3] = False
    whole, visible, _ = model.read(inputs)
    less = hide_regions(inputs, 'coco17', ['body'])
    own = model.features
    with channels_of_whole(model, inputs):
        unchanged, _, _ = model.read(inputs)
        found, left, _ = model.read(less)
    assert model.features is own
    torch.testing.assert_close(unchanged, whole)
    joints = list(layout.regions['body'])
    for v in range(layout.num_keypoints):
        for f in range(whole.shape[-1]):
            to_hidden = f >= whole.shape[-1] - 17 and f - (whole.shape[-1] - 17) in joints
            wanted = torch.zeros_like(whole[..., v, f]) if v in joints or to_hidden else whole[..., v, f]
            assert torch.equal(found[..., v, f], wanted)
    assert torch.equal(left, less['visible'].flatten(0, 2)) and not torch.equal(left, visible)
    assert not torch.equal(model.read(less)[0], found)  # bones to the shoulders, places relative to the hips


def test_movement_is_the_root_mean_square_step() -> None:
    inputs = random_inputs(batch=2, cuts=2, persons=2, frames=5)
    inputs['visible'] = torch.rand(inputs['visible'].shape, generator=torch.Generator().manual_seed(2)) < 0.7
    inputs['visible'][1][..., list(get_skeleton('coco17').regions['head'])] = False
    found = movement(inputs, 'coco17')
    points, seen = inputs['keypoint'].numpy(), inputs['visible'].numpy()
    for b in range(2):
        for r, region in enumerate(REGIONS):
            squares = []
            for s, m, t, v in np.ndindex(2, 2, 5, 17):
                if v in get_skeleton('coco17').regions[region] and seen[b, s, m, t, v]:
                    moved = t < 4 and seen[b, s, m, t + 1, v]
                    step = points[b, s, m, t + 1, v] - points[b, s, m, t, v] if moved else np.zeros(2)
                    squares.append(float((step**2).sum()))
            assert float(found[b, r]) == pytest.approx(np.sqrt(np.mean(squares)) if squares else 0, abs=1e-5)


def test_mistakes_are_named(planted: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match='nothing to measure'):
        faithful.run(parsed(planted[0]))
    write_checkpoint(tmp_path / 'other.pth')
    with pytest.raises(UserError, match='was trained with classes'):
        faithful.run(parsed(planted[0], str(tmp_path / 'other.pth'), *planted[2:]))
    with pytest.raises(UserError, match='none of 16 clips'):
        faithful.run(parsed(*planted, '--known', 'demo'))


def test_planted_clips_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert faithful.run(parsed('--planted', str(tmp_path / 'planted.pkl'))) == 0
    assert '--known names' in capsys.readouterr().out
    assert (tmp_path / 'planted.pkl').stat().st_size > 1e6


def test_planted_clips_have_as_much_distraction_as_is_asked(tmp_path: Path) -> None:
    legs = list(get_skeleton('coco17').regions['lower'])
    moved = []
    for distraction in ('0', '3'):
        path = tmp_path / f'{distraction}.pkl'
        assert faithful.run(parsed('--planted', str(path), '--distraction', distraction)) == 0
        clips = pickle.loads(path.read_bytes())['annotations']
        nods = [clip['keypoint'] for clip in clips if clip['frame_dir'].startswith('head')]
        moved.append(np.mean([keypoint[:, :, legs].std(1) for keypoint in nods]))
    assert moved[1] > 10 * moved[0]
