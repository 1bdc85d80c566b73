"""Seeded mutations of bytes and of nested values, to feed to readers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bmoe_ground.errors import LONGEST

NESTED: Any = []
for _ in range(400):
    NESTED = [NESTED]

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 10**6, 2**31, 2**63, -(2**70), 10**400, 0.5, -0.0, 1e308, -1e308, float('nan'),
    float('inf'), -float('inf'), '', 'x', 'ü\ud800', '../../x', '/etc/passwd', 'a\0b', 'x' * 5000, [], {}, [[]], [{}],
    [None], ['x'], [1, 2], [1.5] * 7, {'a': 1}, {'': None}, {'x': [1, {'y': 2}]}, [[1, 2], [3]], NESTED,
]  # fmt: skip
"""Values in the place of others."""


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value inside a nested one."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def mutate_value(content: Any, rng: np.random.Generator, odd: list[Any] | None = None) -> Any:
    """A copy with one to three values replaced, removed or doubled; fields near the root as often as leaves."""
    content = copy.deepcopy(content)
    for _ in range(int(rng.integers(1, 4))):
        every = list(places(content))
        if not every:
            return content
        by_depth: dict[int, list[tuple]] = {}
        for place in every:
            by_depth.setdefault(len(place), []).append(place)
        chosen = by_depth[int(rng.choice(list(by_depth)))]
        path = chosen[int(rng.integers(len(chosen)))]
        holder = content
        for key in path[:-1]:
            holder = holder[key]
        what = rng.integers(10)
        if what == 0:
            del holder[path[-1]]
        elif what == 1 and isinstance(holder, list):
            holder.append(holder[path[-1]])
        else:
            pool = ODD if odd is None else odd
            holder[path[-1]] = copy.deepcopy(pool[int(rng.integers(len(pool)))])
    return content


def mutate_bytes(raw: bytes, rng: np.random.Generator) -> bytes:
    """A copy with a few bytes changed, a part cut out or doubled, or the end cut off."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 5))):
        if not data:
            break
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 40))
        what = rng.integers(6)
        if what == 0:
            del data[at:]
        elif what == 1:
            del data[at : at + length]
        elif what == 2:
            data[at:at] = data[at : at + length]
        elif what == 3:
            data[at : at + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        else:
            data[at] = int(rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))]))
    return bytes(data)


def hold(read: Callable[[], object], allowed: type[Exception], where: str) -> str:
    """Call a reader, and say ``read`` or ``refused``.

    Anything but the documented error fails the test, and so does one that is long or not of one line.
    """
    try:
        read()
    except allowed as error:
        text = str(error)
        assert 0 < len(text) <= LONGEST, f'{where}: {text!r}'
        assert len(text.splitlines()) == 1, f'{where}: {text!r}'
        return 'refused'
    except Exception as error:
        raise AssertionError(f'{where}: {type(error).__name__}: {error}') from error
    return 'read'
