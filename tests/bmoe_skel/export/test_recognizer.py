"""What export writes beside ONNX: facts for people, a program of torch.export; and what it refuses to write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import clip_with_holes, write_checkpoint

from bmoe_ground.errors import UserError
from bmoe_skel.export.exported import ExportedRecognizer
from bmoe_skel.export.recognizer import export_recognizer

pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp('export')
    checkpoint = write_checkpoint(folder / 'model.pth')
    assert export_recognizer(checkpoint, folder / 'model.onnx') < 1e-4
    return checkpoint, folder / 'model.onnx'


def test_the_facts_stand_beside_it(files: tuple[Path, Path]) -> None:
    facts = json.loads(Path(f'{files[1]}.json').read_text())
    assert facts['classes'] == ['arms', 'head', 'legs']
    assert facts['keypoints'][:2] == ['nose', 'left_eye']
    assert set(facts['inputs']) == {'keypoints', 'scores', 'times'}


def test_a_program_of_torch_export(tmp_path: Path, files: tuple[Path, Path]) -> None:
    assert export_recognizer(files[0], tmp_path / 'model.pt2') < 1e-4
    program = torch.export.load(tmp_path / 'model.pt2').module()
    clips = [clip_with_holes(2, 19, 'coco17', 2, seed) for seed in range(3)]
    given = [torch.from_numpy(np.stack([c[n] for c in clips])).float() for n in ('keypoint', 'score', 'frame_times')]
    found = program(*given)[0].detach().numpy()
    wanted, _ = ExportedRecognizer(files[1]).predict(*(part.numpy() for part in given))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_only_two_kinds_of_file(tmp_path: Path, files: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match='must end in .onnx or .pt2'):
        export_recognizer(files[0], tmp_path / 'model.tflite')
