"""From a corrected table of events to a model, its test and its answer to a recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from skeleton_clips import write_recording

from bmoe_skel import MicroActionInferencer
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main

CONFIG = str(Path(__file__).resolve().parents[2] / 'configs' / 'own_events.py')


@pytest.mark.slow
def test_a_corrected_table_trains_tests_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    header = 'video,start,end,person,label,score,region,source,routing_head,routing_body,routing_upper,routing_lower'
    rows = [header]
    for i in range(5):
        write_recording(tmp_path / 'answers' / 'poses' / f'v{i}.mp4.npz', frames=500, seed=i)
        for k in range(4):
            rows.append(f'v{i}.mp4,{4 * k}.000,{4 * k + 1}.000,0,{("nod", "shrug")[k % 2]},1,,person,,,,')
    (tmp_path / 'answers' / 'events.csv').write_text('\n'.join(rows))
    assert train_main([CONFIG, '--epochs', '1']) == 0
    assert '3 classes (nod, nothing, shrug)' in capsys.readouterr().out
    assert run_test([CONFIG, 'work_dirs/own_events/best.pth']) == 0
    metrics = json.loads((tmp_path / 'work_dirs' / 'own_events' / 'metrics.json').read_text())
    assert 0 <= metrics['top1'] <= 1
    events = MicroActionInferencer('work_dirs/own_events/best.pth')('answers/poses/v0.mp4.npz', window=1.0)
    assert {event.label for event in events} <= {'nod', 'nothing', 'shrug'}
    assert events
