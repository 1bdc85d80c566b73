"""Attribution against a model whose answer is known by hand, and a Shapley value by listing all orders."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from skeleton_clips import random_inputs, small_model
from torch import Tensor

from bmoe_ground.errors import UserError
from bmoe_skel.models import RegionRecognizer
from bmoe_skel.models.attribution import METHODS, attribute_regions, hide_regions, seen_regions, subset_scores
from bmoe_skel.structures import ActionSample
from bmoe_skel.transforms.spatial import DropJoints
from pose_extract.skeletons import REGIONS, get_skeleton

LAYOUT = get_skeleton('coco17')


class Additive(torch.nn.Module):
    """Log odds of class 1 over class 0: the sum of what the shown regions weigh, and what pairs of them weigh."""

    skeleton = 'coco17'

    def __init__(self, alone: tuple[float, ...], together: dict[tuple[int, int], float] | None = None) -> None:
        super().__init__()
        self.alone, self.together = alone, together or {}

    def forward(self, inputs: dict[str, Tensor], mode: str) -> list[ActionSample]:
        assert mode == 'predict'
        answers = []
        for shown in seen_regions(inputs, self.skeleton).tolist():
            odds = sum(weight for weight, seen in zip(self.alone, shown, strict=True) if seen)
            odds += sum(weight for (a, b), weight in self.together.items() if shown[a] and shown[b])
            p = torch.tensor(float(odds)).sigmoid()
            answers.append(ActionSample(pred_scores=torch.stack([1 - p, p])))
        return answers


def log_p(odds: float) -> float:
    return float(torch.nn.functional.logsigmoid(torch.tensor(odds)))


def test_hiding_takes_the_regions_keypoints_and_nothing_else() -> None:
    inputs = random_inputs()
    inputs['keypoint'][0, 0, 0, 0, 9] = torch.nan  # absent already
    inputs['visible'][0, 0, 0, 0, 9] = False
    before = {key: value.clone() for key, value in inputs.items()}
    hidden = hide_regions(inputs, 'coco17', ['head', 'upper'])
    gone = [*LAYOUT.regions['head'], *LAYOUT.regions['upper']]
    kept = [*LAYOUT.regions['body'], *LAYOUT.regions['lower']]
    assert not hidden['visible'][..., gone].any() and not hidden['keypoint'][..., gone, :].any()
    assert torch.equal(hidden['visible'][..., kept], inputs['visible'][..., kept])
    assert torch.equal(hidden['keypoint'][..., kept, :], inputs['keypoint'][..., kept, :])
    for key, value in before.items():
        torch.testing.assert_close(inputs[key], value, equal_nan=True)
    with pytest.raises(UserError, match="unknown region 'arm'"):
        hide_regions(inputs, 'coco17', ['arm'])


def test_a_region_is_hidden_as_in_training() -> None:
    inputs = random_inputs(batch=1)
    clip = {'keypoint': inputs['keypoint'][0, 0].numpy(), 'visible': inputs['visible'][0, 0].numpy()}

    class Third:
        """Random numbers that choose REGIONS[2]."""

        def random(self) -> float:
            return 0.0

        def integers(self, _: int) -> int:
            return 2

    dropped = DropJoints(0.0, 0.0, 1.0)({**clip, 'skeleton': 'coco17', 'rng': Third()})
    hidden = hide_regions(inputs, 'coco17', [REGIONS[2]])
    assert torch.equal(hidden['keypoint'][0, 0], torch.from_numpy(dropped['keypoint']))
    assert torch.equal(hidden['visible'][0, 0], torch.from_numpy(dropped['visible']))


def test_numbers_of_a_model_known_by_hand() -> None:
    weights = (3.0, 0.5, -1.0, 0.0)
    model, inputs = Additive(weights), random_inputs(batch=1)
    total = sum(weights)
    lost = attribute_regions(model, inputs, 'leave_one_out')[0]
    assert lost.tolist() == pytest.approx([log_p(total) - log_p(total - weight) for weight in weights], abs=1e-5)
    alone = attribute_regions(model, inputs, 'alone')[0]
    assert alone.tolist() == pytest.approx([log_p(weight) - log_p(0.0) for weight in weights], abs=1e-5)
    other = attribute_regions(model, inputs, 'leave_one_out', target=torch.tensor([0]))[0]
    assert other.tolist() == pytest.approx([log_p(-total) - log_p(-total + w) for w in weights], abs=1e-5)


def test_what_two_regions_both_say_is_shared_by_shapley_and_lost_by_leaving_one_out() -> None:
    # either of head and body tells the class, both no more than one
    model = Additive((4.0, 4.0, 0.0, 0.0), {(0, 1): -4.0})
    inputs = random_inputs(batch=1)
    assert attribute_regions(model, inputs, 'leave_one_out')[0].tolist() == pytest.approx([0, 0, 0, 0], abs=1e-5)
    half = (log_p(4.0) - log_p(0.0)) / 2
    assert attribute_regions(model, inputs, 'shapley')[0].tolist() == pytest.approx([half, half, 0, 0], abs=1e-5)


def test_shapley_is_the_mean_over_all_orders() -> None:
    model = small_model().eval()
    inputs = random_inputs(batch=3, cuts=2, persons=2)
    target = torch.tensor([2, 0, 1])
    found = attribute_regions(model, inputs, 'shapley', target)
    wanted = torch.zeros(3, 4)
    orders = list(permutations(range(4)))
    scores = {}
    for order in orders:
        shown: frozenset[int] = frozenset()
        for r in order:
            for step in (shown, shown | {r}):
                if step not in scores:
                    hidden = [REGIONS[i] for i in range(4) if i not in step]
                    samples = model(hide_regions(inputs, 'coco17', hidden), mode='predict')
                    scores[step] = torch.tensor([s.pred_scores[c].log() for s, c in zip(samples, target, strict=True)])
            wanted[:, r] += (scores[shown | {r}] - scores[shown]) / len(orders)
            shown |= {r}
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    whole = scores[frozenset(range(4))] - scores[frozenset()]
    torch.testing.assert_close(found.sum(1), whole, atol=1e-5, rtol=1e-4)


def test_margin_and_routing_are_the_models_own_words() -> None:
    model, inputs = small_model().eval(), random_inputs(batch=2)
    samples = model(inputs, mode='predict')
    margin, routing = (attribute_regions(model, inputs, method) for method in ('margin', 'routing'))
    for b, sample in enumerate(samples):
        c = int(sample.pred_scores.argmax())
        torch.testing.assert_close(routing[b], sample.routing.mean(1))
        for r in range(4):
            scores = sample.part_scores[r]
            others = max(float(p) for i, p in enumerate(scores) if i != c)
            assert float(margin[b, r]) == pytest.approx(float(scores[c].log()) - float(torch.tensor(others).log()))
    assert not torch.allclose(margin, attribute_regions(model, inputs, 'margin', torch.tensor([1, 1])))


def test_an_unseen_region_has_no_number_and_nobody_is_no_error() -> None:
    model, inputs = small_model().eval(), random_inputs(batch=2)
    inputs['visible'][0][..., list(LAYOUT.regions['lower'])] = False
    for method in METHODS:
        found = attribute_regions(model, inputs, method)
        assert found.isnan().tolist() == [[False, False, False, True], [False] * 4]
    scores = subset_scores(model, inputs)
    assert scores.shape == (2, 16, 3) and scores.isfinite().all()
    torch.testing.assert_close(scores.sum(2), torch.ones(2, 16))
    torch.testing.assert_close(scores[0, 7], scores[0, 15])  # without the legs that are not there
    torch.testing.assert_close(scores[0, 0], scores[1, 0])


def test_what_a_model_lacks_is_named() -> None:
    inputs = random_inputs()
    with pytest.raises(UserError, match="unknown attribution 'saliency'"):
        attribute_regions(small_model(), inputs, 'saliency')
    bare = small_model(head={'side_weight': 0.0}).eval()
    with pytest.raises(UserError, match='side_weight'):
        attribute_regions(bare, inputs, 'margin')
    legs = RegionRecognizer('lower', 3, 'coco17', dims=32, expert={'dims': (16, 16)}).eval()
    with pytest.raises(UserError, match='a model with a router'):
        attribute_regions(legs, inputs, 'routing')
    lost = attribute_regions(legs, inputs, 'leave_one_out')
    assert lost[:, [0, 2]].tolist() == [[0, 0], [0, 0]]  # the hips, from which legs are measured, are of the body
    assert lost[:, 3].all()


def test_sets_asked_at_once_are_answered_as_one_by_one() -> None:
    model, inputs = small_model().eval(), random_inputs(batch=3, cuts=2)  # ten sets a pass, and six
    scores = subset_scores(model, inputs)
    for subset in range(16):
        hidden = [region for r, region in enumerate(REGIONS) if not subset & 2**r]
        samples = model(hide_regions(inputs, 'coco17', hidden), mode='predict')
        for b, sample in enumerate(samples):
            torch.testing.assert_close(scores[b, subset], sample.pred_scores, atol=1e-5, rtol=1e-4)
