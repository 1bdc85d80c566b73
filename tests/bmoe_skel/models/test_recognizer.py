from __future__ import annotations

from typing import Any

import pytest
import torch
from skeleton_clips import SMALL, random_inputs, samples, small_model

from bmoe_ground.errors import UserError
from bmoe_skel.models import BMoE, RegionRecognizer
from bmoe_skel.models.normalize import normalize_pose
from bmoe_skel.models.recognizer import SkeletonRecognizer


def recognizer(kind: str, coordinates: int = 2) -> SkeletonRecognizer[Any]:
    if kind == 'mixture':
        return small_model(coordinates=coordinates)
    torch.manual_seed(0)
    model = RegionRecognizer('upper', 3, 'coco17', coordinates, dims=32, expert=SMALL['expert'])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))  # away from its start, so that no path is silent
    return model


def clips(n: int = 3, persons: int = 2, frames: int = 12, coordinates: int = 2) -> torch.Tensor:
    """Plain clips in pixels, some joints, frames and persons of them absent."""
    generator = torch.Generator().manual_seed(4)
    points = 200 * torch.rand(n, persons, frames, 17, coordinates, generator=generator)
    points[0, 0, :, 9] = torch.nan
    points[1, :, 3:5] = torch.nan
    points[-1, -1] = torch.nan
    return points


both = pytest.mark.parametrize('kind', ['mixture', 'single'])


class TestPlainTensors:
    def test_three_words_make_a_model_that_works(self) -> None:
        model = BMoE(num_classes=7, skeleton='coco17')
        assert model(clips()).shape == (3, 7)
        assert model.global_stream is not None  # the paper's model has one

    @both
    @pytest.mark.parametrize(('persons', 'frames'), [(1, 1), (1, 2), (3, 37)])
    def test_any_persons_and_frames(self, kind: str, persons: int, frames: int) -> None:
        points = 100 * torch.rand(2, persons, frames, 17, 2)
        logits = recognizer(kind).eval()(points)
        assert logits.shape == (2, 3)
        assert torch.isfinite(logits).all()

    @both
    def test_equals_the_batch_that_the_transform_makes(self, kind: str) -> None:
        model, points = recognizer(kind).eval(), clips()
        keypoint, visible = normalize_pose(points, 'coco17')
        batch = {'keypoint': keypoint[:, None], 'visible': visible[:, None], 'pace': torch.ones(3, 1, 12)}
        assert torch.equal(model(points), model(batch))

    @both
    @pytest.mark.parametrize('coordinates', [2, 3])
    def test_place_and_size_do_not_matter(self, kind: str, coordinates: int) -> None:
        model, points = recognizer(kind, coordinates).eval(), clips(coordinates=coordinates)
        wanted = model(points)
        torch.testing.assert_close(model(3.7 * points + 41.0), wanted, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(model(points * torch.linspace(0.5, 2, 12)[:, None, None]), wanted, atol=1e-3)

    @both
    def test_each_clip_is_answered_for_itself(self, kind: str) -> None:
        model, points = recognizer(kind).eval(), clips()
        for i, row in enumerate(model(points)):
            torch.testing.assert_close(model(points[i : i + 1])[0], row, rtol=1e-4, atol=1e-5)

    @both
    def test_an_absent_person_changes_nothing(self, kind: str) -> None:
        model, points = recognizer(kind).eval(), clips(persons=1)
        absent = torch.full_like(points, torch.nan)
        for with_absent in (torch.cat([points, absent], 1), torch.cat([absent, points], 1)):
            torch.testing.assert_close(model(with_absent), model(points), rtol=1e-4, atol=1e-5)

    @both
    def test_a_clip_without_anybody_has_finite_logits_and_leaves_the_others_alone(self, kind: str) -> None:
        model, points = recognizer(kind).eval(), clips()
        wanted = model(points)
        points[1] = torch.nan
        found = model(points)
        assert torch.isfinite(found).all()
        torch.testing.assert_close(found[[0, 2]], wanted[[0, 2]], rtol=1e-4, atol=1e-5)

    @both
    def test_every_parameter_gets_a_finite_gradient(self, kind: str) -> None:
        model = recognizer(kind)
        model(clips(n=8)).square().sum().backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if not name.startswith('side_heads.')}
        silent = {name for name, grad in gradients.items() if grad is None or not grad.abs().sum() > 0}
        # what a softmax cannot see: an offset that all keys share; and a query that nobody compares
        assert {name for name in silent if not name.endswith('query_key.bias')} <= {'router.key.bias'}
        assert all(torch.isfinite(grad).all() for grad in gradients.values() if grad is not None)

    def test_double_precision_comes_in(self) -> None:
        model = recognizer('mixture').eval()
        torch.testing.assert_close(model(clips().double()), model(clips()), rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ('points', 'message'),
        [
            (torch.zeros(2, 12, 17, 2), r'shape \(2, 12, 17, 2\) .*expected floats of shape \(N, M, T, V, C\)'),
            (torch.zeros(2, 1, 0, 17, 2), r'shape \(2, 1, 0, 17, 2\)'),
            (torch.zeros(2, 1, 12, 17, 2, dtype=torch.int64), 'torch.int64, expected floats'),
            (torch.zeros(2, 1, 12, 25, 2), '25 keypoints of 2 coordinates.*coco17'),
            (torch.zeros(2, 1, 12, 17, 3), '17 keypoints of 3 coordinates.*coco17'),
        ],
    )
    def test_other_shapes_are_named(self, points: torch.Tensor, message: str) -> None:
        with pytest.raises(UserError, match=message):
            recognizer('mixture')(points)


@both
class TestForward:
    def test_head_of_features_is_forward(self, kind: str) -> None:
        model = recognizer(kind).eval()
        for inputs, rows in ((clips(), 3), (random_inputs(cuts=2, persons=2), 4)):
            features = model.forward_features(inputs)
            assert features.shape == (rows, 32)
            assert torch.equal(model.forward_head(features), model(inputs))

    def test_predictions_are_the_softmax_of_the_logits(self, kind: str) -> None:
        model = recognizer(kind).eval()
        for inputs in (clips(), random_inputs()):
            scores = torch.stack([sample.pred_scores for sample in model(inputs, None, mode='predict')])
            torch.testing.assert_close(scores, model(inputs).softmax(-1))

    def test_losses_of_plain_clips(self, kind: str) -> None:
        model = recognizer(kind).eval()
        losses = model(clips(), samples([0, 2, 1]), mode='loss')
        wanted = torch.nn.functional.cross_entropy(model(clips()), torch.tensor([0, 2, 1]))
        torch.testing.assert_close(losses['loss_cls'], wanted)

    def test_unknown_mode(self, kind: str) -> None:
        with pytest.raises(ValueError, match="unknown mode 'logits'; choose one of"):
            recognizer(kind)(clips(), mode='logits')


def metainfo(**kwargs):
    facts = {'classes': ['a', 'b', 'c'], 'skeleton': 'coco17', 'coordinates': 2, 'multi_label': False}
    return {**facts, **kwargs}


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'aux_weight': 0.1}, r'model\.aux_weight is now model\.head\.side_weight'),
        ({'fusion_depth': 2}, r'model\.fusion_depth is now model\.router\.fusion_depth'),
        ({'init_experts': {}}, 'InitExpertsHook'),
        ({'global_stream': {'kind': 'rgb'}}, "type='RGBStream'"),
    ],
)
def test_words_of_0_1_are_refused_with_todays(config, message) -> None:
    with pytest.raises(UserError, match=message):
        BMoE.complete_config({'type': 'BMoE', **config}, metainfo())


def test_data_of_three_dimensions_is_no_contradiction_to_the_default() -> None:
    config = {'type': 'BMoE', 'coordinates': None}
    BMoE.complete_config(config, metainfo(coordinates=3))
    assert config['coordinates'] == 3
    with pytest.raises(UserError, match='coordinates is 2, but the data has 3'):
        BMoE.complete_config({'type': 'BMoE', 'coordinates': 2}, metainfo(coordinates=3))


def test_complete_config_fills_what_is_open() -> None:
    config = {'type': 'BMoE', 'num_classes': None, 'head': {'loss': {'balance': 'class_balanced'}}}
    BMoE.complete_config(config, metainfo(class_counts=[3, 1, 2]))
    assert (config['num_classes'], config['skeleton'], config['coordinates']) == (3, 'coco17', 2)
    assert config['head']['loss']['class_counts'] == [3, 1, 2]


@pytest.mark.parametrize(
    ('config', 'facts', 'message'),
    [
        ({'num_classes': 5}, {}, 'num_classes is 5, but the data has 3'),
        ({'skeleton': 'ntu25'}, {}, "skeleton is 'ntu25', but the data has 'coco17'"),
        ({}, {'class_counts': [3, 0, 2]}, '1 of 3 classes have no training clip: b'),
        ({}, {'classes': ['nod'], 'class_counts': [9]}, "one class only, 'nod': there is nothing to tell it from"),
    ],
)
def test_complete_config_refuses_contradictions(config, facts, message) -> None:
    with pytest.raises(UserError, match=message):
        BMoE.complete_config({'type': 'BMoE', **config}, metainfo(**facts))
