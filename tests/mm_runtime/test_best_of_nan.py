"""A score that was never a number chooses no best checkpoint, and that is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook

from mm_runtime import best
from mm_runtime.best import BestCheckpointHook


@pytest.mark.parametrize(('scores', 'said'), [([float('nan')] * 2, True), ([float('nan'), 0.5], False), ([], False)])
@pytest.mark.parametrize('earlier', [True, False])
def test_no_best_because_of_nan_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: list[float], said: bool, earlier: bool
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(best, 'print_log', lambda text, **_: lines.append(text))
    checkpoints = CheckpointHook(save_best='f1_macro', rule='greater')
    checkpoints.key_indicators = ['f1_macro']
    runner = SimpleNamespace(hooks=[checkpoints], work_dir=str(tmp_path))
    if earlier:
        (tmp_path / 'best.pth').touch()
    hook = BestCheckpointHook()
    for score in scores:
        hook.after_val_epoch(runner, {'f1_macro': score})
    hook.after_train(runner)
    assert len(lines) == said
    if said:
        assert lines[0].startswith('no best checkpoint: f1_macro was NaN in all 2 validations')
        assert ('is of an earlier run' in lines[0]) == earlier
