"""The one error that a user can cause, and how a command-line tool ends with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


class UserError(ValueError):
    """Something the user gave is missing or wrong.

    The message names the file, key or value, says what was expected and what to do. Tools print it without a
    traceback and end with exit code 2.
    """


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's ``main`` and exit with its code.

    A :class:`UserError` is printed as one ``error:`` line and ends with 2, Ctrl-C with 130, a reader of the output that
    goes away (``| head``) with 141, as a shell's own tools do; anything else is a bug of ours and keeps its traceback.

    Threads of torch that wait for each other are told to sleep (``OMP_WAIT_POLICY``, unless it is set). Left alone they
    spin, and where anything else runs on the machine they spin while the thread that they wait for has no core.

    Args:
        main: The tool. Returns its exit code, or None for 0.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # read when torch is loaded, which no tool has done yet
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()  # what is still on its way out fails here and not when Python ends
    except UserError as error:
        message = _own_message(error).encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')
        print(f'error: {message}', file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more on its way out
        code = 141
    sys.exit(code or 0)


def _own_message(error: UserError) -> str:
    """Strip the traceback that torch puts around an error from a data loader's worker."""
    text = str(error)
    if text.startswith('Caught UserError in DataLoader worker'):
        text = text.rsplit('UserError: ', 1)[-1].strip()
    return text
