from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import pytest

from bmoe_app.pages.packing import ABSENT, UNKNOWN, pack, quantise_places, quantise_rows


def unpacked(packed: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """The slow way back, number by number, as the docstring of `pack` tells it."""
    planes = zlib.decompress(base64.b64decode(packed['data']))
    count = int(np.prod(shape))
    wide = packed['bits'] == 16
    values: list[int] = []
    for i in range(count):
        step = planes[i] + (planes[count + i] * 256 if wide else 0)
        values.append(step if i % packed['length'] == 0 else (values[-1] + step) % 2 ** packed['bits'])
    return np.array(values).reshape(shape)


@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.int16])
def test_what_is_packed_comes_back(kind: type[np.generic]) -> None:
    limits = np.iinfo(kind)
    values = np.random.default_rng(0).integers(limits.min, limits.max, (2, 3, 50), endpoint=True).astype(kind)
    back = unpacked(pack(values), values.shape)
    np.testing.assert_array_equal(back.astype(f'u{values.itemsize}').view(kind), values)


def test_keypoints_are_off_by_less_than_half_a_pixel() -> None:
    places = np.random.default_rng(0).uniform((-1900, -1000), (3800, 2100), (1000, 2))
    places[3] = np.nan
    values, step, offset = quantise_places(places, (1080, 1920))
    assert (values[3] == ABSENT).all()
    back = np.where(values == ABSENT, np.nan, values * step + np.array(offset))
    assert np.nanmax(np.abs(back - places)) <= 0.125 + 1e-9


@pytest.mark.parametrize('far', [1e30, -1e30])
def test_a_point_far_away_spoils_no_other(far: float) -> None:
    values, step, offset = quantise_places(np.array([[10.0, 20.0], [far, far]]), (100, 200))
    np.testing.assert_allclose(values[0] * step + offset, [10, 20], atol=0.125)


def test_rows_keep_their_range_and_their_gaps() -> None:
    rows = np.array([[0.0, np.nan, 10.0, 5.0], [np.nan] * 4, [3.0] * 4])
    levels, low, high = quantise_rows(rows)
    back = np.where(levels == UNKNOWN, np.nan, low[:, None] + levels / 65534 * (high - low)[:, None])
    np.testing.assert_allclose(back, rows, atol=1e-4)
