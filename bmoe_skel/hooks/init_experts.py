"""Stage 2: a mixture starts from experts that were trained alone."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from bmoe_skel.models.bmoe import BMoE
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.models.region_recognizer import EXPERT_PREFIX
from bmoe_skel.registry import HOOKS
from mm_runtime.checkpoint import load_checkpoint
from pose_extract.skeletons import REGIONS


@HOOKS.register_module()
class InitExpertsHook(Hook):
    """Load the experts of a mixture from checkpoints of stage 1 before the first step.

    A resumed run has its experts already and reads none of the files; neither does a test.

    Args:
        check_clips: Whether an expert that was trained on other clips than this run's training set is refused: it may
            know those that validate and test this run.
        **experts: Region to the checkpoint of a :class:`RegionRecognizer` of it; None starts the expert anew.

    Raises:
        UserError: A region is unknown; and, when training starts, a checkpoint does not fit its expert or was trained
            on other clips.

    Example:
        >>> InitExpertsHook(head='work_dirs/stage1/head/epoch_60.pth', lower=None).experts
        {'head': 'work_dirs/stage1/head/epoch_60.pth'}
    """

    priority = 'VERY_HIGH'

    def __init__(self, check_clips: bool = True, **experts: str | None) -> None:
        for region in experts:
            if region not in REGIONS:
                raise UserError(f'InitExpertsHook: unknown region {region!r}; choose of {REGIONS}')
        self.check_clips = check_clips
        self.experts = {region: path for region, path in experts.items() if path is not None}

    def before_train(self, runner: Runner) -> None:
        """Load the experts; see the class.

        Args:
            runner: The runner that trains.

        Raises:
            UserError: The run is no mixture's, starts from ``load_from`` too, or a checkpoint is refused.
        """
        if runner._resume or not self.experts:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, BMoE):
            raise UserError(f'InitExpertsHook: {type(model).__name__} has no experts; only BMoE does')
        if runner._load_from:
            raise UserError(
                f'InitExpertsHook and load_from={runner._load_from!r} would both start the experts; give one of them'
            )
        metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', {})
        clips = metainfo.get('clips_digest') if self.check_clips else None
        for region, path in self.experts.items():
            expert = model.experts[region]
            assert isinstance(expert, RegionExpert)
            load_expert(expert, path, clips)


def load_expert(expert: RegionExpert, path: str, train_clips: str | None = None) -> None:
    """Start a mixture's expert from one trained alone.

    Args:
        expert: The expert to fill.
        path: Checkpoint of a :class:`RegionRecognizer`.
        train_clips: Digest of the clips it must have been trained on, as its ``dataset_meta`` has it; None for any.

    Raises:
        UserError: The checkpoint is of another model, region, size or set of training clips.
    """
    checkpoint = load_checkpoint(path)
    weights = {
        k.removeprefix(EXPERT_PREFIX): v for k, v in checkpoint['state_dict'].items() if k.startswith(EXPERT_PREFIX)
    }
    if not weights:
        raise UserError(
            f'{path} is no checkpoint of a single expert (RegionRecognizer): it has no keys "{EXPERT_PREFIX}..."'
        )
    theirs, ours = weights.get('embedding.joints'), expert.embedding.joints
    if theirs is None or theirs.tolist() != ours.tolist():
        found = None if theirs is None else theirs.tolist()
        raise UserError(
            f'{path} is the expert of another region or skeleton: it sees joints {found}, region {expert.region!r} '
            f'has {ours.tolist()}'
        )
    theirs_clips = (checkpoint.get('meta', {}).get('dataset_meta') or {}).get('clips_digest')
    if train_clips is not None and theirs_clips is not None and theirs_clips != train_clips:
        raise UserError(
            f"{path} was trained on other clips than this run's training set, perhaps on some that validate or test "
            'it: train the expert with the same split_seed and annotations, or, if no clip is in both, give '
            '--cfg-options init_experts.check_clips=false'
        )
    try:
        expert.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f'{path} does not fit the expert of region {expert.region!r}: {error}') from error
