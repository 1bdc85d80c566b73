"""The commands ``bmoe train`` and ``bmoe test``.

Help and mistakes of spelling are answered at once: torch and mmengine are imported when the words are right.
"""

from __future__ import annotations

from collections.abc import Sequence

from mm_runtime.parsers import test_parser, train_parser


def train(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Train a model; as :func:`mm_runtime.cli.train_main`."""
    train_parser(prog).parse_args(argv)
    from mm_runtime.cli import train_main

    return train_main(argv, prog)


def test(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Test a trained model; as :func:`mm_runtime.cli.test_main`."""
    test_parser(prog).parse_args(argv)
    from mm_runtime.cli import test_main

    return test_main(argv, prog)
