from __future__ import annotations

import pytest
import torch
from skeleton_clips import SMALL, random_inputs, samples, small_model

from bmoe_ground.errors import UserError
from bmoe_skel.models import BMoE
from pose_extract.skeletons import REGIONS, get_skeleton, skeleton_names


@pytest.mark.parametrize('skeleton', skeleton_names())
@pytest.mark.parametrize('coordinates', [2, 3])
def test_every_layout_runs(skeleton: str, coordinates: int) -> None:
    model = small_model(skeleton, coordinates).eval()
    logits = model(random_inputs(frames=9, skeleton=skeleton, coordinates=coordinates))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize('stream', [SMALL['global_stream'], None])
@pytest.mark.parametrize('kind', ['attention', 'mean'])
def test_every_parameter_gets_a_gradient(stream, kind) -> None:
    model = small_model(global_stream=stream, router={'kind': kind, 'balance_weight': 0.1})
    losses = model(random_inputs(), samples([0, 2]), mode='loss')
    sum(losses.values()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # what a softmax cannot see: an offset that all keys share; and a query that nobody compares
    allowed = {'router.key.bias'}
    assert {name for name in silent if not name.endswith('query_key.bias')} <= allowed
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_a_query_that_only_asks_reaches_the_answer_through_the_weights_alone() -> None:
    inputs = random_inputs()
    for kind, through in (('attention', True), ('mean', False)):
        model = small_model(router={'feed_query': False, 'kind': kind})
        model(inputs).square().sum().backward()
        found = sum(float(p.grad.abs().sum()) for p in model.global_stream.parameters() if p.grad is not None)
        assert (found > 0) == through
        losses = model(inputs, samples([0, 2]), mode='loss')
        assert float(losses['loss_whole']) > 0  # it tells the class by itself


def test_a_router_that_is_told_learns_the_region_of_the_class() -> None:
    told = [['head'], [], ['upper', 'lower']]
    model = small_model(router={'region_weight': 1.0, 'class_regions': told, 'relations': True})
    inputs, labels = random_inputs(batch=2, cuts=2, persons=2), [2, 1]
    optimizer = torch.optim.Adam(model.router.parameters(), 0.01)
    before = None
    for _ in range(12):
        loss = model(inputs, samples(labels), mode='loss')['loss_region']
        before = float(loss) if before is None else before
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights = model.encode(inputs).weights.detach()[:4]  # bodies of the first clip, two cuts of two persons
    wanted = [REGIONS.index('upper'), REGIONS.index('lower')]
    assert float(loss) < 0.5 * before and float(weights[..., wanted].sum(-1).mean()) > 0.6
    assert float(model(inputs, samples([1, 1]), mode='loss')['loss_region']) == 0
    with pytest.raises(UserError, match='region_weight needs class_regions'):
        small_model(router={'region_weight': 1.0})


def test_batch_of_one_equals_its_row() -> None:
    model = small_model().eval()
    inputs = random_inputs(batch=4)
    inputs['visible'][1, ..., 5:9] = False
    together = model(inputs)
    for i in range(4):
        alone = model({key: value[i : i + 1] for key, value in inputs.items()})
        torch.testing.assert_close(alone[0], together[i], rtol=1e-4, atol=1e-5)


def test_nan_in_an_invisible_joint_never_reaches_the_output() -> None:
    model = small_model().eval()
    inputs = random_inputs()
    inputs['visible'][:, :, :, 3:7, 4] = False
    wanted = model(inputs)
    for junk in (float('nan'), float('inf'), 1e6):
        inputs['keypoint'][:, :, :, 3:7, 4] = junk
        assert torch.equal(model(inputs), wanted)


def test_nan_in_an_invisible_joint_leaves_gradients_finite() -> None:
    model = small_model()
    inputs = random_inputs()
    inputs['visible'][..., 4] = False
    inputs['keypoint'][..., 4, :] = float('nan')
    sum(model(inputs, samples([0, 1]), mode='loss').values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize('extra', [2, 5])
def test_padding_frames_change_nothing(extra: int) -> None:
    model = small_model().eval()
    inputs = random_inputs(frames=16)
    padded = {
        'keypoint': torch.nn.functional.pad(inputs['keypoint'], (0, 0, 0, 0, 0, extra), value=3.0),
        'visible': torch.nn.functional.pad(inputs['visible'], (0, 0, 0, extra)),
        'pace': torch.nn.functional.pad(inputs['pace'], (0, extra)),
    }
    torch.testing.assert_close(model(padded), model(inputs), rtol=1e-4, atol=1e-5)


def test_an_expert_sees_its_region_only() -> None:
    model = small_model().eval()
    inputs = random_inputs()
    before = model.encode(inputs).regions
    joints = list(get_skeleton('coco17').regions['lower'])
    inputs['keypoint'][..., joints, :] += torch.randn_like(inputs['keypoint'][..., joints, :])
    changed = (model.encode(inputs).regions - before).abs().amax((0, 2)) > 1e-6
    assert dict(zip(REGIONS, changed.tolist(), strict=True)) == {
        'head': False,
        'body': False,
        'upper': False,
        'lower': True,
    }


def test_an_unseen_region_has_weight_zero() -> None:
    model = small_model().eval()
    inputs = random_inputs()
    inputs['visible'][0, ..., list(get_skeleton('coco17').regions['lower'])] = False
    encoded = model.encode(inputs)
    lower = REGIONS.index('lower')
    assert (encoded.weights[0, :, lower] == 0).all()
    assert (encoded.weights[1, :, lower] > 0).all()
    torch.testing.assert_close(encoded.weights.sum(-1), torch.ones(2, encoded.weights.shape[1]))
    assert not encoded.regions_seen[0, lower]


def test_absent_persons_change_nothing_and_their_order_does_not_matter() -> None:
    model = small_model().eval()
    inputs = random_inputs(persons=2)
    swapped = {key: value if key == 'pace' else value.flip(2) for key, value in inputs.items()}
    torch.testing.assert_close(model(swapped), model(inputs), rtol=1e-4, atol=1e-5)
    alone = {key: value if key == 'pace' else value[:, :, :1] for key, value in inputs.items()}
    with_absent = {
        **inputs,
        'visible': inputs['visible'] & torch.tensor([True, False])[None, None, :, None, None],
    }
    torch.testing.assert_close(model(with_absent), model(alone), rtol=1e-4, atol=1e-5)


def test_predictions_average_the_cuts() -> None:
    model = small_model().eval()
    inputs = random_inputs(cuts=3)
    got = torch.stack([s.pred_scores for s in model(inputs, None, mode='predict')])
    each = [
        torch.stack(
            [s.pred_scores for s in model({k: v[:, i : i + 1] for k, v in inputs.items()}, None, mode='predict')]
        )
        for i in range(3)
    ]
    torch.testing.assert_close(got, torch.stack(each).mean(0), rtol=1e-4, atol=1e-5)


def test_routing_of_a_prediction_sums_to_one() -> None:
    prediction = small_model().eval()(random_inputs(persons=2, cuts=2), None, mode='predict')[0]
    assert prediction.routing.shape == (4, 8)
    torch.testing.assert_close(prediction.routing.sum(0), torch.ones(8))


def test_answers_of_the_parts_alone_are_what_their_losses_measure() -> None:
    model, labels = small_model(head={'side_weight': 1.0}).eval(), [0, 2]
    inputs = random_inputs()
    inputs['visible'][0, ..., list(get_skeleton('coco17').regions['lower'])] = False
    parts = torch.stack([s.part_scores for s in model(inputs, None, mode='predict')])  # (B, P, C)
    losses = model(inputs, samples(labels), mode='loss')
    for p, name in enumerate((*REGIONS, 'whole')):
        seen = [1] if name == 'lower' else [0, 1]
        wanted = -sum(parts[i, p, labels[i]].log() for i in seen) / len(seen)
        torch.testing.assert_close(losses[f'loss_{name}'], wanted, rtol=1e-4, atol=1e-5)
    assert not parts[0, REGIONS.index('lower')].any()
    assert 'part_scores' not in small_model(head={'side_weight': 0.0}).eval()(inputs, None, mode='predict')[0]
    without = small_model(global_stream=None).eval()(inputs, None, mode='predict')[0]
    assert without.part_scores.shape == (4, 3)


def test_autocast_stays_close() -> None:
    model = small_model().eval()
    inputs = random_inputs()
    with torch.no_grad():
        exact = model(inputs)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            half = model(inputs)
    assert (half.float() - exact).abs().max() < 0.05 * exact.abs().max() + 0.05


def test_a_skeleton_of_another_layout_is_refused() -> None:
    with pytest.raises(UserError, match='25 keypoints of 2 coordinates.*coco17'):
        small_model()(random_inputs(skeleton='openpose25'))


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'global_stream': {'type': 'SoundStream'}}, "unknown global stream 'SoundStream'"),
        ({'router': {'kind': 'random'}}, "unknown router kind 'random'"),
        ({'skeleton': 'octopus8'}, "unknown skeleton 'octopus8'"),
        ({'num_classes': None}, 'needs num_classes'),
        ({'head': {'loss': {'balance': 'magic'}}}, "unknown loss balance 'magic'"),
    ],
)
def test_wrong_configs_are_named(config, message) -> None:
    arguments = {'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL, **config}
    with pytest.raises((UserError, ValueError), match=message):
        BMoE(**arguments)
