from __future__ import annotations

import pytest
import torch
from skeleton_clips import stream_batch

from bmoe_ground.errors import UserError
from bmoe_skel.models.streams import FeatureStream


class TestFeatureStream:
    def stream(self) -> FeatureStream:
        torch.manual_seed(0)
        return FeatureStream(feature_channels=6, out_dims=8).eval()

    def test_padding_changes_nothing(self) -> None:
        stream, feature = self.stream(), torch.randn(2, 5, 6)
        alone, _ = stream(stream_batch(feature=feature, feature_seen=torch.ones(2, 5, dtype=torch.bool)), 5)
        padded = torch.cat([feature, torch.full((2, 3, 6), 9.0)], dim=1)
        seen = torch.tensor([[True] * 5 + [False] * 3] * 2)
        tokens, mask = stream(stream_batch(feature=padded, feature_seen=seen), 8)
        torch.testing.assert_close(tokens[:, :5], alone, rtol=1e-4, atol=1e-5)
        assert not tokens[:, 5:].any()
        assert torch.equal(mask, seen)

    def test_every_body_of_a_clip_gets_its_tokens(self) -> None:
        feature, seen = torch.randn(2, 5, 6), torch.ones(2, 5, dtype=torch.bool)
        one, _ = self.stream()(stream_batch(1, feature=feature, feature_seen=seen), 4)
        three, mask = self.stream()(stream_batch(3, feature=feature, feature_seen=seen), 4)
        assert mask.shape == (6, 4)
        for clip in range(2):
            for body in range(3):
                assert torch.equal(three[3 * clip + body], one[clip])

    def test_mistakes(self) -> None:
        with pytest.raises(UserError, match='add LoadFeature'):
            self.stream()(stream_batch(), 4)
        with pytest.raises(UserError, match='features of 5 channels.*feature_channels=6'):
            self.stream()(
                stream_batch(feature=torch.randn(2, 4, 5), feature_seen=torch.ones(2, 4, dtype=torch.bool)), 4
            )
