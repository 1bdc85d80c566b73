from __future__ import annotations

import torch
from skeleton_clips import SMALL, random_inputs, samples

from bmoe_skel.models import RegionRecognizer
from pose_extract.skeletons import get_skeleton


def recognizer(region: str) -> RegionRecognizer:
    torch.manual_seed(3)
    return RegionRecognizer(region, 3, 'coco17', 2, dims=32, expert=SMALL['expert'])


def test_single_expert_trains_and_predicts() -> None:
    model = recognizer('upper')
    losses = model(random_inputs(), samples([0, 1]), mode='loss')
    losses['loss_cls'].backward()
    assert model(random_inputs(cuts=2), None, mode='predict')[1].pred_scores.shape == (3,)


def test_sees_its_region_only() -> None:
    model, inputs = recognizer('upper').eval(), random_inputs()
    wanted = model(inputs)
    inputs['keypoint'][..., list(get_skeleton('coco17').regions['lower']), :] += 3
    assert torch.equal(model(inputs), wanted)
    inputs['keypoint'][..., list(get_skeleton('coco17').regions['upper']), :] += 3
    assert not torch.allclose(model(inputs), wanted)


def test_a_clip_that_hides_the_region_has_no_loss() -> None:
    model, inputs = recognizer('upper').eval(), random_inputs()
    alone = model({key: value[1:] for key, value in inputs.items()}, samples([1]), mode='loss')['loss_cls']
    inputs['visible'][0, ..., list(get_skeleton('coco17').regions['upper'])] = False
    torch.testing.assert_close(model(inputs, samples([0, 1]), mode='loss')['loss_cls'], alone)
