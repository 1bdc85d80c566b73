"""B-MoE: region experts, a router, a global stream and their fusion (Poddar et al. 2026, arXiv 2603.24245)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmengine.dist import is_main_process
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_skel.models.heads import ActionHead
from bmoe_skel.models.layers import masked_mean
from bmoe_skel.models.m3e import M3EBlock
from bmoe_skel.models.recognizer import SkeletonRecognizer
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.models.region_recognizer import load_expert
from bmoe_skel.models.router import CrossAttentionRouter, load_balance
from bmoe_skel.models.streams.base import StreamBatch
from bmoe_skel.models.streams.choose import build_global_stream, choose_stream
from bmoe_skel.registry import MODELS
from bmoe_skel.structures import ActionSample
from pose_extract.skeletons import REGIONS


class Encoded(NamedTuple):
    """A batch after fusion; N = B * S * M bodies, R = 4 regions."""

    clip: Tensor  # (B * S, D)
    regions: Tensor  # (B * S, R, D), each expert's own summary
    regions_seen: Tensor  # (B * S, R) bool
    whole: Tensor | None  # (B * S, D), the global stream's own summary
    weights: Tensor  # (N, T', R)
    seen: Tensor  # (N, T', R)
    bodies: tuple[int, int, int]  # (B, S, M)


@MODELS.register_module()
class BMoE(SkeletonRecognizer):
    """Body-part-aware mixture of experts for micro-actions.

    Each region's joints go through an expert of their own; at every step the router, asked by the global stream, says
    how much to believe each; routed and global tokens are added, fused over time by attention, averaged over what is
    seen, and classified. Experts and global stream have classifiers of their own in training (weight ``aux_weight``),
    so that each learns to tell actions from what it sees.

    Args:
        num_classes: C; None takes the dataset's.
        skeleton: Name of the keypoint layout; None takes the dataset's.
        coordinates: 2 or 3; None takes the dataset's.
        dims: D, channels of every token.
        expert: Further arguments of each :class:`RegionExpert`.
        global_stream: Config for :func:`build_global_stream`; None for none (the mean of the experts then asks).
        router: Arguments of :class:`CrossAttentionRouter` but ``dims``.
        fusion_depth: Blocks of the fusion.
        head: Arguments of :class:`ActionHead` but ``dims`` and ``num_classes``.
        aux_weight: Weight of the losses of experts and global stream.
        balance_weight: Weight of the router's load-balancing penalty.
        drop_path: Chance to skip a branch in training, in every part.
        init_experts: Region to checkpoint of an expert trained alone (stage 1). They are loaded by ``init_weights``,
            that is when training starts and not for a test.
        train_clips: Digest of the training clips, filled from the dataset: an expert that was trained on other clips
            may know those of this run's validation and test, and is refused. 'any' refuses none.
        data_preprocessor: Config of the batch builder.

    Raises:
        UserError: An argument contradicts another, or a stage-1 checkpoint does not fit.

    Example:
        >>> model = bmoe_skel.BMoE(num_classes=7, skeleton='coco17', coordinates=2)
        >>> list(model.experts)
        ['head', 'body', 'upper', 'lower']
    """

    head: ActionHead
    side_heads: nn.ModuleDict
    router: CrossAttentionRouter

    def __init__(
        self,
        num_classes: int | None = None,
        skeleton: str | None = None,
        coordinates: int | None = None,
        dims: int = 96,
        expert: dict[str, Any] | None = None,
        global_stream: dict[str, Any] | None = None,
        router: dict[str, Any] | None = None,
        fusion_depth: int = 1,
        head: dict[str, Any] | None = None,
        aux_weight: float = 0.2,
        balance_weight: float = 0.0,
        drop_path: float = 0.0,
        init_experts: dict[str, str] | None = None,
        train_clips: str | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_classes, skeleton, coordinates, data_preprocessor)
        channels = self.features.num_channels
        arguments = {'drop_path': drop_path, **(expert or {})}
        experts = {region: RegionExpert(self.skeleton, region, channels, dims, **arguments) for region in REGIONS}
        for region in init_experts or {}:
            if region not in experts:
                raise UserError(f'init_experts: unknown region {region!r}; choose of {REGIONS}')
        self.init_experts = {region: path for region, path in (init_experts or {}).items() if path is not None}
        self.train_clips = None if train_clips == 'any' else train_clips
        self.experts = nn.ModuleDict(experts)
        stream = dict(global_stream) if global_stream else None
        if stream and stream.get('kind') == 'skeleton':
            stream.setdefault('drop_path', drop_path)
        self.global_stream = build_global_stream(stream, self.skeleton, channels, dims)
        self.router = CrossAttentionRouter(dims, **(router or {}))
        self.fusion = nn.ModuleList(M3EBlock(dims, micro=False, drop_path=drop_path) for _ in range(fusion_depth))
        self.norm = nn.LayerNorm(dims)
        head = dict(head or {})
        self.head = ActionHead(dims, self.num_classes, **head)
        self.aux_weight, self.balance_weight = aux_weight, balance_weight
        if aux_weight > 0:
            side = {
                'multi_label': head.get('multi_label', False),
                'drop': head.get('drop', 0.0),
                'loss': head.get('loss'),
            }
            names = list(REGIONS) + (['whole'] if self.global_stream is not None else [])
            self.side_heads = nn.ModuleDict({name: ActionHead(dims, self.num_classes, **side) for name in names})

    @classmethod
    def complete_config(cls, model: dict[str, Any], metainfo: dict[str, Any]) -> None:
        """Fill what a config leaves open, see :class:`SkeletonRecognizer`; settle a global stream of kind 'auto'.

        Args:
            model: The model's config; changed in place.
            metainfo: The dataset's facts, among them ``rgb_crops`` and ``clips_digest`` where it knows them.

        Raises:
            UserError: Config and data contradict each other.
        """
        super().complete_config(model, metainfo)
        stream, reason = choose_stream(model.get('global_stream'), metainfo.get('rgb_crops'))
        model['global_stream'] = stream
        if reason is not None and is_main_process():
            print(f'global stream: {reason}')
        if model.get('init_experts') and model.get('train_clips') is None:
            model['train_clips'] = metainfo.get('clips_digest')

    def init_weights(self) -> None:
        """Start from the experts of stage 1; the runner calls this before training, but not before a test.

        Raises:
            UserError: A checkpoint does not fit its expert, or was trained on other clips.
        """
        super().init_weights()
        for region, path in self.init_experts.items():
            expert = self.experts[region]
            assert isinstance(expert, RegionExpert)
            load_expert(expert, path, self.train_clips)

    def encode(self, inputs: dict[str, Tensor]) -> Encoded:
        """Run everything but the heads.

        Args:
            inputs: A batch as :class:`PosePreprocessor` builds it.

        Returns:
            The fused clips and what led to them.
        """
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
        routed, weights = self.router(query, regions, seen)
        fused = routed if whole is None else routed + whole
        # a stream that is not the skeleton may see what the experts do not; invisible bodies are left out below
        valid = steps | (whole_seen & visible.any((1, 2))[:, None])
        for block in self.fusion:
            fused = block(fused * valid.unsqueeze(-1), valid)
        return Encoded(
            clip=self._pool(self.norm(fused), valid, bodies),
            regions=torch.stack([self._pool(regions[:, :, r], seen[:, :, r], bodies) for r in range(len(REGIONS))], 1),
            regions_seen=seen.any(1).view(-1, bodies[2], len(REGIONS)).any(1),
            whole=None if whole is None else self._pool(whole, whole_seen, bodies),
            weights=weights,
            seen=seen,
            bodies=bodies,
        )

    @staticmethod
    def _pool(tokens: Tensor, seen: Tensor, bodies: tuple[int, int, int]) -> Tensor:
        """Average over the steps, then over the persons that are seen: (N, T', D) -> (B * S, D)."""
        body = masked_mean(tokens, seen.unsqueeze(-1), dim=1).view(-1, bodies[2], tokens.shape[-1])
        return masked_mean(body, seen.any(1).view(-1, bodies[2], 1), dim=1)

    def forward(
        self, inputs: dict[str, Tensor], data_samples: list[ActionSample] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Run the model.

        Args:
            inputs: A batch as :class:`PosePreprocessor` builds it.
            data_samples: The batch's samples.
            mode: 'loss' for a dict of losses, 'predict' for samples with predictions, 'tensor' for logits (B * S, C).

        Returns:
            As ``mode`` says.
        """
        encoded = self.encode(inputs)
        if mode == 'loss':
            return self._losses(encoded, self.targets(data_samples or [], encoded.clip.device))
        logits = self.head(encoded.clip)
        if mode == 'tensor':
            return logits
        if mode == 'predict':
            return self._predict(encoded, logits, data_samples)
        raise ValueError(f"unknown mode {mode!r}; choose 'loss', 'predict' or 'tensor'")

    def _losses(self, encoded: Encoded, target: Tensor) -> dict[str, Tensor]:
        target = target.repeat_interleave(encoded.bodies[1], 0)
        losses = self.head.losses(encoded.clip, target)
        if self.aux_weight > 0:
            for r, region in enumerate(REGIONS):
                seen = encoded.regions_seen[:, r].to(encoded.clip.dtype)
                side = self._side(region).losses(encoded.regions[:, r], target, seen)
                losses[f'loss_{region}'] = self.aux_weight * side['loss_cls']
            if encoded.whole is not None:
                losses['loss_whole'] = self.aux_weight * self._side('whole').losses(encoded.whole, target)['loss_cls']
        if self.balance_weight > 0:
            losses['loss_balance'] = self.balance_weight * load_balance(encoded.weights, encoded.seen)
        return losses

    def _side(self, name: str) -> ActionHead:
        head = self.side_heads[name]
        assert isinstance(head, ActionHead)
        return head

    def _predict(self, encoded: Encoded, logits: Tensor, samples: list[ActionSample] | None) -> list[ActionSample]:
        batch, cuts, persons = encoded.bodies
        clip_scores = self.head.scores(logits.float())
        body = self.head.body_scores(encoded.clip, clip_scores)
        # (N, T', R): the mean over the bodies in which any region is seen
        shown = encoded.seen.any(-1).view(batch, cuts * persons, -1, 1)
        routing = masked_mean(encoded.weights.view(batch, cuts * persons, *encoded.weights.shape[1:]), shown, dim=1)
        return self.add_predictions(
            samples,
            clip_scores.view(batch, cuts, -1).mean(1),
            None if body is None else body.view(batch, cuts, -1).mean(1),
            routing.transpose(1, 2),
            self._part_scores(encoded),
        )

    def _part_scores(self, encoded: Encoded) -> Tensor | None:
        """(B, P, C) probabilities by the classifier of each region and of the global stream; None without them."""
        if self.aux_weight <= 0:
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
