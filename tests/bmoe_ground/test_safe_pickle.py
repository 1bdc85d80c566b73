from __future__ import annotations

import os
import pickle
import resource
import time
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


def test_shared_containers_are_read_and_circular_ones_refused(tmp_path: Path) -> None:
    size = [480, 640]
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps([size] * 1000))
    loaded = load_pickle(path)
    assert loaded == [size] * 1000
    assert loaded[0] is loaded[999]
    circle: list = [np.ones(1)]
    circle.append(circle)
    path.write_bytes(pickle.dumps([circle]))
    with pytest.raises(UserError, match='contains itself'):
        load_pickle(path)


def laughs(depth: int, pair: bytes) -> bytes:
    """Nested pairs of the same object twice: 2**depth parts in a few bytes. ``pair`` is the opcode that builds one."""
    code = b'\x80\x04K\x01\x94'
    for level in range(depth):
        code += b'h' + bytes([level]) + b'h' + bytes([level]) + pair + b'\x94'
    return code


def nested(depth: int) -> list:
    return [nested(depth - 1)] if depth > 1 else []


def test_bounds_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    values: list[Any] = [nested(100), {(0,) * 63: 1}, range(5, 2**31 - 1, 2), np.zeros((1,) * 32)]
    values += [[np.zeros(10_000)] * 100, [np.zeros(2**17)] * 30, ['x' * 2**20] * 1000]  # shared
    for value in values:
        path.write_bytes(pickle.dumps(value))
        assert_same(load_pickle(path), value)
    for value, fault in [
        (nested(101), 'nested too deeply'),
        ({(0,) * 64: 1}, 'more than 64 parts'),
        (range(2**31), 'a range that does not end'),
        ([np.zeros(10_000)] * 1000, 'bytes that unfold into'),
        (['x' * 2**20] * 3000, 'bytes that unfold into'),
    ]:
        path.write_bytes(pickle.dumps(value))
        with pytest.raises(UserError, match=fault):
            load_pickle(path)
    path.write_bytes(b'\x80\x03B' + (5000).to_bytes(4, 'little') + b'x' * 3000)
    with pytest.raises(UserError, match='5000 bytes announced where the file ends'):
        load_pickle(path)


def test_an_ordered_dict_of_python_2_has_its_items_in_the_call(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(Call(OrderedDict, [['b', 1], ('a', 2)])))
    assert_same(load_pickle(path), OrderedDict(b=1, a=2))
    for pairs in (['ab'], [('a', 1, 2)], {'a': 1}):
        path.write_bytes(pickle.dumps(Call(OrderedDict, pairs)))
        with pytest.raises(UserError, match='an ordered dict of something else than pairs'):
            load_pickle(path)


def test_a_dtype_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(np.zeros(2, dtype='V8')))
    with pytest.raises(UserError, match="asks for an array of dtype 'V8'"):
        load_pickle(path)


BOMBS = {
    'nested key': laughs(30, b'\x86') + b'}' + b'h\x1e' + b'K\x01s.',
    'nested key in a batch': laughs(30, b'\x86') + b'}(' + b'h\x1e' + b'K\x01u.',
    'nested key of a dict op': laughs(30, b'\x86') + b'(' + b'h\x1e' + b'K\x01d.',
    'nested second key of a dict op': laughs(30, b'\x86') + b'(K\x01K\x01' + b'h\x1e' + b'K\x01d.',
    'nested set member': laughs(30, b'\x86') + b'\x8f(' + b'h\x1e' + b'\x90.',
    'nested frozenset': laughs(30, b'\x86') + b'(h\x1e\x91.',
    'nested member of a called set': laughs(30, b'\x86') + b'cbuiltins\nset\n](h\x1ee\x85R.',
    'nested key of an ordered dict': laughs(30, b'\x86') + b'ccollections\nOrderedDict\n](h\x1eK\x01\x86e\x85R.',
    'wide key': b'\x80\x04(' + b'K\x01' * 1000 + b't\x94}(h\x00h\x00h\x00t K\x01s.'.replace(b' ', b''),
    'nested tuples as content': laughs(200, b'\x86')[:-1] + b'.',
    'unfolds': laughs(60, b'\x86') + b'.',
    'set of a range': b'\x80\x02cbuiltins\nset\ncbuiltins\nrange\nJ\xff\xff\xff\x7f\x85R\x85R.',
    'bytes of 2**60': b'\x80\x04\x8e' + (2**60).to_bytes(8, 'little') + b'x.',
    'text of 2**60': b'\x80\x04\x8d' + (2**60).to_bytes(8, 'little') + b'x.',
    'bytearray of 2**60': b'\x80\x05\x96' + (2**60).to_bytes(8, 'little') + b'x.',
    'bytearray of 3 GiB': b'\x80\x05\x96' + (3 * 2**30).to_bytes(8, 'little') + b'x.',
    'bytearray of 3 GiB in a frame': b'\x80\x05\x95\x0b\0\0\0\0\0\0\0\x96\0\0\0\xc0\0\0\0\0x.',
    'bytes of 3 GiB': b'\x80\x04B' + (3 * 2**30).to_bytes(4, 'little') + b'x.',
    'frame of 2**60': b'\x80\x04\x95' + (2**60).to_bytes(8, 'little') + b'N.',
    'colliding keys': b'\x80\x04}(' + b''.join(
        b'\x8a\x0c' + (k * (2**61 - 1)).to_bytes(12, 'little') + b'N' for k in range(1, 30_000)
    ) + b'u.',
    'long number': b'\x80\x04\x8b' + (10**6).to_bytes(4, 'little') + b'\x01' * 10**6 + b'.',
    'marks': b'\x80\x04' + b'(' * 10**6 + b'.',
    'a dtype whose state laughs': b'\x80\x04cnumpy\ndtype\n\x8c\x02f4\x85R' + laughs(40, b'\x86')[2:] + b'b.',
}  # fmt: skip


@pytest.mark.parametrize('name', BOMBS)
def test_bombs_are_refused_in_little_time_and_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / 'bomb.pkl'
    path.write_bytes(BOMBS[name])
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(UserError, match=r'bomb\.pkl'):
        load_pickle(path)
    assert time.monotonic() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


@pytest.mark.parametrize('index', [0x10000000, 0xFFFFFFFF])
def test_a_huge_memo_index_makes_no_room_for_itself(tmp_path: Path, index: int) -> None:
    path = tmp_path / 'memo.pkl'
    path.write_bytes(b'\x80\x04Nr' + index.to_bytes(4, 'little') + b'.')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert load_pickle(path) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe.pkl')
    with pytest.raises(UserError, match='not a file'):
        load_pickle(tmp_path / 'pipe.pkl')


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
            raw[at] = data.draw(st.integers(0, 255))
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
