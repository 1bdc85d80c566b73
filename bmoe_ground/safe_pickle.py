"""Pickle files of arrays, read without running what is in them.

A pickle is a program; the usual loader runs whatever it calls. This one knows builtin containers, numpy arrays,
numpy scalars and dtypes of plain numbers and texts, by the names that numpy 1 (``numpy.core``) and numpy 2
(``numpy._core``) give them, and refuses everything else by name. The pickled state of an array or a dtype is checked
too and not handed to numpy's own ``__setstate__``, since forged dtype flags would pass bytes off as pointers.

What a few bytes can ask for is bounded as well. The unpickler is the standard library's in Python and not the one in
C: its memo is a dict, so that no index makes room for four thousand million entries, and each of its steps can be
looked at. It builds some 50,000 clips a second. Keys and set members that are expensive to hash, and objects that
hold the same parts so often that walking them would not end, are refused.
"""

from __future__ import annotations

import os
import pickle
import re
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from bmoe_ground.errors import UserError

_PLAIN_DTYPE = re.compile(r'[<>|=]?(\?|b1|[iu][1248]|f(2|4|8|12|16)|c(8|16)|[SU]\d{1,9})')

MAX_DEPTH = 100
"""Containers inside containers; the files that are read here have fewer than ten."""
MAX_KEY_PARTS = 64
"""Parts of a tuple that serves as a key: hashing walks all of them each time."""
_SHARING = 64  # times the file's own size that its content may have when shared parts are counted each time
_ROOM = 16 * 2**20  # bytes that a content may have however small its file is
_BIG_KEY = 2**60  # larger whole numbers can be chosen to have one hash

# whatever bytes a damaged file holds, the standard unpickler ends with one of these
_DAMAGED = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    AssertionError,
    struct.error,
)


class _Refused(Exception):
    """A global that is not on the list."""


def load_pickle(path: str | os.PathLike[str]) -> Any:
    """Read a pickle that holds builtins and numpy arrays only.

    Args:
        path: The file, of any pickle protocol, written under numpy 1 or 2.

    Returns:
        The object, a tree without cycles; arrays are writable and own their memory.

    Raises:
        UserError: The file is missing, damaged, asks for anything else, or would unfold into far more than it is
            long; the message names the file and what it asked for.

    Example:
        >>> load_pickle('clips.pkl')['annotations'][0]['keypoint'].shape  # doctest: +SKIP
        (1, 40, 17, 2)
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device would never end
            raise UserError(f'{path}: cannot be read: not a file')
        with path.open('rb') as file:
            return read_pickle_stream(file, path.stat().st_size)
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such pickle file') from error
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    except _Refused as error:
        raise UserError(
            f'{path}: asks for {error}; only builtins and numpy arrays of numbers or texts are read from a pickle. '
            'If you trust the file, load it yourself and save it again with arrays only'
        ) from error
    except _DAMAGED as error:
        raise UserError(f'{path}: not a pickle, or a damaged one ({type(error).__name__}: {error})') from error


def read_pickle_stream(file: BinaryIO, size: int) -> Any:
    """Read one pickle from an open file; :func:`load_pickle` without the file's name in its errors.

    Args:
        file: A seekable binary file.
        size: Bytes that it has.

    Raises:
        Exception: Whatever is wrong with it.
    """
    loaded = _Unpickler(_Bounded(file, size)).load()
    unfolded = _unfolded_size(loaded)
    if unfolded > max(_ROOM, _SHARING * size):
        raise ValueError(f'{size} bytes that unfold into {unfolded:.3g}')
    return _finish(loaded, {})


class _Bounded:
    """A file in which no read asks for more than is left, so that a forged length makes no room for itself."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.readline = file.readline

    def read(self, count: int) -> bytes:
        if count > 1024 and count > self._size - self._file.tell():
            raise EOFError(f'{count} bytes announced where the file ends')
        return self._file.read(count)


class _DType:
    """A dtype on its way out of the pickle."""

    __slots__ = ('dtype',)

    def __init__(self, spec: object, align: object = False, copy: object = True) -> None:
        if not isinstance(spec, str) or not _PLAIN_DTYPE.fullmatch(spec):
            raise _Refused(f'an array of dtype {_short(spec)}')
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple) -> None:
        _, order, subdtype, names, fields, size, *_ = state
        if not (subdtype is None and names is None and fields is None) or size not in (-1, self.dtype.itemsize):
            raise _Refused(f'a dtype with the state {_short(state)}')
        if order not in ('<', '>', '|', '='):
            raise ValueError(f'byte order {_short(order)}')
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array on its way out of the pickle."""

    __slots__ = ('array',)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        *_, shape, dtype, fortran, raw = state
        self.array = _as_array(raw, dtype, shape, 'F' if fortran else 'C')


def _as_array(raw: object, dtype: object, shape: object, order: Literal['C', 'F']) -> np.ndarray:
    """An array that owns a copy of ``raw``; sizes that do not match are an error."""
    if isinstance(raw, str):  # a byte string of Python 2
        raw = raw.encode('latin1')
    if not isinstance(dtype, _DType) or not isinstance(raw, bytes | bytearray) or not isinstance(shape, tuple):
        raise ValueError('an array without its bytes, shape or dtype')
    if len(shape) > 32 or not all(isinstance(side, int) and 0 <= side < 2**40 for side in shape):
        raise ValueError(f'an array of shape {_short(shape)}')
    if int(np.prod(shape, dtype=object)) * dtype.dtype.itemsize != len(raw):
        raise ValueError(f'{len(raw)} bytes for an array of shape {shape} and dtype {dtype.dtype}')
    return np.ndarray(shape, dtype.dtype, raw, order=order).copy(order='K')


def _short(value: object) -> str:
    """What an error says of a value: never a whole one, whose text may not end."""
    return f'{value!r:.60}' if isinstance(value, str | int | float) else type(value).__name__


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _frombuffer(raw: object, dtype: object, shape: object, order: str, axes: tuple | None = None) -> np.ndarray:
    array = _as_array(raw, dtype, shape, 'F' if order == 'F' else 'C')
    return array if axes is None else array.transpose(axes)


def _scalar(dtype: object, raw: object) -> Any:
    return _as_array(raw, dtype, (), 'C')[()]


def _encode(text: object, encoding: object) -> bytes:
    """What byte strings are written as below protocol 3."""
    if not isinstance(text, str) or encoding != 'latin1':
        raise _Refused(f'_codecs.encode with {_short(encoding)}')
    return text.encode('latin1')


def _no_subclass(*_: object) -> None:
    raise ValueError('an array made directly')


def _members_of(kind: type) -> Callable[..., Any]:
    """How a set is written below protocol 4: the type, called with the list of its members."""

    def build(members: object = ()) -> Any:
        if not isinstance(members, list | tuple):
            raise _Refused(f'a {kind.__name__} of a {type(members).__name__}')
        for member in members:
            _check_key(member)
        return kind(members)

    return build


def _ordered(pairs: object = ()) -> OrderedDict:
    """What an ordered dict is written as; Python 2 gave it its items in the call."""
    if not isinstance(pairs, list | tuple) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise _Refused('an ordered dict of something else than pairs')
    for key, _ in pairs:
        _check_key(key)
    return OrderedDict(pairs)


def _short_range(*bounds: Any) -> range:
    if not all(isinstance(bound, int) and abs(bound) < 2**31 for bound in bounds):
        raise _Refused('a range that does not end')
    return range(*bounds)


def _empty_bytes() -> bytes:
    """What ``b''`` is written as below protocol 3."""
    return b''


class _Allowed:
    """A callable that a pickle may call but not alter (the BUILD opcode could set a function's attributes)."""

    __slots__ = ('_call',)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: object) -> Any:
        return self._call(*args)

    def __setstate__(self, state: object) -> None:
        raise ValueError('a pickle that alters what it calls')


_GLOBALS: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): _Allowed(_no_subclass),
    ('numpy', 'dtype'): _Allowed(_DType),
    ('_codecs', 'encode'): _Allowed(_encode),
    ('collections', 'OrderedDict'): _Allowed(_ordered),
    **{
        (f'numpy.{core}.{module}', name): _Allowed(call)
        for core in ('core', '_core')
        for module, name, call in (
            ('multiarray', '_reconstruct', _reconstruct),
            ('multiarray', 'scalar', _scalar),
            ('numeric', '_frombuffer', _frombuffer),
        )
    },
    ('__builtin__', 'bytes'): _Allowed(_empty_bytes),
    ('builtins', 'bytes'): _Allowed(_empty_bytes),
    **{
        (module, name): _Allowed(call)
        for module in ('builtins', '__builtin__')
        for name, call in (
            ('set', _members_of(set)),
            ('frozenset', _members_of(frozenset)),
            ('complex', complex),
            ('slice', slice),
            ('range', _short_range),
        )
    },
}


_PythonUnpickler: Any = pickle._Unpickler


class _Unpickler(_PythonUnpickler):
    """The standard library's unpickler, which looks at keys before they are hashed."""

    def __init__(self, file: _Bounded) -> None:
        super().__init__(file, encoding='latin1')

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _GLOBALS:
            raise _Refused(f'{module}.{name}')
        return _GLOBALS[module, name]

    def get_extension(self, code: int) -> None:
        raise _Refused(f'extension {code}')

    def persistent_load(self, pid: object) -> None:
        raise _Refused('an object outside the file')

    def load_mark(self) -> None:
        if len(self.metastack) >= MAX_DEPTH:
            raise ValueError('containers nested too deeply')
        super().load_mark()

    def load_long4(self) -> None:
        raise ValueError('a whole number of more than 255 bytes')

    def load_bytearray8(self) -> None:
        # the base class makes room for the length that is announced before it looks whether the bytes are there
        length = int.from_bytes(self.read(8), 'little')
        if length > sys.maxsize:
            raise EOFError(f'{length} bytes announced')
        self.append(bytearray(self.read(length)))

    def load_setitem(self) -> None:
        _check_key(self.stack[-2])
        super().load_setitem()

    def load_setitems(self) -> None:
        for key in self.stack[::2]:
            _check_key(key)
        super().load_setitems()

    def load_dict(self) -> None:
        for key in self.stack[::2]:
            _check_key(key)
        super().load_dict()

    def load_additems(self) -> None:
        for key in self.stack:
            _check_key(key)
        super().load_additems()

    def load_frozenset(self) -> None:
        for key in self.stack:
            _check_key(key)
        super().load_frozenset()

    dispatch = {
        **_PythonUnpickler.dispatch,
        pickle.MARK[0]: load_mark,
        pickle.LONG4[0]: load_long4,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
    }


def _check_key(key: object) -> None:
    """Refuse a key or set member that is expensive to hash, or that can be made to collide with others."""
    waiting, parts = [key], 0
    while waiting:
        part = waiting.pop()
        parts += 1
        if parts > MAX_KEY_PARTS:
            raise ValueError(f'a key of more than {MAX_KEY_PARTS} parts')
        if isinstance(part, tuple | frozenset):
            waiting += list(part)[:MAX_KEY_PARTS]
            parts += len(part) - len(part[:MAX_KEY_PARTS]) if isinstance(part, tuple) else len(part)
        elif isinstance(part, int) and not -_BIG_KEY < part < _BIG_KEY:
            raise ValueError('a key that is a whole number of more than 60 bits')
        elif not isinstance(part, str | bytes | int | float | complex | np.generic | None):
            raise ValueError(f'a key of type {type(part).__name__}')


def _unfolded_size(root: Any) -> float:
    """Bytes that a loaded object would have if parts which it holds several times were copies.

    Raises:
        ValueError: It contains itself, or is nested more deeply than :data:`MAX_DEPTH`.
    """
    sizes: dict[int, float] = {}

    def size(value: Any, depth: int) -> float:
        if isinstance(value, str | bytes | bytearray):
            return 1 + len(value) / 32  # names of clips are shared between splits and annotations
        if isinstance(value, _Array):
            return 1 if value.array is None else 1 + value.array.nbytes
        if not isinstance(value, list | tuple | dict | set | frozenset):
            return 1
        known = sizes.get(id(value))
        if known is not None:
            if known < 0:
                raise ValueError('a container that contains itself')
            return known
        if depth == MAX_DEPTH:
            raise ValueError('containers nested too deeply')
        sizes[id(value)] = -1
        parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        sizes[id(value)] = total = 1 + sum(size(part, depth + 1) for part in parts)
        return total

    return size(root, 0)


def _finish(value: Any, done: dict[int, Any]) -> Any:
    """Put the finished arrays and dtypes in place; containers are changed in place where they can be."""
    if isinstance(value, _Array):
        if value.array is None:
            raise ValueError('an array without its content')
        return value.array
    if isinstance(value, _DType):
        return value.dtype
    if isinstance(value, _Allowed):
        raise ValueError('a bare function')
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, list | dict):
        done[id(value)] = value
        for key in value if isinstance(value, dict) else range(len(value)):
            value[key] = _finish(value[key], done)
    elif isinstance(value, tuple):
        done[id(value)] = tuple(_finish(item, done) for item in value)
        return done[id(value)]
    return value
