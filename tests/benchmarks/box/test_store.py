from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from skeleton_clips import write_checkpoint

from benchmarks.box.recordings import Recording
from benchmarks.box.store import Calibration, fit, store, window_labels
from bmoe_app.answer import Event
from bmoe_skel import MicroActionInferencer
from bmoe_skel.taxonomy import CLASSES, NOTHING
from mm_runtime.checkpoint import load_checkpoint
from mm_runtime.config_text import parse_config_text


def test_windows_show_what_they_hold_most_of() -> None:
    nod = Event(10.0, 11.0, 0, 'nod', 1.0)
    recording = Recording(None, [nod], [(9.0, 10.0), (11.0, 12.0)])  # type: ignore[arg-type]
    spans = np.array([[0.0, 2.0], [9.5, 11.5], [10.2, 12.2], [8.0, 10.5], [12.0, 14.0], [9.0, 10.0]])
    nothing, who_knows = CLASSES.index(NOTHING), -1
    assert window_labels(recording, spans).tolist() == [nothing, 0, 0, who_knows, nothing, who_knows]


def test_a_known_temperature_and_bias_are_found() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, (20000, 4))
    share = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    labels = (share.cumsum(1) > rng.random((20000, 1))).argmax(1)
    biases = np.array([0.4, -0.4, 0.2, -0.2])
    found = fit((true - biases) * 2.5, labels)
    assert abs(found.temperature - 2.5) < 0.15
    np.testing.assert_allclose(found.biases, biases, atol=0.1)


def test_the_stored_file_answers_with_the_changed_layer(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / 'a.pth')
    before = MicroActionInferencer(source)
    change = Calibration(2.0, np.linspace(-1, 1, len(before.classes)))
    store(source, change, tmp_path / 'b.pth', {'seed': 1})
    assert set(load_checkpoint(tmp_path / 'b.pth')) == {'meta', 'state_dict'}
    clip = np.random.default_rng(0).uniform(0, 100, (1, 20, 17, 2))
    old, new = before.predict_clip(clip)[0], MicroActionInferencer(tmp_path / 'b.pth').predict_clip(clip)[0]
    wanted = np.log(old) / 2.0 + change.biases
    wanted = np.exp(wanted) / np.exp(wanted).sum()
    np.testing.assert_allclose(new, wanted, rtol=1e-4)
    meta = torch.load(tmp_path / 'b.pth', weights_only=True)['meta']
    assert meta['made'] == {'seed': 1}
    assert set(parse_config_text(meta['cfg'], 'b.pth')) == {'model', 'test_dataloader'}  # no path of the training
