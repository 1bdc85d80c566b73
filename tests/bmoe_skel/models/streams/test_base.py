from __future__ import annotations

import pytest
import torch
from skeleton_clips import SMALL, random_inputs
from torch import nn

from bmoe_ground.errors import UserError
from bmoe_skel.models import BMoE
from bmoe_skel.models.streams.base import StreamBatch, resample_steps
from bmoe_skel.models.streams.feature import FeatureStream
from bmoe_skel.models.streams.rgb import RGBStream, ShiftedExcitation, temporal_shift
from bmoe_skel.models.streams.skeleton import SkeletonStream
from bmoe_skel.structures import ActionSample

FRAMES = 4


def batch(bodies: int = 1, clips: int = 2, **kwargs) -> StreamBatch:
    n = clips * bodies
    return StreamBatch(torch.randn(n, 6, 17, 36), torch.ones(n, 6, 17, dtype=torch.bool), bodies, **kwargs)


@pytest.fixture(scope='module')
def rgb_stream() -> RGBStream:
    torch.manual_seed(0)
    return RGBStream(8, backbone='resnet18', frames=FRAMES).eval()


class TestResampleSteps:
    def test_same_length_masks_only(self) -> None:
        tokens, seen = torch.randn(1, 3, 2), torch.tensor([[True, False, True]])
        out, mask = resample_steps(tokens, seen, 3)
        assert torch.equal(out, tokens * seen.unsqueeze(-1))
        assert torch.equal(mask, seen)

    @pytest.mark.parametrize(('length', 'steps'), [(4, 8), (8, 4), (3, 7), (7, 3), (1, 5)])
    def test_equals_a_slow_loop(self, length: int, steps: int) -> None:
        torch.manual_seed(0)
        tokens, seen = torch.randn(2, length, 3), torch.rand(2, length) > 0.3
        out, mask = resample_steps(tokens + 50 * ~seen.unsqueeze(-1), seen, steps)
        for n in range(2):
            for s in range(steps):
                place = min(max((s + 0.5) * length / steps - 0.5, 0), length - 1)
                low = int(place)
                high, part = min(low + 1, length - 1), place - low
                pairs = [(i, w) for i, w in ((low, 1 - part), (high, part)) if seen[n, i]]
                total = sum(w for _, w in pairs)
                assert bool(mask[n, s]) == (total >= 0.5 - 1e-6)
                if total > 1e-3:
                    wanted = sum(w * tokens[n, i] for i, w in pairs) / total
                    torch.testing.assert_close(out[n, s], wanted, rtol=1e-4, atol=1e-5)
                else:
                    assert not out[n, s].any()


class TestSkeletonStream:
    def test_brings_its_tokens_to_the_steps_asked_for(self) -> None:
        stream = SkeletonStream('coco17', 36, 8, dims=(8, 8)).eval()
        for steps in (3, 5):
            tokens, seen = stream(batch(), steps)
            assert tokens.shape == (2, steps, 8)
            assert seen.all()


class TestFeatureStream:
    def stream(self) -> FeatureStream:
        torch.manual_seed(0)
        return FeatureStream(feature_channels=6, out_dims=8).eval()

    def test_padding_changes_nothing(self) -> None:
        stream, feature = self.stream(), torch.randn(2, 5, 6)
        alone, _ = stream(batch(feature=feature, feature_seen=torch.ones(2, 5, dtype=torch.bool)), 5)
        padded = torch.cat([feature, torch.full((2, 3, 6), 9.0)], dim=1)
        seen = torch.tensor([[True] * 5 + [False] * 3] * 2)
        tokens, mask = stream(batch(feature=padded, feature_seen=seen), 8)
        torch.testing.assert_close(tokens[:, :5], alone, rtol=1e-4, atol=1e-5)
        assert not tokens[:, 5:].any()
        assert torch.equal(mask, seen)

    def test_every_body_of_a_clip_gets_its_tokens(self) -> None:
        feature, seen = torch.randn(2, 5, 6), torch.ones(2, 5, dtype=torch.bool)
        one, _ = self.stream()(batch(1, feature=feature, feature_seen=seen), 4)
        three, mask = self.stream()(batch(3, feature=feature, feature_seen=seen), 4)
        assert mask.shape == (6, 4)
        for clip in range(2):
            for body in range(3):
                assert torch.equal(three[3 * clip + body], one[clip])

    def test_mistakes(self) -> None:
        with pytest.raises(UserError, match='add LoadFeature'):
            self.stream()(batch(), 4)
        with pytest.raises(UserError, match='features of 5 channels.*feature_channels=6'):
            self.stream()(batch(feature=torch.randn(2, 4, 5), feature_seen=torch.ones(2, 4, dtype=torch.bool)), 4)


def test_temporal_shift_equals_a_slow_loop() -> None:
    x = torch.randn(2 * FRAMES, 16, 3, 3)
    got = temporal_shift(x, FRAMES)
    for clip in range(2):
        for t in range(FRAMES):
            for channel in range(16):
                source = t + 1 if channel < 2 else t - 1 if channel < 4 else t
                inside = 0 <= source < FRAMES
                wanted = x[clip * FRAMES + source, channel] if inside else torch.zeros(3, 3)
                assert torch.equal(got[clip * FRAMES + t, channel], wanted)


def test_excitation_equals_a_slow_loop() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(8, 4, 3, padding=1)
    layer, x = ShiftedExcitation(conv, FRAMES), torch.randn(2 * FRAMES, 8, 5, 5)
    down, up = layer.excite[1], layer.excite[3]
    scaled = torch.empty_like(x)
    for i, frame in enumerate(x):
        squeezed = frame.mean((1, 2))
        hidden = torch.relu(down.weight[:, :, 0, 0] @ squeezed + down.bias)
        scaled[i] = frame * torch.sigmoid(up.weight[:, :, 0, 0] @ hidden + up.bias)[:, None, None]
    torch.testing.assert_close(layer(x), conv(temporal_shift(scaled, FRAMES)), rtol=1e-4, atol=1e-5)


class TestRGBStream:
    def test_shift_and_excitation_stand_before_every_blocks_first_convolution(self, rgb_stream) -> None:
        from torchvision.models.resnet import BasicBlock

        blocks = [module for module in rgb_stream.backbone.modules() if isinstance(module, BasicBlock)]
        assert len(blocks) == 8
        assert all(isinstance(block.conv1, ShiftedExcitation) for block in blocks)
        assert not isinstance(rgb_stream.backbone.conv1, ShiftedExcitation)
        assert sum(isinstance(m, ShiftedExcitation) for m in rgb_stream.modules()) == len(blocks)

    def test_steps_bodies_and_time(self, rgb_stream) -> None:
        rgb = torch.randn(2, FRAMES, 3, 32, 32)
        tokens, seen = rgb_stream(batch(2, rgb=rgb), 6)
        assert tokens.shape == (4, 6, 8)
        assert seen.all()
        assert torch.equal(tokens[0], tokens[1])
        # the network is causal in neither direction: the last frame is heard at the first step, through the shift
        other = rgb.clone()
        other[:, -1] += 1
        assert not torch.allclose(rgb_stream(batch(2, rgb=other), 6)[0][:, 0], tokens[:, 0])

    def test_clips_do_not_leak_into_each_other(self, rgb_stream) -> None:
        rgb = torch.randn(2, FRAMES, 3, 32, 32)
        together, _ = rgb_stream(batch(rgb=rgb), FRAMES)
        alone, _ = rgb_stream(batch(clips=1, rgb=rgb[1:]), FRAMES)
        torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-5)

    def test_frames_without_the_person_are_not_seen(self, rgb_stream) -> None:
        seen = torch.tensor([[True, False, True, True], [False] * FRAMES])
        tokens, mask = rgb_stream(batch(rgb=torch.randn(2, FRAMES, 3, 32, 32), rgb_seen=seen), FRAMES)
        assert torch.equal(mask, seen)
        assert not tokens[~seen].any()

    def test_frozen_backbone_stays_as_it_is(self) -> None:
        torch.manual_seed(0)
        stream = RGBStream(8, backbone='resnet18', frames=FRAMES, frozen=True).train()
        before = {key: value.clone() for key, value in stream.backbone.state_dict().items()}
        optimizer = torch.optim.SGD([p for p in stream.parameters() if p.requires_grad], lr=1.0)
        tokens, _ = stream(batch(rgb=torch.randn(2, FRAMES, 3, 32, 32)), FRAMES)
        (tokens * torch.arange(8)).sum().backward()
        embedding = stream.embed.weight.clone()
        optimizer.step()
        after = stream.backbone.state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before)  # batch statistics too
        assert not torch.equal(stream.embed.weight, embedding)
        assert all(p.grad is None for p in stream.backbone.parameters())

    def test_trainable_backbone_learns_everywhere(self) -> None:
        torch.manual_seed(0)
        stream = RGBStream(8, backbone='resnet18', frames=FRAMES).train()
        tokens, _ = stream(batch(rgb=torch.randn(2, FRAMES, 3, 32, 32)), FRAMES)
        (tokens * torch.arange(8)).sum().backward()
        silent = [name for name, p in stream.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        # an excitation can be silent where its few hidden units are all off at the start
        assert not [name for name in silent if '.excite.' not in name and 'qkv.bias' not in name]

    def test_mistakes(self, rgb_stream) -> None:
        with pytest.raises(UserError, match='extract with --save-rgb'):
            rgb_stream(batch(), FRAMES)
        with pytest.raises(UserError, match='clips have 5 RGB frames.*frames=4'):
            rgb_stream(batch(rgb=torch.randn(2, 5, 3, 32, 32)), FRAMES)
        with pytest.raises(UserError, match="unknown backbone 'vit_b_16'"):
            RGBStream(8, backbone='vit_b_16')
        with pytest.raises(UserError, match="unknown backbone 'resnet19'"):
            RGBStream(8, backbone='resnet19')
        with pytest.raises(UserError, match="pretrained='IMAGENET': expected None, .* one of IMAGENET1K_V1"):
            RGBStream(8, backbone='resnet18', pretrained='IMAGENET')


class TestPretrained:
    def weights(self) -> dict[str, torch.Tensor]:
        from torchvision.models import resnet18

        torch.manual_seed(5)
        return resnet18(weights=None).state_dict()

    def test_a_plain_resnet_fills_the_shifted_one(self, tmp_path) -> None:
        weights = self.weights()
        torch.save(weights, tmp_path / 'resnet.pth')
        stream = RGBStream(8, backbone='resnet18', frames=FRAMES, pretrained=str(tmp_path / 'resnet.pth'))
        untouched = stream.backbone.layer2[0].conv1.conv.weight.clone()
        assert not torch.equal(untouched, weights['layer2.0.conv1.weight'])
        stream.init_weights()
        ours = stream.backbone.state_dict()
        for key, value in weights.items():
            if not key.startswith('fc.'):
                wrapped = key.replace('.conv1.', '.conv1.conv.')
                assert torch.equal(ours[wrapped if wrapped in ours else key], value), key

    def test_a_test_needs_no_pretrained_file(self, tmp_path) -> None:
        stream = {'kind': 'rgb', 'backbone': 'resnet18', 'pretrained': str(tmp_path / 'gone.pth')}
        model = BMoE(3, 'coco17', 2, **{**SMALL, 'global_stream': stream})
        with pytest.raises(UserError, match=r'not found: .*gone\.pth'):
            model.init_weights()

    def test_other_networks_are_refused(self, tmp_path) -> None:
        weights = self.weights()
        weights['layer1.0.conv1.weight'] = torch.ones(1)
        weights['head.weight'] = weights.pop('bn1.weight')
        torch.save(weights, tmp_path / 'other.pth')
        stream = RGBStream(8, backbone='resnet18', pretrained=str(tmp_path / 'other.pth'))
        with pytest.raises(UserError, match='1 keys missing, 1 unknown, 1 of another shape'):
            stream.init_weights()


@pytest.mark.parametrize('kind', ['rgb', 'feature'])
def test_mixture_with_another_global_stream(kind) -> None:
    stream = {'rgb': {'backbone': 'resnet18', 'frames': FRAMES}, 'feature': {'feature_channels': 6}}[kind]
    torch.manual_seed(0)
    model = BMoE(3, 'coco17', 2, **{**SMALL, 'global_stream': {'kind': kind, **stream}})
    inputs = random_inputs(cuts=2, persons=2)
    if kind == 'rgb':
        inputs['rgb'] = torch.randn(2, FRAMES, 3, 32, 32)
        inputs['rgb_seen'] = torch.tensor([[True] * FRAMES, [True, True, False, False]])
    else:
        inputs['feature'] = torch.randn(2, 5, 6)
        inputs['feature_seen'] = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    samples = [ActionSample(), ActionSample()]
    for i, sample in enumerate(samples):
        sample.gt_label = torch.tensor(i)
    losses = model(inputs, samples, mode='loss')
    assert 'loss_whole' in losses
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    model.eval()
    with torch.no_grad():
        together = model(inputs)
        alone = model({key: value[1:] for key, value in inputs.items()})
    torch.testing.assert_close(together[2:], alone, rtol=1e-4, atol=1e-4)
