from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import Ridge as SklearnRidge

from face_aux.models.ridge import Ridge, calibrate


def samples(count: int = 40, width: int = 60, classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % classes
    features = torch.randn(count, width, generator=generator) + 3
    features[:, 0] += 2 * labels
    return features, labels


def test_the_weights_are_scikit_learns_times_the_calibration() -> None:
    features, labels = samples()
    found = Ridge(features).classify(labels, 3, [0.01])
    centred = (features - features.mean(dim=0)).double()
    penalty = 0.01 * float(centred.square().sum(dim=1).mean()) * len(features)
    targets = torch.nn.functional.one_hot(labels, 3).double()
    model = SklearnRidge(alpha=penalty).fit(features.double().numpy(), targets.numpy())
    factor = float((found.weight / torch.from_numpy(model.coef_)).median())
    np.testing.assert_allclose(found.weight, factor * model.coef_, rtol=1e-3, atol=1e-5)
    assert factor > 0


def test_the_left_out_loss_is_that_of_fits_without_each_sample() -> None:
    features, labels = samples(count=18, width=8)
    found = Ridge(features).classify(labels, 3, [0.1])
    centred = (features - features.mean(dim=0)).double()
    penalty = 0.1 * float(centred.square().sum(dim=1).mean()) * len(features)
    targets = torch.nn.functional.one_hot(labels, 3).double().numpy()
    left_out = []
    for i in range(len(features)):
        rest = np.arange(len(features)) != i
        model = SklearnRidge(alpha=penalty).fit(features.double().numpy()[rest], targets[rest])
        left_out.append(model.predict(features.double().numpy()[i : i + 1])[0])
    *_, loss, right = calibrate(torch.from_numpy(np.stack(left_out)), labels)
    np.testing.assert_allclose(found.log_loss, loss, rtol=1e-3)
    assert found.accuracy == right


def test_the_likeliest_strength_is_chosen() -> None:
    features, labels = samples()
    ridge = Ridge(features)
    strengths = (1e-4, 1e-2, 1.0)
    losses = {strength: ridge.classify(labels, 3, [strength]).log_loss for strength in strengths}
    assert ridge.classify(labels, 3, strengths).strength == min(losses, key=losses.__getitem__)
    assert len(set(losses.values())) == 3


def test_scores_of_half_the_spread_are_calibrated_to_the_same_probabilities() -> None:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 2, (200,), generator=generator)
    scores = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    scores[torch.arange(200), labels] += 1
    scale, _, loss, right = calibrate(scores, labels)
    half, _, same, also = calibrate(scores / 2, labels)
    np.testing.assert_allclose(half, 2 * scale, rtol=0.02)
    np.testing.assert_allclose(loss, same, rtol=1e-3)
    assert right == also
    assert loss < np.log(2)
    independent = calibrate(scores, torch.stack([1 - labels, labels], dim=1))
    assert len(independent[0]) == 2
    assert independent[2] < np.log(2)
