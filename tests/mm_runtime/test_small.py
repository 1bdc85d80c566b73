from __future__ import annotations

from mmengine.config import Config

from mm_runtime.small import keep_small_batch


def test_fewer_samples_than_a_batch_are_one_batch_and_said() -> None:
    cfg = Config({'train_dataloader': {'batch_size': 64, 'drop_last': True}})
    said = keep_small_batch(cfg, 7)
    assert said is not None
    assert '7 samples, fewer than a batch of 64' in said
    assert said.endswith('--cfg-options train_dataloader.batch_size=2')
    assert cfg.train_dataloader.drop_last is False


def test_a_whole_batch_is_left_alone() -> None:
    cfg = Config({'train_dataloader': {'batch_size': 4, 'drop_last': True}})
    assert keep_small_batch(cfg, 4) is None
    assert cfg.train_dataloader.drop_last is True
