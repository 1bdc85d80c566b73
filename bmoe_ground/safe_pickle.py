"""Pickle files of arrays, read without running what is in them.

A pickle is a program; the usual loader runs whatever it calls. This one knows builtin containers, numpy arrays,
numpy scalars and dtypes of plain numbers and texts, by the names that numpy 1 (``numpy.core``) and numpy 2
(``numpy._core``) give them, and refuses everything else by name. The pickled state of an array or a dtype is checked
too and not handed to numpy's own ``__setstate__``, since forged dtype flags would pass bytes off as pointers.
"""

from __future__ import annotations

import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bmoe_ground.errors import UserError

_PLAIN_DTYPE = re.compile(r'[<>|=]?(\?|b1|[iu][1248]|f(2|4|8|12|16)|c(8|16)|[SU]\d{1,9})')

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
    RecursionError,
)


class _Refused(Exception):
    """A global that is not on the list."""


def load_pickle(path: str | os.PathLike[str]) -> Any:
    """Read a pickle that holds builtins and numpy arrays only.

    A hostile file can still name sizes that fill the memory; it cannot run anything.

    Args:
        path: The file, of any pickle protocol, written under numpy 1 or 2.

    Returns:
        The object; arrays are writable and own their memory.

    Raises:
        UserError: The file is missing, damaged, or asks for anything else; the message names the file and what it
            asked for.
    """
    path = Path(path)
    try:
        with path.open('rb') as file:
            loaded = _Unpickler(file, encoding='latin1').load()
        return _finish(loaded, {})
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


class _DType:
    """A dtype on its way out of the pickle."""

    __slots__ = ('dtype',)

    def __init__(self, spec: object, align: object = False, copy: object = True) -> None:
        if not isinstance(spec, str) or not _PLAIN_DTYPE.fullmatch(spec):
            raise _Refused(f'an array of dtype {spec!r}')
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple) -> None:
        _, order, subdtype, names, fields, size, *_ = state
        if not (subdtype is None and names is None and fields is None) or size not in (-1, self.dtype.itemsize):
            raise _Refused(f'a dtype with the state {state!r}')
        if order not in ('<', '>', '|', '='):
            raise ValueError(f'byte order {order!r}')
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
    if int(np.prod(shape, dtype=object)) * dtype.dtype.itemsize != len(raw) or any(side < 0 for side in shape):
        raise ValueError(f'{len(raw)} bytes for an array of shape {shape} and dtype {dtype.dtype}')
    return np.ndarray(shape, dtype.dtype, raw, order=order).copy(order='K')


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
        raise _Refused(f'_codecs.encode with {encoding!r}')
    return text.encode('latin1')


def _no_subclass(*_: object) -> None:
    raise ValueError('an array made directly')


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
    ('collections', 'OrderedDict'): OrderedDict,
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
        (module, kind.__name__): kind
        for module in ('builtins', '__builtin__')
        for kind in (set, frozenset, complex, slice, range)
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _GLOBALS:
            raise _Refused(f'{module}.{name}')
        return _GLOBALS[module, name]


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
