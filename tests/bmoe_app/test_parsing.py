"""The help of a command speaks of it by the name that the user called it by."""

from __future__ import annotations

import argparse

import pytest

from bmoe_app.parsing import parse_arguments

DOC = 'Weigh things.\n\nbmoe weigh apples\nbmoe weigh --help\n'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('thing')


@pytest.mark.parametrize('prog', [None, 'python tools/weigh.py'])
def test_examples_begin_with_what_was_called(prog: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments('bmoe weigh', DOC, add_arguments, ['--help'], prog)
    shown = capsys.readouterr().out
    assert shown.startswith(f'usage: {prog or "bmoe weigh"} ')
    assert f'{prog or "bmoe weigh"} apples\n' in shown
    assert ('bmoe' in shown) is (prog is None)


def test_arguments_are_read() -> None:
    assert parse_arguments('bmoe weigh', DOC, add_arguments, ['apples'], None).thing == 'apples'
