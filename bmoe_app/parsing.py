"""What the parsers of all commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


def parse_arguments(
    command: str,
    doc: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    argv: Sequence[str] | None,
    prog: str | None,
) -> argparse.Namespace:
    """Parse the command line of one command, whose help is its module's docstring.

    Args:
        command: As it is called, such as 'bmoe extract': what the examples of the docstring begin with.
        doc: The docstring.
        add_arguments: Declares the arguments.
        argv: Arguments without the program's name; the process's own if None.
        prog: How the user called it; ``command`` if None. The examples are shown with it.
    """
    prog = prog or command
    parser = argparse.ArgumentParser(
        prog=prog,
        description=(doc or '').replace(f'{command} ', f'{prog} '),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser.parse_args(argv)
