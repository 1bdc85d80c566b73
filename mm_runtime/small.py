"""A first trial on a handful of samples: fewer than a batch must not train nothing at all."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config


def keep_small_batch(cfg: Config, samples: int) -> str | None:
    """Keep the only batch of a set that is smaller than a batch, which ``drop_last`` would leave out.

    Args:
        cfg: The config; ``train_dataloader.drop_last`` may be changed in place.
        samples: Samples of the training set.

    Returns:
        What to say of it, with the option to set; None where there is a whole batch.
    """
    loader: dict[str, Any] = cfg.train_dataloader
    batch = loader.get('batch_size') or 0
    if samples >= batch:
        return None
    if loader.get('drop_last'):
        loader['drop_last'] = False
    return (
        f'train: {samples} samples, fewer than a batch of {batch}: an epoch is one step. For more steps: '
        f'--cfg-options train_dataloader.batch_size={max(samples // 3, 1)}'
    )
