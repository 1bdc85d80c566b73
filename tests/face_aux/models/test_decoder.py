from __future__ import annotations

import torch

from face_aux.models.decoder import MaskedDecoder, default_decoder
from face_aux.models.masking import random_mask
from face_aux.models.patches import Grid

GRID = Grid(1, 4, 4)


def decoder(**outputs: int) -> MaskedDecoder:
    torch.manual_seed(0)
    return MaskedDecoder(24, GRID, 1, outputs, dim=32, depth=2, heads=4).eval()


def test_one_prediction_a_patch_and_target() -> None:
    mask = random_mask(3, GRID, 0.75)
    predicted = decoder(RGB=108, LDP=36)(torch.randn(3, 5, 24), mask)
    assert {name: tuple(p.shape) for name, p in predicted.items()} == {'RGB': (3, 16, 108), 'LDP': (3, 16, 36)}


def test_tokens_stand_where_their_patches_were() -> None:
    """What enters the blocks: visible tokens at their places, the mask token elsewhere, each with its position."""
    model = decoder(LDP=4)
    mask = torch.ones(1, 16, dtype=torch.bool)
    mask[0, [2, 9]] = False
    latent = torch.randn(1, 3, 24)
    seen = []
    model.blocks.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model(latent, mask)
    embedded = model.embed(latent)[0]
    expected = model.mask_token[0].expand(16, -1).clone()
    expected[2], expected[9] = embedded[1], embedded[2]
    torch.testing.assert_close(seen[0][0, 1:], expected + model.pos_embed[0])
    torch.testing.assert_close(seen[0][0, 0], embedded[0])


def test_sizes_follow_ssat() -> None:
    assert default_decoder(192) == default_decoder(384) == {'dim': 128, 'depth': 2, 'heads': 16}
    assert default_decoder(768) == default_decoder(1280) == {'dim': 512, 'depth': 8, 'heads': 16}


def test_autocast_gives_the_same_up_to_its_precision() -> None:
    model, mask, latent = decoder(LDP=8), random_mask(2, GRID, 0.75), torch.randn(2, 5, 24)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = model(latent, mask)['LDP']
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), model(latent, mask)['LDP'], atol=0.1, rtol=0.1)
