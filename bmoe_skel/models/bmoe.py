"""B-MoE: region experts, a router, a global stream and their fusion (Poddar et al. 2026, arXiv 2603.24245)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import is_main_process
from torch import Tensor, nn

from bmoe_skel.models.class_regions import class_regions_of, region_table
from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.m3e import M3EBlock
from bmoe_skel.models.recognizer import Batch, Encoded, SkeletonRecognizer
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.models.router import CrossAttentionRouter, Routed, load_balance, region_loss
from bmoe_skel.models.streams.base import StreamBatch, StreamFacts
from bmoe_skel.models.streams.choose import StreamConfig, build_global_stream, choose_stream
from bmoe_skel.registry import MODELS
from bmoe_skel.upgrade import refuse_old_words
from pose_extract.skeletons import REGIONS

DEFAULT_STREAM = 'SkeletonStream'


@dataclass(frozen=True)
class EncodedMixture(Encoded):
    """A batch after fusion; N = B * S * M bodies, R = 4 regions.

    Attributes:
        regions: (B * S, R, D), each expert's own summary.
        regions_seen: (B * S, R) bool.
        whole: (B * S, D), the global stream's own summary, or None.
        routed: What the router made of the experts' tokens.
        seen: (N, T', R) bool.
    """

    regions: Tensor
    regions_seen: Tensor
    whole: Tensor | None
    routed: Routed
    seen: Tensor

    @property
    def weights(self) -> Tensor:
        """(N, T', R) of the router."""
        return self.routed.weights


@MODELS.register_module()
class BMoE(SkeletonRecognizer[EncodedMixture]):
    """Body-part-aware mixture of experts for micro-actions.

    Each region's joints go through an expert of their own; at every step the router, asked by the global stream, says
    how much to believe each; routed and global tokens are added, fused over time by attention, averaged over what is
    seen, and classified. Experts and global stream have classifiers of their own in training (``head.side_weight``),
    so that each learns to tell actions from what it sees.

    Args:
        num_classes: C; None in a config takes the dataset's.
        skeleton: Name of the keypoint layout; None in a config takes the dataset's.
        coordinates: 2 or 3; None in a config takes the dataset's.
        dims: D, channels of every token.
        expert: Further arguments of each :class:`RegionExpert`.
        global_stream: ``type``, a registered :class:`GlobalStream`, and its own arguments; the type alone; or None for
            none (the mean of the experts then asks).
        router: Arguments of :class:`CrossAttentionRouter` but ``dims``; ``fusion_depth``, blocks of fusion after it
            (1); ``feed_query``, whether the global stream is added to what was routed (true), or only asks, and tells
            the class by its own classifier alone; and ``class_regions``, with ``region_weight`` the regions that show
            each class: in a config a dict of class name to region or regions, or left out where the data say it.
        head: Arguments of :class:`ActionHead` but ``dims`` and ``num_classes``.
        drop_path: Chance to skip a branch in training, in every part.
        data_preprocessor: Config of the batch builder.

    Raises:
        UserError: An argument contradicts another.

    Example:
        >>> model = bmoe_skel.BMoE(num_classes=7, skeleton='coco17').eval()
        >>> clips = torch.rand(4, 1, 30, 17, 2)  # (clips, persons, frames, keypoints, xy), NaN where absent
        >>> model(clips).shape
        torch.Size([4, 7])
        >>> model.forward_features(clips).shape
        torch.Size([4, 96])
    """

    side_heads: nn.ModuleDict
    router: CrossAttentionRouter
    class_regions: Tensor

    def __init__(
        self,
        num_classes: int | None = None,
        skeleton: str | None = None,
        coordinates: int | None = 2,
        dims: int = 96,
        expert: dict[str, Any] | None = None,
        global_stream: StreamConfig = DEFAULT_STREAM,
        router: dict[str, Any] | None = None,
        head: dict[str, Any] | None = None,
        drop_path: float = 0.0,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_classes, skeleton, coordinates, data_preprocessor)
        channels = self.features.num_channels
        arguments = {'drop_path': drop_path, **(expert or {})}
        self.experts = nn.ModuleDict(
            {region: RegionExpert(self.skeleton, region, channels, dims, **arguments) for region in REGIONS}
        )
        self.global_stream = build_global_stream(global_stream, StreamFacts(self.skeleton, channels, dims, drop_path))
        routing = dict(router or {})
        fusion_depth = routing.pop('fusion_depth', 1)
        self.feed_query = routing.pop('feed_query', True)
        class_regions = routing.pop('class_regions', None)
        self.router = CrossAttentionRouter(dims, **routing)
        if self.router.region_weight > 0:
            self.register_buffer('class_regions', region_table(class_regions, self.num_classes), persistent=False)
        self.fusion = nn.ModuleList(M3EBlock(dims, micro=False, drop_path=drop_path) for _ in range(fusion_depth))
        self.norm = nn.LayerNorm(dims)
        head = dict(head or {})
        self.head = ActionHead(dims, self.num_classes, **head)
        if self.head.side_weight > 0:
            side = {key: head[key] for key in ('multi_label', 'drop', 'loss') if key in head}
            names = list(REGIONS) + (['whole'] if self.global_stream is not None else [])
            self.side_heads = nn.ModuleDict({name: ActionHead(dims, self.num_classes, **side) for name in names})

    @classmethod
    def complete_config(cls, model: dict[str, Any], metainfo: dict[str, Any]) -> None:
        """Fill what a config leaves open, see :class:`SkeletonRecognizer`; settle the global stream by the data.

        Args:
            model: The model's config; changed in place.
            metainfo: The dataset's facts, among them ``rgb_crops`` where it knows them.

        Raises:
            UserError: Config and data contradict each other, or the config is in the words of 0.1.
        """
        refuse_old_words(model)
        super().complete_config(model, metainfo)
        router = model.get('router') or {}
        if router.get('region_weight', 0) > 0:
            router['class_regions'] = class_regions_of(metainfo, router.get('class_regions'))
        stream, reason = choose_stream(model.get('global_stream', DEFAULT_STREAM), metainfo.get('rgb_crops'))
        model['global_stream'] = stream
        if reason is not None and is_main_process():
            print(f'global stream: {reason}')

    def encode(self, inputs: Batch) -> EncodedMixture:
        """Run everything but the heads; see :class:`SkeletonRecognizer`."""
        features, visible, bodies = self.read(inputs)
        outputs = [expert(features, visible) for expert in self.experts.values()]
        regions = torch.stack([tokens for tokens, _ in outputs], dim=2)  # (N, T', R, D)
        seen = torch.stack([shown for _, shown in outputs], dim=2)
        steps = seen.any(-1)
        whole, whole_seen = None, steps
        query = masked_mean(regions, seen.unsqueeze(-1), dim=2)
        if self.global_stream is not None:
            batch = StreamBatch(
                features,
                visible,
                bodies[1] * bodies[2],
                inputs.get('feature'),
                inputs.get('feature_seen'),
                inputs.get('rgb'),
                inputs.get('rgb_seen'),
            )
            whole, whole_seen = self.global_stream(batch, regions.shape[1])
            query = whole
        routed = self.router(query, regions, seen)
        fused, valid = routed.tokens, steps
        if whole is not None and self.feed_query:
            fused = fused + whole
            # a stream that is not the skeleton may see what the experts do not; invisible bodies are left out below
            valid = steps | (whole_seen & visible.any((1, 2))[:, None])
        for block in self.fusion:
            fused = block(fused * valid.unsqueeze(-1), valid)
        return EncodedMixture(
            clip=self._pool(self.norm(fused), valid, bodies),
            regions=torch.stack([self._pool(regions[:, :, r], seen[:, :, r], bodies) for r in range(len(REGIONS))], 1),
            regions_seen=seen.any(1).view(-1, bodies[2], len(REGIONS)).any(1),
            whole=None if whole is None else self._pool(whole, whole_seen, bodies),
            routed=routed,
            seen=seen,
            bodies=bodies,
        )

    @staticmethod
    def _pool(tokens: Tensor, seen: Tensor, bodies: tuple[int, int, int]) -> Tensor:
        """Average over the steps, then over the persons that are seen: (N, T', D) -> (B * S, D)."""
        body = masked_mean(tokens, seen.unsqueeze(-1), dim=1).view(-1, bodies[2], tokens.shape[-1])
        return masked_mean(body, seen.any(1).view(-1, bodies[2], 1), dim=1)

    def losses(self, encoded: EncodedMixture, target: Tensor) -> dict[str, Tensor]:
        """Compute the losses of the whole and, where they have classifiers of their own, of its parts."""
        losses = self.head.losses(encoded.clip, target)
        weight = self.head.side_weight
        if weight > 0:
            for r, region in enumerate(REGIONS):
                seen = encoded.regions_seen[:, r].to(encoded.clip.dtype)
                side = self._side(region).losses(encoded.regions[:, r], target, seen)
                losses[f'loss_{region}'] = weight * side['loss_cls']
            if encoded.whole is not None:
                losses['loss_whole'] = weight * self._side('whole').losses(encoded.whole, target)['loss_cls']
        if self.router.balance_weight > 0:
            losses['loss_balance'] = self.router.balance_weight * load_balance(encoded.routed, encoded.seen)
        if self.router.region_weight > 0:
            losses['loss_region'] = self.router.region_weight * self._region_loss(encoded, target)
        return losses

    def _region_loss(self, encoded: EncodedMixture, target: Tensor) -> Tensor:
        wanted = self.class_regions[target] if target.ndim == 1 else (target @ self.class_regions.to(target.dtype)) > 0
        return region_loss(encoded.routed.dense, encoded.seen, wanted.repeat_interleave(encoded.bodies[2], 0))

    def explain(self, encoded: EncodedMixture) -> dict[str, Tensor]:
        """Say how much each region was believed, and what each part would have answered alone.

        Returns:
            ``routing`` (B, R, T'), the mean over the bodies in which any region is seen, and ``part_scores``
            (B, P, C) where the parts have classifiers.
        """
        batch, cuts, persons = encoded.bodies
        shown = encoded.seen.any(-1).view(batch, cuts * persons, -1, 1)
        routing = masked_mean(encoded.weights.view(batch, cuts * persons, *encoded.weights.shape[1:]), shown, dim=1)
        answers = {'routing': routing.transpose(1, 2)}
        parts = self._part_scores(encoded)
        return answers if parts is None else {**answers, 'part_scores': parts}

    def _side(self, name: str) -> ActionHead:
        head = self.side_heads[name]
        assert isinstance(head, ActionHead)
        return head

    def _part_scores(self, encoded: EncodedMixture) -> Tensor | None:
        """(B, P, C) probabilities by the classifier of each region and of the global stream; None without them."""
        if self.head.side_weight <= 0:
            return None
        scores = []
        for r, region in enumerate(REGIONS):
            side = self._side(region)
            seen = encoded.regions_seen[:, r, None]
            scores.append(side.scores(side(encoded.regions[:, r]).float()) * seen)
        if encoded.whole is not None:
            side = self._side('whole')
            scores.append(side.scores(side(encoded.whole).float()))
        batch, cuts, _ = encoded.bodies
        return torch.stack(scores, 1).view(batch, cuts, len(scores), -1).mean(1)
