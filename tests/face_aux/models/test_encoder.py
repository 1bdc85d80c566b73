from __future__ import annotations

import importlib

import pytest
import torch

from bmoe_ground.errors import UserError
from face_aux.models.encoder import TubeletEmbed, VisionEncoder, sincos_position_embedding, stem_strides
from face_aux.models.patches import Grid

timm = importlib.import_module('timm')  # after the import cures that come with face_aux

SMALL = {'name': 'vit_tiny_patch16_224', 'img_size': 24, 'patch_size': 6, 'embed_dim': 24, 'depth': 2, 'num_heads': 3}


def test_unmasked_pass_equals_timm() -> None:
    torch.manual_seed(0)
    encoder = VisionEncoder(**SMALL, pos_embed='learned').eval()
    plain = timm.create_model(**{'model_name' if k == 'name' else k: v for k, v in SMALL.items()}, num_classes=0)
    plain.load_state_dict(encoder.vit.state_dict())
    x = torch.randn(2, 3, 24, 24)
    assert torch.equal(encoder(x), plain.eval().forward_features(x))


def test_masked_pass_equals_encoding_the_kept_tokens_by_hand() -> None:
    torch.manual_seed(0)
    encoder = VisionEncoder(**SMALL).eval()
    x = torch.randn(2, 3, 24, 24)
    mask = torch.ones(2, 16, dtype=torch.bool)
    mask[0, [3, 7]] = False
    mask[1, [0, 15]] = False
    encoded = encoder(x, mask)
    assert encoded.shape == (2, 3, 24)
    vit = encoder.vit
    for i, kept in enumerate([[3, 7], [0, 15]]):
        patches = vit.patch_embed(x[i : i + 1])[0, kept] + vit.pos_embed[0, [k + 1 for k in kept]]
        tokens = torch.cat([vit.cls_token[0] + vit.pos_embed[0, :1], patches])[None]
        torch.testing.assert_close(encoded[i : i + 1], vit.norm(vit.blocks(tokens)))


def test_hidden_pixels_have_no_influence() -> None:
    encoder = VisionEncoder(**SMALL).eval()
    mask = torch.ones(1, 16, dtype=torch.bool)
    mask[0, 5] = False
    x = torch.randn(1, 3, 24, 24)
    changed = x.clone()
    changed[:, :, :6] += 1  # the first row of patches; patch 5 lies in the second
    assert torch.equal(encoder(x, mask), encoder(changed, mask))


STEM = {**SMALL, 'img_size': 32, 'patch_size': 8, 'stem': [6, 10]}


def test_stem_is_convolutions_of_stride_two_and_sees_beyond_a_patch() -> None:
    torch.manual_seed(0)
    encoder = VisionEncoder(**STEM).eval()
    embed = encoder.vit.patch_embed
    x = torch.randn(2, 3, 32, 32)
    y = x
    convolutions = [module for module in embed.modules() if isinstance(module, torch.nn.Conv2d)]
    for i, layer in enumerate(convolutions):
        y = torch.nn.functional.conv2d(y, layer.weight, layer.bias, stride=2, padding=1)
        if i < 2:
            y = (y - y.mean(1, keepdim=True)) / (y.var(1, keepdim=True, unbiased=False) + 1e-6).sqrt()
            y = torch.nn.functional.gelu(y)
    assert [layer.out_channels for layer in convolutions] == [6, 10, 24]
    torch.testing.assert_close(embed(x), y.flatten(2).transpose(1, 2), rtol=1e-4, atol=1e-4)
    changed = x.clone()
    changed[:, :, :, 8:16] += 1  # the second column of patches
    assert not torch.equal(embed(x)[:, 2], embed(changed)[:, 2])  # a token of the third


@pytest.mark.parametrize(
    ('patch', 'count', 'strides'),
    [(8, 3, (2, 2, 2)), (16, 3, (2, 2, 4)), (6, 3, (2, 3, 1)), (4, 1, (4,)), (7, 2, (7, 1)), (32, 5, (2,) * 5)],
)
def test_strides_of_a_stem_make_the_patch(patch: int, count: int, strides: tuple[int, ...]) -> None:
    assert stem_strides(patch, count) == strides
    encoder = VisionEncoder(**{**SMALL, 'img_size': 3 * patch, 'patch_size': patch, 'stem': [4] * (count - 1)})
    assert encoder(torch.randn(2, *encoder.input_shape)).shape == (2, 1 + 9, 24)


def test_hidden_pixels_have_no_influence_through_a_stem() -> None:
    encoder = VisionEncoder(**STEM).eval()
    mask = torch.ones(1, 16, dtype=torch.bool)
    mask[0, [5, 6]] = False
    x = torch.randn(1, 3, 32, 32)
    changed = torch.randn(1, 3, 32, 32)
    changed[:, :, 8:16, 8:24] = x[:, :, 8:16, 8:24]  # patches 5 and 6
    assert torch.equal(encoder(x, mask), encoder(changed, mask))
    assert not torch.equal(encoder(x), encoder(changed))


def test_sincos_positions_are_distinct_and_fixed() -> None:
    table = sincos_position_embedding(Grid(1, 4, 4), 24)
    assert table.shape == (16, 24)
    assert torch.cdist(table, table).fill_diagonal_(9).min() > 0.1
    # row 2, column 3: sines and cosines of 2, then of 3, with frequencies 10000 ** (-i / 6)
    frequencies = torch.tensor([10000 ** (-i / 6) for i in range(6)])
    expected = torch.cat(
        [(2 * frequencies).sin(), (2 * frequencies).cos(), (3 * frequencies).sin(), (3 * frequencies).cos()]
    )
    torch.testing.assert_close(table[2 * 4 + 3], expected)
    encoder = VisionEncoder(**SMALL)
    assert not encoder.vit.pos_embed.requires_grad
    assert torch.equal(encoder.vit.pos_embed[0, 1:], table)
    assert torch.equal(encoder.vit.pos_embed[0, 0], torch.zeros(24))
    assert VisionEncoder(**SMALL, pos_embed='learned').vit.pos_embed.requires_grad


def test_weights_start_as_in_mae() -> None:
    torch.manual_seed(0)
    vit = VisionEncoder(**{**SMALL, 'embed_dim': 96}).vit
    for weight in (vit.patch_embed.proj.weight.flatten(1), vit.blocks[0].mlp.fc1.weight, vit.blocks[1].attn.qkv.weight):
        weight = weight.detach()
        bound = (6 / sum(weight.shape)) ** 0.5  # Glorot & Bengio 2010, uniform
        assert 0.98 * bound < float(weight.abs().max()) <= bound
        assert float(weight.std()) == pytest.approx(bound / 3**0.5, rel=0.05)
    assert not vit.blocks[0].mlp.fc1.bias.any()


def test_tubelets_of_equal_frames_equal_the_image() -> None:
    embed = TubeletEmbed(12, 6, 3, 8, frames=4, tubelet=2)
    x = torch.randn(1, 3, 4, 12, 12)
    tokens = embed(x)
    assert tokens.shape == (1, 2 * 2 * 2, 8)
    expected = torch.einsum('octhw,cthw->o', embed.proj.weight, x[0, :, 2:4, 0:6, 6:12]) + embed.proj.bias
    torch.testing.assert_close(tokens[0, 4 + 1], expected, rtol=1e-4, atol=1e-5)


def test_clip_encoder_has_positions_for_all_tokens() -> None:
    encoder = VisionEncoder(**SMALL, frames=4, tubelet=2)
    assert encoder.grid == Grid(2, 4, 4)
    assert encoder(torch.randn(2, 3, 4, 24, 24)).shape == (2, 1 + 32, 24)
    table = encoder.vit.pos_embed[0, 1:]
    assert torch.cdist(table, table).fill_diagonal_(9).min() > 0.01


def test_pretrained_weights_are_spread_over_a_tubelet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip of equal frames is embedded as timm embeds the frame; timm's download is replaced."""
    source = timm.create_model('vit_tiny_patch16_224', num_classes=0, global_pool='')
    create = timm.create_model

    def offline(name: str, pretrained: bool = False, **options: object) -> torch.nn.Module:
        model = create(name, pretrained=False, **options)
        if pretrained:
            model.load_state_dict(source.state_dict())
        return model

    monkeypatch.setattr(timm, 'create_model', offline)
    encoder = VisionEncoder('vit_tiny_patch16_224', pretrained=True, frames=4, tubelet=2).eval()
    image = torch.randn(1, 3, 224, 224)
    tokens = encoder.vit._pos_embed(encoder.vit.patch_embed(image[:, :, None].expand(-1, -1, 4, -1, -1)))
    expected = source._pos_embed(source.patch_embed(image))
    torch.testing.assert_close(tokens[:, :1], expected[:, :1])
    torch.testing.assert_close(tokens[:, 1:197], expected[:, 1:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(tokens[:, 197:], expected[:, 1:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ('name', 'width', 'grid'),
    [
        ('vit_tiny_patch16_224', 192, Grid(1, 14, 14)),
        ('vit_small_patch32_224', 384, Grid(1, 7, 7)),
        ('vit_base_patch16_384', 768, Grid(1, 24, 24)),
        ('vit_large_patch16_224', 1024, Grid(1, 14, 14)),
        ('vit_huge_patch14_224', 1280, Grid(1, 16, 16)),
    ],
)
def test_timms_sizes_from_tiny_to_huge(name: str, width: int, grid: Grid) -> None:
    with torch.device('meta'):  # shapes without memory
        encoder = VisionEncoder(name)
        assert (encoder.num_features, encoder.grid) == (width, grid)
        tokens = encoder(torch.empty(2, *encoder.input_shape))
    assert tokens.shape == (2, 1 + grid.tokens, width)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'name': 'vit_minuscule'}, "no model 'vit_minuscule'"),
        ({'name': 'resnet18'}, 'do not|does not|plain vision transformer'),
        ({'colour': 'red'}, 'does not take these options'),
        ({'img_size': 25}, 'multiples of the patch'),
        ({'pos_embed': 'rotary'}, "'sincos' or 'learned'"),
        ({'frames': 5}, 'multiple of tubelet'),
        ({'stem': [8], 'img_size': 32, 'patch_size': (8, 4)}, 'square patches'),
        ({'stem': [8], 'frames': 4}, 'for images'),
    ],
)
def test_wrong_descriptions_are_named(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VisionEncoder(**{**SMALL, **options})


def test_wrong_input_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r'inputs must be \(B, 3, 24, 24\)'):
        VisionEncoder(**SMALL)(torch.zeros(1, 3, 48, 48))


def test_missing_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model

    def no_internet(name: str, pretrained: bool = False, **options: object) -> torch.nn.Module:
        if pretrained:
            raise OSError('We could not connect')
        return create(name, **options)

    monkeypatch.setattr(timm, 'create_model', no_internet)
    with pytest.raises(UserError, match='pretrained=False, or give a downloaded file'):
        VisionEncoder('vit_tiny_patch16_224', pretrained=True)
