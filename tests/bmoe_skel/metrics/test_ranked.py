from __future__ import annotations

import numpy as np

from bmoe_skel.metrics.ranked import ranked


def test_ranked_breaks_ties_by_class() -> None:
    scores = np.array([[0.1, 0.4, 0.4, 0.1], [0.0, 0.0, 0.0, 1.0]], np.float16)
    assert ranked(scores, 3).tolist() == [[1, 2, 0], [3, 0, 1]]


def test_the_first_is_the_best_and_the_rest_falls() -> None:
    scores = np.random.default_rng(0).random((50, 9))
    best = ranked(scores, 4)
    np.testing.assert_array_equal(best[:, 0], scores.argmax(1))
    assert (np.diff(np.take_along_axis(scores, best, 1), axis=1) <= 0).all()
    assert all(len(set(row)) == 4 for row in best.tolist())
