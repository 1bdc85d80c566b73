from __future__ import annotations

import copy
import hashlib

import numpy as np
import pytest
import torch
from skeleton_clips import SMALL, moving_clip, small_model

from bmoe_ground.errors import UserError
from bmoe_skel.inferencer import MicroActionInferencer
from bmoe_skel.upgrade import upgrade_model

# What version 0.1 wrote into a checkpoint, word for word but for the sizes.
OF_0_1 = """
model = dict(
    aux_weight=0.2,
    balance_weight=0.1,
    coordinates=2,
    dims=32,
    drop_path=0.0,
    expert=dict(depths=(1, 1), dims=(16, 16)),
    fusion_depth=2,
    global_stream=dict(depths=(1, 1), dims=(16, 16), kind='skeleton'),
    head=dict(drop=0.2, loss=dict(label_smoothing=0.1), multi_label=False),
    init_experts=dict(head='work_dirs/stage1/head/epoch_60.pth', lower=None),
    num_classes=3,
    router=dict(kind='attention', top_k=None),
    skeleton='coco17',
    train_clips='0123456789abcdef',
    type='BMoE')
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='NormalizePose'),
            dict(num_frames=16, random=False, type='SampleFrames'),
            dict(type='PackPose'),
        ]))
"""
# What 0.1 answered with this config, the weights of the test below and its three clips.
SCORES_OF_0_1 = [[0.508756, 0.200104, 0.29114], [0.508795, 0.200831, 0.290374], [0.508292, 0.200525, 0.291182]]
FACTS = {'classes': ['arms', 'head', 'legs'], 'skeleton': 'coco17', 'coordinates': 2}


def checkpoint(path, text: str, weights: dict[str, torch.Tensor]):
    torch.save({'state_dict': weights, 'meta': {'cfg': text, 'dataset_meta': FACTS}}, path)
    return path


def test_a_checkpoint_of_0_1_predicts_as_the_same_model_of_today(tmp_path) -> None:
    head = {'drop': 0.2, 'loss': {'label_smoothing': 0.1}}
    model = small_model(router={'fusion_depth': 2, 'balance_weight': 0.1}, head=head).eval()
    old = MicroActionInferencer(checkpoint(tmp_path / 'old.pth', OF_0_1, model.state_dict()))
    today = {'type': 'BMoE', 'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL, 'head': head}
    today['router'] = {'fusion_depth': 2}
    steps = [{'type': 'NormalizePose'}, {'type': 'SampleFrames', 'num_frames': 16, 'random': False}]
    steps += [{'type': 'PackPose'}]
    text = f"model = {today!r}\ntest_dataloader = {{'dataset': {{'pipeline': {steps!r}}}}}\n"
    new = MicroActionInferencer(checkpoint(tmp_path / 'new.pth', text, model.state_dict()))
    for label in range(3):
        clip = moving_clip(label, np.random.default_rng(label))
        (scores, routing), (wanted, wanted_routing) = old.predict_clip(clip), new.predict_clip(clip)
        np.testing.assert_array_equal(scores, wanted)
        np.testing.assert_array_equal(routing, wanted_routing)
        np.testing.assert_allclose(scores, SCORES_OF_0_1[label], atol=2e-6)
    assert old.model.router.balance_weight == 0.1
    assert len(old.model.fusion) == 2


def test_names_and_shapes_of_the_weights_are_those_of_0_1() -> None:
    listed = sorted(f'{key} {tuple(value.shape)}' for key, value in small_model().state_dict().items())
    assert hashlib.sha256('\n'.join(listed).encode()).hexdigest()[:16] == 'e73da048061ce288'  # printed by 0.1


def test_a_model_without_a_stream_stays_without(tmp_path) -> None:
    model = small_model(global_stream=None, head={'side_weight': 0.0})
    text = OF_0_1.replace("    global_stream=dict(depths=(1, 1), dims=(16, 16), kind='skeleton'),\n", '')
    text = text.replace('fusion_depth=2', 'fusion_depth=1').replace('aux_weight=0.2', 'aux_weight=0.0')
    inferencer = MicroActionInferencer(checkpoint(tmp_path / 'old.pth', text, model.state_dict()))
    assert inferencer.model.global_stream is None
    assert not hasattr(inferencer.model, 'side_heads')


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ({'kind': 'rgb', 'backbone': 'resnet18'}, {'type': 'RGBStream', 'backbone': 'resnet18'}),
        ({'kind': 'feature', 'feature_channels': 5}, {'type': 'FeatureStream', 'feature_channels': 5}),
        ({'kind': 'sound'}, {'type': 'sound'}),
        ({'kind': 3}, {'kind': 3}),
        ('nonsense', 'nonsense'),
        (None, None),
    ],
)
def test_streams(old, new) -> None:
    assert upgrade_model({'type': 'BMoE', 'global_stream': old})['global_stream'] == new


def test_what_is_of_today_passes_and_nothing_is_changed_in_place() -> None:
    today = {'type': 'BMoE', 'num_classes': 3, **SMALL, 'head': {'side_weight': 0.1}, 'router': {'fusion_depth': 2}}
    assert upgrade_model(today) == today
    single = {'type': 'RegionRecognizer', 'region': 'head', 'aux_weight': 1}
    assert upgrade_model(single) is single
    assert upgrade_model(None) is None
    old = {'type': 'BMoE', 'global_stream': {'kind': 'auto'}, 'head': {'drop': 0.1}, 'aux_weight': 0.3}
    before = copy.deepcopy(old)
    new = upgrade_model(old)
    assert old == before
    assert new == {'type': 'BMoE', 'global_stream': {'type': 'AutoStream'}, 'head': {'drop': 0.1, 'side_weight': 0.3}}
    assert upgrade_model(new) == new


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (("kind='skeleton'", "kind='os.system'"), 'refused'),
        (("kind='skeleton'", "type='RegionExpert'"), 'refused|unknown global stream'),
        (("kind='skeleton'", "kind='BMoE'"), 'unknown global stream'),
        (('dict(drop=0.2, loss=dict(label_smoothing=0.1), multi_label=False)', '3'), 'cannot be built'),
    ],
)
def test_what_no_version_wrote_is_refused(tmp_path, change, message) -> None:
    path = checkpoint(tmp_path / 'old.pth', OF_0_1.replace(*change), small_model().state_dict())
    with pytest.raises(UserError, match=message):
        MicroActionInferencer(path)
