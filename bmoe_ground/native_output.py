"""Keeping native libraries' chatter off the terminal without losing Python's own messages."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send what C and C++ code writes to file descriptor 2 nowhere, while ``sys.stderr`` keeps reaching it.

    MediaPipe's logging starts before any of its settings is read, so it can be silenced at the descriptor only.
    """
    try:
        goes_to_terminal = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        goes_to_terminal = False
    python_stderr = sys.stderr
    python_stderr.flush()
    real = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    if goes_to_terminal:
        sys.stderr = os.fdopen(
            os.dup(real), 'w', buffering=1, encoding=python_stderr.encoding, errors='backslashreplace'
        )
    try:
        yield
    finally:
        if goes_to_terminal:
            sys.stderr.close()
            sys.stderr = python_stderr
        os.dup2(real, 2)
        os.close(real)


def library_warnings_silenced() -> None:
    """Ignore, in this process, the warnings that the pose libraries give about their own dependencies.

    For command-line processes only: none of them is about anything that the user of the tool can change.
    """
    libraries = r'(mmpose|mmdet|mmcv|mmengine|torch|torchvision|google\.protobuf|importlib|pkg_resources)(\.|$)'
    for category in (UserWarning, FutureWarning, DeprecationWarning):
        warnings.filterwarnings('ignore', category=category, module=libraries)
