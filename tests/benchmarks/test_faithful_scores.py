"""Judging of attributions against slow loops and tables made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faithful_scores import (
    WHOLE,
    Answers,
    alone,
    at_random,
    attributions,
    effect_of,
    hidden,
    interval,
    join,
    lowest,
    ranked,
    true_regions,
)
from bmoe_ground.errors import UserError

CLASSES = np.array(['nod', 'shrug', 'still'])


def made_up(clips: int = 12, seed: int = 0) -> Answers:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), (clips, 16))
    seen = rng.random((clips, 4)) < 0.8
    seen[:, 1] = True
    return Answers(
        names=np.array([f'clip{i}' for i in range(clips)]),
        labels=rng.integers(0, 3, clips),
        classes=CLASSES,
        probabilities=probabilities,
        seen=seen,
        routing=rng.dirichlet(np.ones(4), clips),
        margin=rng.normal(0, 1, (clips, 4)),
        movement=rng.random((clips, 4)),
    )


def test_ranks_leave_out_what_is_not_seen() -> None:
    order = ranked(np.array([[0.1, 0.5, np.nan, 0.4], [np.nan] * 4, [-1.0, -3.0, -2.0, -4.0]]))
    assert order.tolist() == [[1, 3, 0, -1], [-1, -1, -1, -1], [0, 2, 1, 3]]
    assert lowest(order).tolist() == [0, -1, 3]


def test_effects_are_those_of_a_slow_loop() -> None:
    answers = made_up()
    regions = np.array([0, 1, 2, 3, -1, 1, 1, 2, 0, 3, -1, 2])
    for judge, shown_by in ((hidden, lambda r: WHOLE - 2**r), (alone, lambda r: 2**r)):
        effect = judge(answers, regions)
        for n, region in enumerate(regions):
            found = [effect.right[n], effect.true[n], effect.answered[n]]
            if region < 0:
                assert np.isnan(found).all()
                continue
            scores = answers.probabilities[n, shown_by(int(region))]
            whole = answers.probabilities[n, 15]
            wanted = [
                float(max(scores) == scores[answers.labels[n]]),
                scores[answers.labels[n]],
                scores[whole.argmax()],
            ]
            assert found == pytest.approx(wanted)


def test_a_random_region_is_the_mean_over_those_seen() -> None:
    answers = made_up()
    found = at_random(answers, hidden)
    for n in range(len(answers.names)):
        each = [answers.probabilities[n, 15 - 2**r, answers.labels[n]] for r in range(4) if answers.seen[n, r]]
        assert found.true[n] == pytest.approx(np.mean(each))


def test_attributions_are_of_the_class_answered() -> None:
    answers = made_up()
    found = attributions(answers)
    assert list(found) == ['routing', 'margin', 'leave_one_out', 'alone', 'shapley', 'movement']
    for n, c in enumerate(answers.predicted):
        for r in range(4):
            log = np.log(answers.probabilities[n, :, c])
            wanted = {'leave_one_out': log[15] - log[15 - 2**r], 'alone': log[2**r] - log[0]}
            for method, number in wanted.items():
                value = found[method][n, r]
                assert value == pytest.approx(number) if answers.seen[n, r] else np.isnan(value)
    without = Answers(**{**vars(answers), 'margin': np.full((12, 4), np.nan)})
    assert 'margin' not in attributions(without)


def test_the_first_of_leaving_one_out_costs_the_answer_most() -> None:
    answers = made_up(60)
    lost = {name: hidden(answers, ranked(one)[:, 0]).answered.mean() for name, one in attributions(answers).items()}
    assert min(lost, key=lambda name: lost[name]) == 'leave_one_out'


def test_known_regions_come_from_classes_or_names() -> None:
    answers = made_up(3)
    seen = np.ones((3, 4), bool)
    seen[1, 1] = False
    by_class = Answers(**{**vars(answers), 'labels': np.array([0, 1, 2]), 'seen': seen})
    assert true_regions(by_class, 'demo').tolist() == [0, -1, -1]  # the shoulders are not seen; still is nowhere
    named = Answers(**{**vars(answers), 'names': np.array(['lower/a', 'upper/a', 'c']), 'seen': seen})
    assert true_regions(named, 'names').tolist() == [3, 2, -1]
    with pytest.raises(UserError, match='--known names: the region is known of none of 3 clips'):
        true_regions(answers, 'names')


def test_intervals_keep_the_runs_of_a_clip_together() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, 100)
    names = np.array([f'{i}' for i in range(100)])
    mean, low, high = interval(values, names)
    error = values.std() / 10
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.05)
    # the same clips tested four times tell no more than once
    again = interval(np.repeat(values, 4), np.repeat(names, 4))
    assert again == pytest.approx((mean, low, high))
    assert interval(np.append(values, np.nan), np.append(names, 'x'))[0] == mean
    assert np.isnan(interval(np.array([np.nan]), np.array(['x']))).all()


def test_answers_are_kept_and_joined(tmp_path: Path) -> None:
    one, two = made_up(3), made_up(4, seed=1)
    one.save(tmp_path / 'one.npz')
    both = join([Answers.load(tmp_path / 'one.npz'), two])
    assert both.names.tolist() == [*one.names, *two.names] and both.classes.tolist() == CLASSES.tolist()
    np.testing.assert_array_equal(both.probabilities[3:], two.probabilities)
    assert effect_of(both, np.full(7, 15)).right.mean() == (both.predicted == both.labels).mean()
    with pytest.raises(UserError, match='different classes'):
        join([one, Answers(**{**vars(two), 'classes': CLASSES[::-1]})])
    np.savez(tmp_path / 'other.npz', names=one.names)
    with pytest.raises(UserError, match=r"other\.npz: no array 'labels'"):
        Answers.load(tmp_path / 'other.npz')
