from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.feature import hog, local_binary_pattern

from bmoe_ground.errors import UserError
from face_aux.models.patches import Patch, grid_of, patchify, unpatchify
from face_aux.models.targets import Pattern, Target, denormalize, normalize
from face_aux.textures import kirsch_responses, local_directional_pattern, to_gray

PATCH = Patch(1, 6, 6)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def source(frames: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, frames, 12, 18), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def all_targets() -> list[Target]:
    return [
        Target('RGB', mean=MEAN, std=STD),
        *(Target(name, kind) for name in ('LBP', 'LDP', 'LDN', 'CSLBP') for kind in ('codes', 'planes', 'histogram')),
        Target('LDP', 'kirsch'),
        Target('LBP', 'histogram', P=8, R=2, method='nri_uniform'),
        Target('LBP', 'planes', P=16, R=2),
        Target('LDP', 'histogram', cells=2),
        Target('LBP', 'histogram', cells=3, method='uniform'),
        Target('HOG'),
        Target('HOG', cells=1, shrink=2),
        Target('LDP', 'planes', shrink=2),
        Target('LDP', 'kirsch', shrink=3),
    ]


@pytest.mark.parametrize('target', all_targets(), ids=lambda t: f'{t.name}-{t.kind}-{t.channels}-{t.cells}-{t.shrink}')
@pytest.mark.parametrize('patch', [PATCH, Patch(2, 6, 6)], ids=['image', 'tubelet'])
def test_shape_is_what_the_decoder_is_told(target: Target, patch: Patch) -> None:
    patches = target.patches(source(4), patch)
    assert patches.shape == (2, 4 // patch.frames * 6, target.patch_dim(patch))
    assert patches.isfinite().all()


def test_code_target_is_skimages_picture() -> None:
    patches = Target('LBP', 'codes').patches(source(), PATCH)
    picture = unpatchify(patches, grid_of((1, 12, 18), PATCH), PATCH)
    gray = to_gray(source()[:, :, 0]).numpy()
    expected = np.stack([local_binary_pattern(g, 8, 1) for g in gray]) / 255
    np.testing.assert_allclose(picture[:, 0, 0].numpy(), expected, rtol=1e-6)


def test_planes_are_the_bits_of_the_code() -> None:
    planes = Target('LDP', 'planes').maps(source())
    codes = sum(planes[:, i, 0].int() << i for i in range(8))
    assert torch.equal(codes, local_directional_pattern(to_gray(source()[:, :, 0])).int())


def test_kirsch_target_is_normalised_by_patch() -> None:
    patches = Target('LDP', 'kirsch').patches(source(), PATCH)
    torch.testing.assert_close(patches.mean(dim=-1), torch.zeros(2, 6), atol=1e-5, rtol=0)
    raw = patchify(kirsch_responses(to_gray(source()[:, :, 0])).abs().float()[:, :, None] / 3825, PATCH)
    expected = (raw - raw.mean(-1, keepdim=True)) / (raw.var(-1, keepdim=True) + 1e-6).sqrt()
    torch.testing.assert_close(patches, expected)


def test_histogram_target_equals_numpy() -> None:
    patches = Target('LDP', 'histogram').patches(source(2), Patch(2, 6, 6))
    codes = local_directional_pattern(to_gray(source(2)[0].transpose(0, 1))).numpy()
    for token, (row, column) in enumerate((r, c) for r in range(2) for c in range(3)):
        block = codes[:, row * 6 : row * 6 + 6, column * 6 : column * 6 + 6]
        expected = np.bincount(block.reshape(-1), minlength=256) / block.size
        np.testing.assert_allclose(patches[0, token].numpy(), expected, rtol=1e-6)


def test_pooled_histograms_are_those_of_the_cells() -> None:
    patches = Target('LBP', 'histogram', cells=2).patches(source(), PATCH)
    codes = np.stack([local_binary_pattern(g, 8, 1) for g in to_gray(source()[:, :, 0]).numpy()]).astype(int)
    for token, (row, column) in enumerate((r, c) for r in range(2) for c in range(3)):
        for cell, (y, x) in enumerate((y, x) for y in (0, 3) for x in (0, 3)):
            block = codes[1, row * 6 + y : row * 6 + y + 3, column * 6 + x : column * 6 + x + 3]
            expected = np.bincount(block.reshape(-1), minlength=256) / 9
            np.testing.assert_allclose(patches[1, token, cell * 256 : (cell + 1) * 256], expected, rtol=1e-6)


def test_hog_target_is_scikit_images() -> None:
    clip = source(2)
    patches = Target('HOG').patches(clip, Patch(2, 6, 6)).view(2, 2, 3, 2, 2, 2, 9)  # rows, columns, frame, cell, bin
    for image, frame in ((0, 0), (1, 1)):
        pixels = clip[image, :, frame].permute(1, 2, 0).numpy()
        options = {'pixels_per_cell': (3, 3), 'cells_per_block': (1, 1), 'block_norm': 'L2', 'channel_axis': 2}
        expected = hog(pixels, **options, feature_vector=False)[:, :, 0, 0]  # (4, 6, 9)
        ours = patches[image, :, :, frame].permute(0, 2, 1, 3, 4).reshape(4, 6, 9)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_target_at_half_resolution_is_that_of_the_reduced_picture() -> None:
    noise = source()
    small = noise.float().view(2, 3, 1, 6, 2, 9, 2).mean(dim=(4, 6)).round().to(torch.uint8)
    half = Target('LDP', 'planes', shrink=2).patches(noise, PATCH)
    assert torch.equal(half, Target('LDP', 'planes').patches(small, Patch(1, 3, 3)))
    assert half.shape[-1] == 8 * 9


def test_norm_pix_leaves_mean_0_and_deviation_1() -> None:
    patches = Target('RGB', norm_pix=True).patches(source(), PATCH)
    torch.testing.assert_close(patches.mean(-1), torch.zeros(2, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(patches.std(-1), torch.ones(2, 6), atol=1e-3, rtol=0)
    assert not Target('LDP', 'planes', norm_pix=True).norm_pix


def slow_loss(target: Target, predicted: torch.Tensor, truth: torch.Tensor, mask: torch.Tensor) -> float:
    losses = []
    for p, t, removed in zip(predicted.flatten(0, 1), truth.flatten(0, 1), mask.flatten(), strict=True):
        if not removed:
            continue
        p, t = p.double().numpy(), t.double().numpy()
        if target.kind == 'planes':
            q = 1 / (1 + np.exp(-p))
            losses.append(np.mean([-np.log(a) if b else -np.log(1 - a) for a, b in zip(q, t, strict=True)]))
        elif target.kind == 'histogram':
            p, t = (each.reshape(target.cells**2, -1) for each in (p, t))
            losses.append(np.mean([-(b * (a - np.log(np.exp(a).sum()))).sum() for a, b in zip(p, t, strict=True)]))
        else:
            losses.append(np.mean([(a - b) ** 2 for a, b in zip(p, t, strict=True)]))
    return float(np.mean(losses))


@pytest.mark.parametrize('target', all_targets(), ids=lambda t: f'{t.name}-{t.kind}-{t.channels}-{t.cells}-{t.shrink}')
def test_loss_equals_slow_loops_over_removed_patches(target: Target) -> None:
    generator = torch.Generator().manual_seed(3)
    truth = target.patches(source(), PATCH)
    predicted = torch.randn(truth.shape, generator=generator)
    mask = torch.rand(truth.shape[:2], generator=generator) < 0.6
    loss = target.loss(predicted, truth, mask)
    assert float(loss) == pytest.approx(slow_loss(target, predicted, truth, mask), rel=1e-5)


@pytest.mark.parametrize('kind', ['codes', 'planes', 'histogram'])
def test_visible_patches_do_not_count(kind: str) -> None:
    target = Target('LDP', kind)
    truth = target.patches(source(), PATCH)
    mask = torch.zeros(truth.shape[:2], dtype=torch.bool)
    mask[:, ::2] = True
    predicted = torch.randn(truth.shape, requires_grad=True)
    target.loss(predicted, truth, mask).backward()
    assert (predicted.grad[~mask] == 0).all()
    assert (predicted.grad[mask] != 0).any(dim=-1).all()


def test_normalisation_is_inverted_exactly_for_every_level() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 16, 16).expand(1, 3, 1, 16, 16)
    assert torch.equal(denormalize(normalize(levels, MEAN, STD), MEAN, STD), levels)


def test_patterns_as_pictures_reach_from_0_to_1() -> None:
    for name in ('LBP', 'LDP', 'LDN', 'CSLBP'):
        picture = Pattern(name).image(source())
        assert picture.shape == source().shape
        assert float(picture.min()) >= 0
        assert 0.5 < float(picture.max()) <= 1


def test_wrong_descriptions_are_named() -> None:
    with pytest.raises(UserError, match="unknown pattern 'WLD'"):
        Target('WLD')
    with pytest.raises(UserError, match=r'cells must be a whole number .* 0'):
        Target('HOG', cells=0)
    with pytest.raises(UserError, match=r'6 x 6 pixels cannot be reduced by shrink=2 and cut into 2 x 2 cells'):
        Target('HOG', shrink=2).patch_dim(PATCH)
    with pytest.raises(UserError, match='kind must be one of'):
        Target('LDP', 'bits')
    with pytest.raises(UserError, match='k must be 1 to 8'):
        Target('LDP', k=9)
    with pytest.raises(UserError, match='pattern LBP'):
        Target('LBP', radius=3)
    with pytest.raises(UserError, match='needs an edge pattern'):
        Target('LBP', 'kirsch')
