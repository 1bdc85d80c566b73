"""Exported files: equal to torch on clips of any size, and refused when they are something else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skeleton_clips import clip_with_holes, write_checkpoint

from bmoe_ground.errors import UserError
from bmoe_skel.export.exported import ExportedRecognizer
from bmoe_skel.export.recognizer import export_recognizer
from bmoe_skel.inferencer import MicroActionInferencer

pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp('export')
    checkpoint = write_checkpoint(folder / 'model.pth')
    export_recognizer(checkpoint, folder / 'model.onnx')
    return checkpoint, folder / 'model.onnx'


def test_hundred_random_clips_equal_torch(files: tuple[Path, Path]) -> None:
    inferencer, exported = MicroActionInferencer(files[0]), ExportedRecognizer(files[1])
    assert exported.classes == inferencer.classes
    rng = np.random.default_rng(0)
    for seed in range(100):
        clip = clip_with_holes(1, int(rng.integers(1, 90)), 'coco17', 2, seed)
        wanted, routing = inferencer.predict_clip(**{name: value.copy() for name, value in clip.items()})
        found, weights = exported.predict(*(clip[name][None] for name in ('keypoint', 'score', 'frame_times')))
        np.testing.assert_allclose(found[0], wanted, atol=1e-4)
        assert routing is not None and weights is not None
        np.testing.assert_allclose(weights[0], routing, atol=1e-4)


def test_a_batch_equals_its_clips_one_by_one(files: tuple[Path, Path]) -> None:
    exported = ExportedRecognizer(files[1])
    clips = [clip_with_holes(1, 31, 'coco17', 2, seed) for seed in range(5)]
    stacked = [np.stack([clip[name] for clip in clips]) for name in ('keypoint', 'score', 'frame_times')]
    together, _ = exported.predict(*stacked)
    for i in range(5):
        np.testing.assert_allclose(
            exported.predict(*(part[i : i + 1] for part in stacked))[0][0], together[i], atol=1e-6
        )


def test_late_times_lose_nothing(files: tuple[Path, Path]) -> None:
    exported = ExportedRecognizer(files[1])
    clip = clip_with_holes(1, 30, 'coco17', 2, 0)
    first = exported.predict(clip['keypoint'][None], clip['score'][None], clip['frame_times'][None])[0]
    late = exported.predict(clip['keypoint'][None], clip['score'][None], clip['frame_times'][None] + 36_000)[0]
    np.testing.assert_allclose(late, first, atol=1e-5)


def test_runs_without_torch(files: tuple[Path, Path]) -> None:
    code = (
        'import sys; sys.modules["torch"] = None; sys.modules["mmengine"] = None\n'
        'import numpy as np\n'
        'from bmoe_skel.export.exported import ExportedRecognizer\n'
        f'model = ExportedRecognizer({str(files[1])!r})\n'
        'print(model.predict(np.ones((1, 1, 5, 17, 2)), np.ones((1, 1, 5, 17)), np.arange(5)[None] / 25)[0].shape)'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == '(1, 3)', result.stderr


def test_arrays_of_another_layout_are_refused(files: tuple[Path, Path]) -> None:
    exported = ExportedRecognizer(files[1])
    with pytest.raises(ValueError, match='expected .N, M, T, 17, 2. of coco17'):
        exported.predict(np.ones((1, 1, 5, 33, 2)), np.ones((1, 1, 5, 33)), np.zeros((1, 5)))
    with pytest.raises(ValueError, match='do not fit'):
        exported.predict(np.ones((1, 1, 5, 17, 2)), np.ones((1, 1, 4, 17)), np.zeros((1, 5)))


def test_files_that_are_something_else(tmp_path: Path, files: tuple[Path, Path]) -> None:
    import onnx

    (tmp_path / 'noise.onnx').write_bytes(b'nothing')
    with pytest.raises(UserError, match='no ONNX network'):
        ExportedRecognizer(tmp_path / 'noise.onnx')
    with pytest.raises(UserError, match='cannot be read'):
        ExportedRecognizer(tmp_path / 'gone.onnx')
    model = onnx.load(files[1])
    for value, says in (
        (None, 'says nothing of itself'),
        ('[[', 'no JSON'),
        ('[]', 'no JSON object'),
        ('{"format": "bmoe-recognizer 9"}', "'bmoe-recognizer 9'"),
        ('{"format": "bmoe-recognizer 1", "classes": 3}', 'classes are no list of names'),
    ):
        del model.metadata_props[:]
        if value is not None:
            onnx.helper.set_model_props(model, {'bmoe': value})
        onnx.save(model, tmp_path / 'other.onnx')
        with pytest.raises(UserError, match=says):
            ExportedRecognizer(tmp_path / 'other.onnx')


def test_weights_in_another_file_are_not_opened(tmp_path: Path, files: tuple[Path, Path]) -> None:
    import onnx

    model = onnx.load(files[1])
    onnx.save(model, tmp_path / 'split.onnx', save_as_external_data=True, location='secret.bin', size_threshold=0)
    with pytest.raises(UserError, match='no ONNX network'):
        ExportedRecognizer(tmp_path / 'split.onnx')
