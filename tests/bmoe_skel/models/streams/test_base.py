from __future__ import annotations

import pytest
import torch

from bmoe_skel.models.streams.base import resample_steps


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
