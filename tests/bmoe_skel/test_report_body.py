from __future__ import annotations

import numpy as np

from bmoe_skel.report import body_confusion, confusion_matrix


def test_confusion_of_body_parts_is_that_of_mapped_labels() -> None:
    rng = np.random.default_rng(0)
    parts = [0, 0, 1, 2, 1]
    labels, predicted = rng.integers(0, 5, (2, 200))
    mapped = np.array(parts)
    expected = np.zeros((3, 3), int)
    for t, p in zip(labels, predicted, strict=True):
        expected[mapped[t], mapped[p]] += 1
    assert (body_confusion(confusion_matrix(labels, predicted, 5), parts) == expected).all()
