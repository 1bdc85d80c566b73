"""The one error that a user can cause, and how a command-line tool ends with it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

from bmoe_ground.cells import writable
from bmoe_ground.import_cures import defer_sharding

LONGEST = 4000
"""Letters of a message; of a longer one the middle is left out."""

_WRAPPED = re.compile(r'Caught (\w+) in DataLoader worker')
_UNSHOWN = re.compile(r'[\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029\ud800-\udc7f\udd00-\udfff]')
"""Line breaks, what moves a screen's cursor, and what no encoding has; bytes of a file's name are kept as they are."""


class UserError(ValueError):
    r"""Something the user gave is missing or wrong.

    The message names the file, key or value, says what was expected and what to do. Tools print it without a
    traceback and end with exit code 2. What it quotes may be anybody's, so that it is kept to one line of at most
    :data:`LONGEST` letters.

    Args:
        message: The message.

    Example:
        >>> str(UserError('no label: nod' + chr(10)))
        'no label: nod\\n'
    """

    def __init__(self, message: object = '') -> None:
        super().__init__(_bounded(_UNSHOWN.sub(_code, _own_message(str(message)))))


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's ``main`` and exit with its code.

    A :class:`UserError` is printed as one ``error:`` line and ends with 2, Ctrl-C with 130, a reader of the output that
    goes away (``| head``) with 141, as a shell's own tools do; anything else is a bug of ours and keeps its traceback.

    Threads of torch that wait for each other are told to sleep (``OMP_WAIT_POLICY``, unless it is set). Left alone they
    spin, and where anything else runs on the machine they spin while the thread that they wait for has no core.

    Args:
        main: The tool. Returns its exit code, or None for 0.
    """
    defer_sharding()
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # read when torch is loaded, which no tool has done yet
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()  # what is still on its way out fails here and not when Python ends
    except UserError as error:
        print(f'error: {writable(str(error))}', file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more on its way out
        code = 141
    sys.exit(code or 0)


def _own_message(text: str) -> str:
    """Strip the traceback that torch puts around an error from a data loader's worker."""
    wrapped = _WRAPPED.match(text)
    return text.rsplit(f'{wrapped[1]}: ', 1)[-1].strip() if wrapped else text


def _code(found: re.Match[str]) -> str:
    return found[0].encode('unicode_escape').decode()


def _bounded(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    head, tail = text[: LONGEST * 3 // 4], text[-LONGEST // 8 :]
    return f'{head} [... {len(text) - len(head) - len(tail)} letters ...] {tail}'
