"""A training whose loss is no number any more learns nothing: it stops, and says where it was and what was odd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from mm_runtime.finite import is_finite, sample_name

_NAMED = 8  # clips that an error lists


class FiniteLossHook(Hook):
    """Stop a training after the step whose loss is NaN or infinite, before anything of it is saved.

    Raises:
        UserError: The message says epoch and step, which losses, which samples of the batch hold numbers that are none,
            or else what the batch held, and how to go on.

    Example:
        >>> FiniteLossHook().after_train_iter(runner, 3, {'inputs': {}}, {'loss': torch.tensor(0.5)})
    """

    priority = 'VERY_HIGH'  # before weights are averaged

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Look at the losses of a step."""
        odd = [f'{name} = {float(value)}' for name, value in (outputs or {}).items() if not is_finite(value)]
        if not odd:
            return
        parts = [text for text in odd if not text.startswith('loss =')] or odd  # the sum says less than its parts
        raise UserError(
            f'training stopped at epoch {runner.epoch + 1}, step {batch_idx + 1}: {", ".join(parts)}; '
            f'{_oddities(data_batch)}. Earlier checkpoints are whole: go on from one with --resume and a lower '
            'learning rate (optim_wrapper.optimizer.lr), or stricter clipping (optim_wrapper.clip_grad.max_norm)'
        )


def _oddities(batch: Any) -> str:
    """What is odd about a batch: samples whose inputs are no numbers; else which samples it held."""
    facts = batch if isinstance(batch, Mapping) else {}
    names = [sample_name(sample) for sample in facts.get('data_samples') or []]
    inputs = facts.get('inputs')
    arrays = inputs if isinstance(inputs, Mapping) else {'inputs': () if inputs is None else inputs}
    found = [
        f'{key} of {names[i] if i < len(names) else f"sample {i + 1}"}'
        for key, rows in arrays.items()
        for i, row in enumerate(rows)
        if not is_finite(row)
    ]
    if found:
        return f'NaN or infinite numbers in {_some(found)}'
    return f'its inputs are numbers; the batch held {_some(names) if names else "samples without names"}'


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ', '.join(names[:_NAMED]) + (f' and {more} more' if more > 0 else '')
