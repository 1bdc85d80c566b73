"""The light decoder that fills in the removed patches; it exists in training only."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from face_aux.models.encoder import init_like_mae, sincos_position_embedding
from face_aux.models.masking import kept_indices
from face_aux.models.patches import Grid


def default_decoder(embed_dim: int) -> dict[str, int]:
    """Size that SSAT uses beside an encoder of this width: light up to ViT-S, MAE's own from ViT-B on."""
    if embed_dim <= 384:
        return {'dim': 128, 'depth': 2, 'heads': 16}
    return {'dim': 512, 'depth': 8, 'heads': 16}


class MaskedDecoder(nn.Module):
    """MAE's decoder (He et al. 2022): mask tokens where patches are missing, a few blocks, one linear layer a target.

    Args:
        embed_dim: Width of the encoder's tokens.
        grid: Number of patches along each axis.
        prefix_tokens: Tokens before the patches (class token, registers).
        outputs: Target name to values a patch.
        dim: Width.
        depth: Number of blocks.
        heads: Attention heads.
    """

    pos_embed: torch.Tensor

    def __init__(
        self,
        embed_dim: int,
        grid: Grid,
        prefix_tokens: int,
        outputs: Mapping[str, int],
        dim: int = 128,
        depth: int = 2,
        heads: int = 16,
    ) -> None:
        super().__init__()
        from timm.models.vision_transformer import Block

        self.prefix_tokens = prefix_tokens
        self.embed = nn.Linear(embed_dim, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer('pos_embed', sincos_position_embedding(grid, dim)[None], persistent=False)
        self.blocks = nn.Sequential(*(Block(dim, heads, qkv_bias=True) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.heads = nn.ModuleDict({name: nn.Linear(dim, size) for name, size in outputs.items()})
        init_like_mae(self)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict every patch, the visible ones included.

        Args:
            latent: (B, prefix + kept, D) tokens of the masked encoder pass.
            mask: (B, tokens) bool, True where removed.

        Returns:
            Target name to (B, tokens, values).
        """
        x = self.embed(latent)
        prefix, visible = x[:, : self.prefix_tokens], x[:, self.prefix_tokens :]
        index = kept_indices(mask)[:, :, None].expand(-1, -1, x.shape[2])
        patches = self.mask_token.to(x.dtype).expand(*mask.shape, -1).scatter(1, index, visible)
        x = torch.cat([prefix, patches + self.pos_embed.to(x.dtype)], dim=1)
        x = self.norm(self.blocks(x))[:, self.prefix_tokens :]
        return {name: head(x) for name, head in self.heads.items()}
