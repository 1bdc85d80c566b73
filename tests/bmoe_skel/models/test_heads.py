from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from bmoe_ground.errors import UserError
from bmoe_skel.models.heads import ActionHead, load_label_embeddings
from bmoe_skel.models.losses import TreeLoss

PARTS = [1, 0, 1, 2]
FEATURE = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([0, 1, 2, 3, 3])


def head(**kwargs) -> ActionHead:
    torch.manual_seed(1)
    return ActionHead(8, 4, **kwargs).eval()


def test_scores_are_probabilities() -> None:
    one = head()
    scores = one.scores(one(FEATURE))
    torch.testing.assert_close(scores.sum(1), torch.ones(5))
    many = head(multi_label=True)
    torch.testing.assert_close(many.scores(many(FEATURE)), torch.sigmoid(many.classifier(FEATURE)))
    assert one.body_scores(FEATURE, scores) is None


def test_derived_body_scores_are_sums() -> None:
    model = head(body_parts=PARTS, body_mode='derived')
    scores = model.scores(model(FEATURE)).detach()
    got = model.body_scores(FEATURE, scores)
    for b in range(5):
        wanted = [sum(float(scores[b, c]) for c in range(4) if PARTS[c] == p) for p in range(3)]
        assert got[b].tolist() == pytest.approx(wanted, rel=1e-5)
    assert set(model.losses(FEATURE, TARGET)) == {'loss_cls'}


def test_derived_body_scores_of_several_labels_are_the_largest() -> None:
    model = head(body_parts=PARTS, body_mode='derived', multi_label=True)
    scores = model.scores(model(FEATURE)).detach()
    got = model.body_scores(FEATURE, scores)
    for b in range(5):
        wanted = [max(float(scores[b, c]) for c in range(4) if PARTS[c] == p) for p in range(3)]
        assert got[b].tolist() == pytest.approx(wanted)


def test_own_body_classifier_and_tree_loss() -> None:
    model = head(body_parts=PARTS, body_mode='own', tree_weight=0.25)
    logits = model(FEATURE)
    torch.testing.assert_close(
        model.body_scores(FEATURE, model.scores(logits)), model.body_classifier(FEATURE).softmax(-1)
    )
    losses = model.losses(FEATURE, TARGET)
    assert set(losses) == {'loss_cls', 'loss_tree'}
    torch.testing.assert_close(losses['loss_cls'], F.cross_entropy(logits, TARGET))
    wanted = 0.25 * TreeLoss(PARTS)(model.body_classifier(FEATURE), logits, TARGET)
    torch.testing.assert_close(losses['loss_tree'], wanted)
    losses['loss_tree'].backward()
    assert model.body_classifier.weight.grad.abs().sum() > 0
    assert model.classifier.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('multi_label', [False, True])
def test_label_embedding_loss(tmp_path, multi_label) -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 6))
    np.save(tmp_path / 'v.npy', vectors)
    model = head(label_embeddings=str(tmp_path / 'v.npy'), embedding_weight=50.0, multi_label=multi_label)
    target = F.one_hot(TARGET, 4).float() if multi_label else TARGET
    got = model.losses(FEATURE, target)['loss_embedding']
    guess = model.embedder(FEATURE).detach().numpy()
    assert got.item() == pytest.approx(50 * np.square(guess - vectors[TARGET.numpy()]).mean(), rel=1e-5)


def test_label_embeddings_are_not_in_the_checkpoint_but_their_layers_are(tmp_path) -> None:
    np.save(tmp_path / 'v.npy', np.ones((4, 6)))
    names = set(head(label_embeddings=str(tmp_path / 'v.npy')).state_dict())
    assert 'label_vectors' not in names
    assert 'embedder.0.weight' in names


@pytest.mark.parametrize(
    ('array', 'message'),
    [
        (np.ones((3, 6)), r'have shape \(3, 6\), expected \(4, E\)'),
        (np.ones(4), r'have shape \(4,\), expected \(4, E\)'),
        (np.array([None]), 'cannot be read'),
        (np.array([['a'] * 6] * 4), 'hold <U1, expected numbers'),
        (np.full((4, 6), np.nan), 'NaN or infinite'),
    ],
)
def test_wrong_label_embeddings(tmp_path, array, message) -> None:
    path = tmp_path / 'v.npy'
    np.save(path, array)
    with pytest.raises(UserError, match=message):
        load_label_embeddings(str(path), 4)


def test_missing_label_embeddings(tmp_path) -> None:
    with pytest.raises(UserError, match='nowhere.npy cannot be read'):
        load_label_embeddings(str(tmp_path / 'nowhere.npy'), 4)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'body_mode': 'mine'}, "unknown body_mode 'mine'"),
        ({'body_mode': 'derived'}, 'body part of each of 4 classes, got none'),
        ({'body_mode': 'own', 'body_parts': [0, 1]}, 'body part of each of 4 classes, got 2 classes'),
        ({'body_mode': 'own', 'body_parts': PARTS, 'multi_label': True}, "use 'derived' for several"),
    ],
)
def test_wrong_class_maps(kwargs, message) -> None:
    with pytest.raises(UserError, match=message):
        head(**kwargs)
