from __future__ import annotations

import pytest
import torch
from skeleton_clips import SMALL, stream_batch
from torch import nn

from bmoe_ground.errors import UserError
from bmoe_skel.models import BMoE
from bmoe_skel.models.streams.rgb import RGBStream, ShiftedExcitation, temporal_shift

FRAMES = 4


@pytest.fixture(scope='module')
def rgb_stream() -> RGBStream:
    torch.manual_seed(0)
    return RGBStream(8, backbone='resnet18', frames=FRAMES).eval()


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
        tokens, seen = rgb_stream(stream_batch(2, rgb=rgb), 6)
        assert tokens.shape == (4, 6, 8)
        assert seen.all()
        assert torch.equal(tokens[0], tokens[1])
        # the network is causal in neither direction: the last frame is heard at the first step, through the shift
        other = rgb.clone()
        other[:, -1] += 1
        assert not torch.allclose(rgb_stream(stream_batch(2, rgb=other), 6)[0][:, 0], tokens[:, 0])

    def test_clips_do_not_leak_into_each_other(self, rgb_stream) -> None:
        rgb = torch.randn(2, FRAMES, 3, 32, 32)
        together, _ = rgb_stream(stream_batch(rgb=rgb), FRAMES)
        alone, _ = rgb_stream(stream_batch(clips=1, rgb=rgb[1:]), FRAMES)
        torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-5)

    def test_frames_without_the_person_are_not_seen(self, rgb_stream) -> None:
        seen = torch.tensor([[True, False, True, True], [False] * FRAMES])
        tokens, mask = rgb_stream(stream_batch(rgb=torch.randn(2, FRAMES, 3, 32, 32), rgb_seen=seen), FRAMES)
        assert torch.equal(mask, seen)
        assert not tokens[~seen].any()

    def test_frozen_backbone_stays_as_it_is(self) -> None:
        torch.manual_seed(0)
        stream = RGBStream(8, backbone='resnet18', frames=FRAMES, frozen=True).train()
        before = {key: value.clone() for key, value in stream.backbone.state_dict().items()}
        optimizer = torch.optim.SGD([p for p in stream.parameters() if p.requires_grad], lr=1.0)
        tokens, _ = stream(stream_batch(rgb=torch.randn(2, FRAMES, 3, 32, 32)), FRAMES)
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
        tokens, _ = stream(stream_batch(rgb=torch.randn(2, FRAMES, 3, 32, 32)), FRAMES)
        (tokens * torch.arange(8)).sum().backward()
        silent = [name for name, p in stream.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        # an excitation can be silent where its few hidden units are all off at the start
        assert not [name for name in silent if '.excite.' not in name and 'qkv.bias' not in name]

    def test_mistakes(self, rgb_stream) -> None:
        with pytest.raises(UserError, match='extract with --save-rgb'):
            rgb_stream(stream_batch(), FRAMES)
        with pytest.raises(UserError, match='clips have 5 RGB frames.*frames=4'):
            rgb_stream(stream_batch(rgb=torch.randn(2, 5, 3, 32, 32)), FRAMES)
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
        stream = {'type': 'RGBStream', 'backbone': 'resnet18', 'pretrained': str(tmp_path / 'gone.pth')}
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
