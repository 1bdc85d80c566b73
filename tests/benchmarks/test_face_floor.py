from __future__ import annotations

import argparse
import json
from pathlib import Path

import face_trees as trees
import numpy as np
import pytest
from PIL import Image
from skimage.feature import hog
from sklearn.linear_model import LogisticRegression

from benchmarks.face_floor import Examined, add_arguments, examine, fit_one, framing, labels_of, run, spread
from bmoe_ground.errors import UserError


def striped(root: Path, count: int = 40) -> Path:
    """UTKFace names; the stripes of the men lie, those of the women stand, in one of ten they are swapped."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True)
    for i in range(count):
        gender = i % 2
        waves = 128 + 100 * np.sin(np.arange(32) * 0.9 + rng.uniform(0, 6)) + rng.normal(0, 20, (32, 32))
        pixels = waves if (gender == 1) != (i % 20 > 17) else waves.T
        name = f'{20 + i}_{gender}_{i // 2 % 2}_{2017000 + i}.png'
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / name)
    return root


def test_one_command_gives_the_metrics_of_the_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    faces = striped(tmp_path / 'faces')
    options = [f'dataset.data_root={faces}', 'size=32', 'dataset.stratify=[gender]',
               'test_evaluator.FairnessMetric.min_size=1', 'test_evaluator.FairnessMetric.replicates=0']  # fmt: skip
    words = ['configs/face_aux/utkface.py', '--out', str(tmp_path / 'out'), '--cfg-options', *options]
    assert run(parser.parse_args(words)) == 0
    metrics = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert metrics['gender/accuracy'] >= 0.75
    assert 'gender/age/accuracy_worst' in metrics
    assert (tmp_path / 'out' / 'fairness.html').is_file()
    assert 'C by validation' in capsys.readouterr().out


def examined(labels: list, shift: float, seed: int) -> Examined:
    rng = np.random.default_rng(seed)
    first = np.array([each if isinstance(each, int) else each[0] for each in labels])
    features = rng.normal(size=(len(labels), 6)).astype(np.float32)
    features[:, 0] += shift * first
    items = [{'gt': {'task': label}, 'groups': {}, 'path': '', 'video_id': None} for label in labels]
    return Examined(features, items)


def test_the_validation_part_chooses_the_strength() -> None:
    learn, check = examined([0, 1, -1, 2] * 30, 3, 0), examined([0, 1, -1, 2] * 10, 3, 1)
    model, strength = fit_one(learn, check, 'task', None)
    known = labels_of(learn, 'task', None)[1]
    assert known.sum() == 90
    labels = labels_of(learn, 'task', None)[0]
    again = LogisticRegression(C=strength, max_iter=1000).fit(learn.features[known], labels[known])
    np.testing.assert_allclose(spread(model, check.features, 4)[:, :3], again.predict_proba(check.features))
    noise = examined([0, 1, -1, 2] * 30, 0, 2)
    assert fit_one(noise, examined([0, 1, -1, 2] * 10, 0, 3), 'task', None)[1] < strength
    assert (
        fit_one(examined([[1, 0]] * 5, 0, 0), examined([[0, 1]] * 5, 0, 0), 'task', 0)[0] == 1
    )  # a single class needs no model
    np.testing.assert_array_equal(spread(1, check.features, 3)[0], [0, 1, 0])
    with pytest.raises(UserError, match='no label to choose the strength by'):
        fit_one(learn, examined([-1] * 4, 0, 0), 'task', None)


def test_features_are_scikit_images_and_clips_are_averaged(tmp_path: Path) -> None:
    frames = [np.asarray(Image.open(trees.image(tmp_path / f'{i}.png', i, (16, 24)))) for i in range(2)]
    item = {'gt': {'task': 0}, 'groups': {}, 'path': 'a', 'video_id': None}
    one, clip = (examine([{**item, 'frames': which}], 4) for which in (frames[:1], frames))
    expected = [hog(frame, pixels_per_cell=(4, 4), cells_per_block=(2, 2), channel_axis=2) for frame in frames]
    np.testing.assert_allclose(one.features[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(clip.features[0], np.mean(expected, axis=0), rtol=1e-5, atol=1e-7)
    with pytest.raises(UserError, match='16 x 24 are too small for --cell 16'):
        examine([{**item, 'frames': frames}], 16)


def test_framing_is_that_of_the_test() -> None:
    steps = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': 8}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    assert framing(steps) == steps[:2]
    assert framing(steps, dict) == [steps[0], dict, steps[1]]
    with pytest.raises(UserError, match='must begin with LoadFace'):
        framing(steps[1:])
