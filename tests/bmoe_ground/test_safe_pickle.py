from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle


def content() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shared = rng.random((3, 2))
    return {
        'split': {'train': ['a', 'b'], 'val': []},
        'annotations': [
            {
                'frame_dir': 'a',
                'label': 3,
                'keypoint': rng.random((1, 4, 17, 2)).astype(np.float16),
                'fortran': np.asfortranarray(rng.random((3, 5)).astype('>f4')),
                'ints': np.arange(6, dtype=np.int64).reshape(2, 3).T,
                'empty': np.zeros((0, 5), np.float32),
                'zero_d': np.array(4.5),
                'bools': np.array([True, False]),
                'texts': np.array(['a', 'bcd']),
                'bytes': np.array([b'a', b'bcd']),
                'complex': np.array([1 + 2j]),
                'shape': (np.int64(480), 640, np.float32(1.5)),
            }
        ],
        'same': [shared, shared],
        'dtype': np.dtype('>i4'),
        'ordered': OrderedDict(a=1),
        'set': {1, 2},
        'raw': b'\x00\xff',
        'none': None,
        'nested': ([np.ones(2)], (np.zeros(1), 'x')),
    }


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_round_trip(tmp_path: Path, protocol: int, core: str) -> None:
    raw = pickle.dumps(content(), protocol=protocol)
    other = 'numpy._core' if core == 'numpy.core' else 'numpy.core'
    if protocol in (0, 1, 2, 3):  # module names stand in plain lines
        raw = raw.replace(other.encode(), core.encode())
    path = tmp_path / 'a.pkl'
    path.write_bytes(raw)
    loaded = load_pickle(path)
    assert_same(loaded, content())
    assert loaded['same'][0] is loaded['same'][1]
    loaded['annotations'][0]['keypoint'] += 1  # writable


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple:
        return self.call


class WithState:
    def __init__(self, function: Any, args: tuple, state: Any) -> None:
        self.call = (function, args, state)

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ('hostile', 'name'),
    [
        (Call(os.system, 'touch pwned'), 'system'),
        (Call(eval, '1'), 'eval'),
        (Call(getattr, 'a', 'upper'), 'getattr'),
        (Call(np.load, 'x.npy', None, True), 'load'),
        (Path('x'), 'pathlib'),
        (Call, 'Call'),
    ],
)
def test_other_globals_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int, hostile: Any, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'bad.pkl'
    path.write_bytes(pickle.dumps({'annotations': [hostile]}, protocol=protocol))
    with pytest.raises(UserError, match=rf'bad\.pkl: asks for .*{name}'):
        load_pickle(path)
    assert not (tmp_path / 'pwned').exists()


def test_dotted_names_do_not_reach_through_allowed_modules(tmp_path: Path) -> None:
    path = tmp_path / 'bad.pkl'
    for module, name in [('numpy', 'ndarray.tofile'), ('builtins', 'set.__class__'), ('collections', 'abc.sys')]:
        names = b''.join(b'\x8c' + bytes([len(text)]) + text.encode() for text in (module, name))
        path.write_bytes(b'\x80\x04' + names + b'\x93.')  # STACK_GLOBAL
        with pytest.raises(UserError, match='asks for'):
            load_pickle(path)


def reconstruct() -> Any:
    return np.zeros(1).__reduce__()[0]


@pytest.mark.parametrize(
    'value',
    [
        np.array([None, {'a': 1}], dtype=object),
        np.zeros(2, dtype=[('a', 'f4')]),
        np.zeros(2, dtype='V8'),
        np.array(['2020-01-01'], dtype='M8[D]'),
        # a dtype that hides an object field behind flags of 0
        WithState(np.dtype, ('V8', False, True), (3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 0)),
        WithState(np.dtype, ('f8', False, True), (3, '<', None, ('a',), {'a': (np.dtype('f8'), 0)}, 8, 1, 0)),
        WithState(np.dtype, ('f8', False, True), (3, '<', None, None, None, 4096, 8, 0)),
        # bytes that do not fill the shape, and none at all
        WithState(reconstruct(), (np.ndarray, (0,), b'b'), (1, (9,), np.dtype('f8'), False, b'12345678')),
        WithState(reconstruct(), (np.ndarray, (0,), b'b'), (1, (-1, -1), np.dtype('f8'), False, b'12345678')),
        Call(reconstruct(), np.ndarray, (0,), b'b'),
        Call(np.ndarray, (10**15,)),
        np.ndarray,
    ],
)
def test_odd_arrays_are_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / 'odd.pkl'
    path.write_bytes(pickle.dumps([value]))
    with pytest.raises(UserError, match=r'odd\.pkl'):
        load_pickle(path)


def test_a_pickle_cannot_alter_what_it_calls(tmp_path: Path) -> None:
    path = tmp_path / 'bad.pkl'
    # GLOBAL numpy dtype; push ({}, {'_call': None}); BUILD; STOP
    path.write_bytes(b'\x80\x02cnumpy\ndtype\n}}X\x05\x00\x00\x00_callNs\x86b.')
    with pytest.raises(UserError, match='damaged'):
        load_pickle(path)
    path.write_bytes(pickle.dumps(np.ones(3)))
    np.testing.assert_array_equal(load_pickle(path), np.ones(3))


def test_shared_and_circular_containers_end(tmp_path: Path) -> None:
    laughs: list = []
    for _ in range(60):
        laughs = [laughs, laughs, laughs]
    circle: list = [np.ones(1)]
    circle.append(circle)
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps([laughs, circle]))
    loaded = load_pickle(path)[1]
    assert loaded[1] is loaded
    np.testing.assert_array_equal(loaded[0], np.ones(1))


def test_missing_and_other_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no such pickle'):
        load_pickle(tmp_path / 'none.pkl')
    with pytest.raises(UserError, match='cannot be read'):
        load_pickle(tmp_path)
    for name, raw in {'empty': b'', 'text': b'hello', 'deep': b'(' * 10**6, 'huge': b'\x8e' + b'\xff' * 8}.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(UserError, match=f'{name}: not a pickle'):
            load_pickle(tmp_path / name)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_never_give_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(pickle.dumps(content(), protocol=data.draw(st.sampled_from([0, 2, 4, 5]))))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    for _ in range(data.draw(st.integers(1, 4))):
        if raw:
            at = data.draw(st.integers(0, len(raw) - 1))
            new = data.draw(st.integers(0, 255))
            raw[at] = new if new not in b'rj' else 0  # a memo index of 4 GiB only fills the memory
    path = tmp_path / 'damaged.pkl'
    path.write_bytes(raw)
    try:
        load_pickle(path)
    except UserError as error:
        assert 'damaged.pkl' in str(error)


@pytest.mark.parametrize('name', ['jhmdb14', 'nwucla', 'utkinect', 'openpose25_social'])
def test_real_pickles_equal_the_standard_loader(shared_data: Path, name: str) -> None:
    path = shared_data / 'skeletons' / f'{name}.pkl'
    with path.open('rb') as file:
        assert_same(load_pickle(path), pickle.load(file))
