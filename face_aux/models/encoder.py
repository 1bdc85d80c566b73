"""The vision transformer that both passes share, built by timm, for images and for clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from bmoe_ground.errors import UserError
from face_aux.models.masking import kept_indices
from face_aux.models.patches import Grid, Patch, expand_mask


class TubeletEmbed(nn.Module):
    """Patches of several frames as tokens (Arnab et al. 2021), in place of timm's ``PatchEmbed``.

    Args:
        img_size: Height and width of a frame.
        patch_size: Height and width of a patch.
        in_chans: Channels.
        embed_dim: Width of a token.
        bias: Whether the projection has one.
        frames: Frames of a clip.
        tubelet: Frames of a patch.
        **kwargs: timm's further arguments, which have no meaning here.
    """

    def __init__(
        self,
        img_size: int | tuple[int, int],
        patch_size: int | tuple[int, int],
        in_chans: int,
        embed_dim: int,
        bias: bool = True,
        frames: int = 16,
        tubelet: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.img_size, self.patch_size = _pair(img_size), _pair(patch_size)
        self.frames, self.tubelet = frames, tubelet
        self.grid_size = tuple(side // size for side, size in zip(self.img_size, self.patch_size, strict=True))
        self.num_patches = frames // tubelet * self.grid_size[0] * self.grid_size[1]
        size = (tubelet, *self.patch_size)
        self.proj = nn.Conv3d(in_chans, embed_dim, kernel_size=size, stride=size, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) to (B, tokens, D)."""
        return self.proj(x).flatten(2).transpose(1, 2)


class StemEmbed(nn.Module):
    """A few overlapping convolutions in place of the patch projection (Xiao et al. 2021).

    From few images a transformer learns far more with it. Its convolutions look beyond a patch, so whoever hides
    patches has to blank their pixels first, as :class:`VisionEncoder` does.

    Args:
        img_size: Height and width of an image.
        patch_size: Height and width of a patch, the product of the convolutions' strides.
        in_chans: Channels of the image.
        embed_dim: Width of a token.
        channels: Channels after each convolution but the last, which gives ``embed_dim``.
        **kwargs: timm's further arguments, which have no meaning here.
    """

    def __init__(
        self,
        img_size: int | tuple[int, int],
        patch_size: int | tuple[int, int],
        in_chans: int,
        embed_dim: int,
        channels: Sequence[int] = (24, 48),
        **kwargs: Any,
    ) -> None:
        super().__init__()
        from timm.layers import LayerNorm2d
        from timm.models.vision_transformer_hybrid import ConvStem

        self.img_size, self.patch_size = _pair(img_size), _pair(patch_size)
        if self.patch_size[0] != self.patch_size[1]:
            raise UserError(f'encoder.stem needs square patches, but patch_size is {patch_size}')
        self.grid_size = tuple(side // size for side, size in zip(self.img_size, self.patch_size, strict=True))
        self.num_patches = self.grid_size[0] * self.grid_size[1]
        strides = stem_strides(self.patch_size[0], len(channels) + 1)
        kernels = tuple(max(3, stride // 2 * 2 + 1) for stride in strides)
        self.stem = ConvStem(
            in_chans,
            len(strides),
            (*channels, embed_dim),
            kernels,
            strides,
            tuple(kernel // 2 for kernel in kernels),
            norm_layer=LayerNorm2d,  # no batch norm: its statistics of masked and of whole images would mix
            act_layer=nn.GELU,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, tokens, D)."""
        return self.stem(x).flatten(2).transpose(1, 2)


class VisionEncoder(nn.Module):
    """A timm vision transformer without its head, with an optional mask on its input.

    Args:
        name: timm's name of the model, ``'vit_tiny_patch16_224'`` to ``'vit_huge_patch14_224'`` and others that are
            plain vision transformers.
        pretrained: Load the weights that timm knows by this name (downloaded once by timm).
        frames: Frames of a clip; None for images.
        tubelet: Frames of a patch of a clip.
        stem: Channels of a convolutional stem in place of the patch projection, see :class:`StemEmbed`; None for the
            projection.
        pos_embed: ``'sincos'`` (fixed, as in MAE and SSAT) or ``'learned'``; None for learned where pretrained and
            fixed otherwise.
        **timm_options: ``img_size``, ``patch_size``, ``embed_dim``, ``depth``, ``num_heads``, ``drop_path_rate`` and
            whatever else timm's model takes.

    Raises:
        UserError: timm has no such model, or it is no plain vision transformer, or sizes do not divide.
    """

    def __init__(
        self,
        name: str = 'vit_base_patch16_224',
        pretrained: bool = False,
        frames: int | None = None,
        tubelet: int = 2,
        stem: Sequence[int] | None = None,
        pos_embed: str | None = None,
        **timm_options: Any,
    ) -> None:
        super().__init__()
        if stem is not None:
            if pretrained or frames is not None:
                raise UserError('encoder.stem is for images and for weights from scratch; drop pretrained and frames')
            timm_options['embed_layer'] = partial(StemEmbed, channels=tuple(stem))
        self.vit = _create(name, pretrained, **timm_options)
        if frames is not None:
            self.vit = _for_clips(self.vit, name, pretrained, frames, tubelet, timm_options)
        embed = self.vit.patch_embed
        sides = (frames or 1, *_pair(embed.img_size))
        self.patch = Patch(tubelet if frames else 1, *_pair(embed.patch_size))
        if any(side % size for side, size in zip(sides, self.patch, strict=True)):
            raise UserError(f'encoder: (T, H, W) = {sides} must be multiples of the patch {tuple(self.patch)}')
        self.grid = Grid(*(side // size for side, size in zip(sides, self.patch, strict=True)))
        self.is_video, self.has_stem = frames is not None, stem is not None
        self.input_shape = (3, *sides) if frames else (3, *sides[1:])
        self.num_features: int = self.vit.embed_dim
        self.num_prefix_tokens: int = self.vit.num_prefix_tokens
        if not pretrained:
            init_like_mae(self.vit)
        self._set_pos_embed(pos_embed or ('learned' if pretrained else 'sincos'))

    def _set_pos_embed(self, kind: str) -> None:
        if kind not in ('sincos', 'learned'):
            raise UserError(f"encoder.pos_embed must be 'sincos' or 'learned', but got {kind!r}")
        if kind == 'sincos' and self.vit.pos_embed is not None:
            table = self.vit.pos_embed
            fixed = sincos_position_embedding(self.grid, self.num_features)
            with torch.no_grad():
                table.zero_()
                table[0, table.shape[1] - len(fixed) :] = fixed
            table.requires_grad_(False)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Encode images or clips.

        Args:
            x: (B, 3, H, W), or (B, 3, T, H, W).
            mask: (B, tokens) bool, True where a patch is left out; every row as many.

        Returns:
            (B, prefix + tokens, D), or (B, prefix + kept tokens, D), after the last norm.
        """
        if x.shape[1:] != self.input_shape:
            raise ValueError(f'inputs must be (B, {", ".join(map(str, self.input_shape))}), but got {tuple(x.shape)}')
        if mask is not None and self.has_stem:
            x = x.masked_fill(expand_mask(mask, self.grid, self.patch)[:, :, 0], 0.0)
        x = self.vit._pos_embed(self.vit.patch_embed(x))
        if mask is not None:
            prefix, patches = x[:, : self.num_prefix_tokens], x[:, self.num_prefix_tokens :]
            index = kept_indices(mask)[:, :, None].expand(-1, -1, x.shape[2])
            x = torch.cat([prefix, patches.gather(1, index)], dim=1)
        x = self.vit.norm_pre(x)
        if self.vit.grad_checkpointing and self.training:
            from timm.models import checkpoint_seq

            x = checkpoint_seq(self.vit.blocks, x)
        else:
            x = self.vit.blocks(x)
        return self.vit.norm(x)


def stem_strides(patch: int, count: int) -> tuple[int, ...]:
    """Strides of ``count`` convolutions whose product is ``patch``, small ones first: 2, 2, 2 for patches of 8."""
    factors, rest = [], patch
    for prime in range(2, patch + 1):
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
    factors += [1] * (count - len(factors))
    return (*factors[: count - 1], math.prod(factors[count - 1 :]))


def init_like_mae(module: nn.Module) -> None:
    """Initialise weights as MAE and SSAT do: Xavier for every linear layer, the patch projection being one.

    timm's own 0.02 is made for wide models; in a narrow one it nearly silences the blocks at the start.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
        elif isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            nn.init.xavier_uniform_(layer.weight.view(len(layer.weight), -1))
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def sincos_position_embedding(grid: Grid, dim: int) -> torch.Tensor:
    """Fixed position embedding: sines and cosines of each coordinate, each in its share of the channels.

    Axes of length 1 get no share. With two axes this is MAE's embedding up to the order of channels; with three,
    channels that do not divide stay 0.

    Args:
        grid: Number of patches along each axis.
        dim: Channels.

    Returns:
        (tokens, dim) float32.
    """
    axes = [axis for axis, count in enumerate(grid) if count > 1]
    share = dim // (2 * max(1, len(axes)))  # frequencies an axis
    if share < 1:
        raise UserError(f'encoder: width {dim} is too small for positions along {len(axes)} axes')
    frequencies = 10000.0 ** (-torch.arange(share, dtype=torch.float64) / share)
    coordinates = torch.meshgrid(*(torch.arange(count, dtype=torch.float64) for count in grid), indexing='ij')
    table = torch.zeros(grid.tokens, dim, dtype=torch.float64)
    for place, axis in enumerate(axes):
        angles = coordinates[axis].reshape(-1, 1) * frequencies
        table[:, 2 * share * place : 2 * share * (place + 1)] = torch.cat([angles.sin(), angles.cos()], dim=1)
    return table.float()


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _create(name: str, pretrained: bool, **options: Any) -> Any:
    """A timm vision transformer without head and pooling."""
    import timm
    from timm.models.vision_transformer import VisionTransformer

    if not timm.is_model(name.split('.')[0]):
        near = timm.list_models('vit_*patch*_224')
        raise UserError(f'encoder.name: timm has no model {name!r}; among others it has {near[:12]}')
    try:
        vit = timm.create_model(name, pretrained=pretrained, num_classes=0, global_pool='', **options)
    except TypeError as error:
        raise UserError(f'encoder: {name} does not take these options: {error}') from error
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        reason = f'{type(error).__name__}: {error}'.splitlines()[0]
        raise UserError(
            f'encoder: the pretrained weights of {name} cannot be loaded ({reason}). Without internet access, use '
            'pretrained=False, or give a downloaded file by pretrained_cfg_overlay=dict(file=...)'
        ) from error
    if not isinstance(vit, VisionTransformer):
        raise UserError(f'encoder.name: {name!r} is a {type(vit).__name__}, expected a plain vision transformer')
    return vit


def _for_clips(image_vit: Any, name: str, pretrained: bool, frames: int, tubelet: int, options: dict) -> Any:
    """The same transformer on tubelets; pretrained weights are spread over the frames of a patch and repeated."""
    if frames % tubelet:
        raise UserError(f'encoder: {frames} frames must be a multiple of tubelet={tubelet}')
    vit = _create(name, False, embed_layer=partial(TubeletEmbed, frames=frames, tubelet=tubelet), **options)
    if pretrained:
        state = image_vit.state_dict()
        weight = state['patch_embed.proj.weight']
        state['patch_embed.proj.weight'] = weight[:, :, None].repeat(1, 1, tubelet, 1, 1) / tubelet
        prefix = 0 if image_vit.no_embed_class else image_vit.num_prefix_tokens
        table = state['pos_embed']
        repeated = table[:, prefix:].repeat(1, frames // tubelet, 1)
        state['pos_embed'] = torch.cat([table[:, :prefix], repeated], dim=1)
        vit.load_state_dict(state)
    return vit
