from __future__ import annotations

import pytest

from bmoe_ground.errors import UserError
from face_aux.labels import bin_label, bin_names, check_label_map


def test_bins() -> None:
    assert bin_names([0, 18, 30]) == ['0-17', '18-29', '30+']
    assert [bin_label(a, [0, 18, 30]) for a in (0, 17, 18, 29, 30, 99)] == [
        '0-17',
        '0-17',
        '18-29',
        '18-29',
        '30+',
        '30+',
    ]
    with pytest.raises(ValueError, match='below the first bin edge 18'):
        bin_label(3, [18])


def test_label_map_is_refused_by_name() -> None:
    check_label_map({'gender': ['m', 'f']}, {'gender': ['m', 'f'], 'age': ['a']}, 'x.pth')
    with pytest.raises(UserError, match=r"x.pth: has no task 'race'; its tasks are \['gender'\]"):
        check_label_map({'race': ['a']}, {'gender': ['m', 'f']}, 'x.pth')
    with pytest.raises(UserError, match=r"x.pth: task 'gender' was trained with the classes \['f', 'm'\]"):
        check_label_map({'gender': ['m', 'f']}, {'gender': ['f', 'm']}, 'x.pth')
