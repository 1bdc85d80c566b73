from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from sklearn import metrics as sk

from bmoe_ground.errors import UserError
from face_aux.metrics import ClassificationMetric, DeepfakeMetric
from face_aux.registry import METRICS
from face_aux.structures import FaceSample


def samples(n: int = 60, seed: int = 0) -> list[FaceSample]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        emotion, fake = int(rng.integers(3)), int(i // 4 % 2)
        attributes = rng.integers(-1, 2, size=4)
        scores = {
            'emotion': torch.softmax(torch.tensor(rng.normal(size=3) + 2 * np.eye(3)[emotion]), 0),
            'fake': torch.tensor([0.5 - s, 0.5 + s]) if (s := 0.3 * rng.normal() + 0.2 * (fake - 0.5)) else None,
            'attributes': torch.tensor(rng.random(4), dtype=torch.float32),
        }
        gt = {'emotion': emotion if i % 10 else -1, 'fake': fake, 'attributes': torch.tensor(attributes).float()}
        made.append(FaceSample(gt=gt, groups={}, path=f'{i}.png', video_id=f'v{i // 4}', scores=scores))
    return made


def evaluate(metric: object, made: list[FaceSample], tasks: dict | None = None) -> dict[str, float]:
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {'tasks': tasks or {}}
    for start in range(0, len(made), 7):
        evaluator.process(made[start : start + 7])
    return evaluator.evaluate(len(made))


def test_single_label_and_ignored_samples() -> None:
    made = samples()
    result = evaluate(ClassificationMetric(tasks=['emotion']), made)
    kept = [s for s in made if s.gt['emotion'] >= 0]
    target = [s.gt['emotion'] for s in kept]
    scores = np.stack([s.scores['emotion'].numpy() for s in kept])
    assert len(kept) == 54
    assert result['emotion/accuracy'] == pytest.approx(sk.accuracy_score(target, scores.argmax(1)))
    assert result['emotion/f1_micro'] == pytest.approx(sk.f1_score(target, scores.argmax(1), average='micro'))
    assert result['emotion/auc'] == pytest.approx(sk.roc_auc_score(target, scores, multi_class='ovr'))
    assert 'emotion/eer' not in result


def test_multi_label_against_sklearn() -> None:
    made = samples()
    names = ['a', 'b', 'c', 'd']
    tasks = {'attributes': {'classes': names, 'multi_label': True}}
    result = evaluate(ClassificationMetric(tasks=['attributes']), made, tasks)
    target = np.stack([s.gt['attributes'].numpy() for s in made])
    scores = np.stack([s.scores['attributes'].numpy() for s in made]).astype(np.float64)
    columns = [(target[target[:, i] >= 0, i], scores[target[:, i] >= 0, i]) for i in range(4)]
    f1 = [sk.f1_score(t, s > 0.5) for t, s in columns]
    assert result['attributes/f1_macro'] == pytest.approx(np.mean(f1))
    pooled = [np.concatenate(x) for x in zip(*columns, strict=True)]
    assert result['attributes/f1_micro'] == pytest.approx(sk.f1_score(pooled[0], pooled[1] > 0.5))
    assert result['attributes/auc'] == pytest.approx(np.mean([sk.roc_auc_score(t, s) for t, s in columns]))
    assert result['attributes/ap'] == pytest.approx(np.mean([sk.average_precision_score(t, s) for t, s in columns]))
    for (t, s), name in zip(columns, names, strict=True):
        assert result[f'attributes/accuracy:{name}'] == pytest.approx(sk.accuracy_score(t, s > 0.5))


def test_frame_and_video_scores_of_deepfakes() -> None:
    made = samples()
    result = evaluate(DeepfakeMetric(), made)
    target = np.array([s.gt['fake'] for s in made])
    score = np.array([s.scores['fake'][1].item() for s in made])
    assert result['fake/frame_auc'] == pytest.approx(sk.roc_auc_score(target, score))
    by_video = score.reshape(-1, 4).mean(axis=1)
    assert result['fake/video_auc'] == pytest.approx(sk.roc_auc_score(target[::4], by_video))
    assert result['fake/video_ap'] == pytest.approx(sk.average_precision_score(target[::4], by_video))
    assert result['fake/video_acc_real'] == pytest.approx(np.mean(by_video[target[::4] == 0] <= 0.5))
    assert result['fake/video_acc_fake'] == pytest.approx(np.mean(by_video[target[::4] == 1] > 0.5))


def test_stills_have_no_video_scores_and_one_class_no_auc() -> None:
    made = [FaceSample(gt={'fake': 1}, path=str(i), scores={'fake': torch.tensor([0.3, 0.7])}) for i in range(3)]
    result = evaluate(DeepfakeMetric(), made)
    assert result['fake/frame_accuracy'] == 1.0
    assert np.isnan(result['fake/frame_auc'])
    assert np.isnan(result['fake/frame_acc_real'])
    assert not any('video' in key for key in result)


def test_results_are_plain_numbers() -> None:
    metric = METRICS.build({'type': 'ClassificationMetric', 'prefix': 'x'})
    result = evaluate(metric, samples())
    assert set(result) > {'x/fake/eer', 'x/emotion/accuracy', 'x/attributes/accuracy:0'}
    assert json.loads(json.dumps(result)) == result


def test_messages() -> None:
    with pytest.raises(UserError, match=r"task 'mood'; tasks with scores: \['emotion', 'fake', 'attributes'\]"):
        evaluate(ClassificationMetric(tasks=['mood']), samples())
    with pytest.raises(UserError, match=r"task 'emotion': 3 scores, but 2 classes: x, y"):
        evaluate(ClassificationMetric(tasks=['emotion']), samples(), {'emotion': {'classes': ['x', 'y']}})
    with pytest.raises(ValueError, match='the model must return FaceSample with scores'):
        evaluate(ClassificationMetric(), [FaceSample(gt={'fake': 1}, path='x')])
