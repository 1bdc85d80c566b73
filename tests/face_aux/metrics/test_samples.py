from __future__ import annotations

from typing import Any

import pytest

from face_aux.metrics.samples import UNKNOWN, group_columns


@pytest.mark.parametrize('missing', ['nan', 'NaN', 'NA', 'n/a', '', ' ', 'None', None, float('nan'), 'null'])
def test_missing_groups_are_unknown(missing: Any) -> None:
    samples = [{'groups': {'race': 'Asian'}}, {'groups': {'race': missing}}, {'groups': {}}, {'groups': {'race': 0}}]
    assert group_columns(samples)['race'].tolist() == ['Asian', UNKNOWN, UNKNOWN, '0']
