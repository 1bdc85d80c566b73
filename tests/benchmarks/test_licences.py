from __future__ import annotations

from email import message_from_string

import pytest

from benchmarks import licences

OSI = 'Classifier: License :: OSI Approved :: '


@pytest.mark.parametrize(
    ('text', 'expected', 'refused'),
    [
        ('License-Expression: Apache-2.0\nLicense: x', 'Apache-2.0', False),
        (f'{OSI}MIT License\n{OSI}BSD License', 'MIT License AND BSD License', False),
        ('License: BSD 3-Clause\n  more', 'BSD 3-Clause', False),
        ('Name: x', licences.UNKNOWN, False),
        ('License-Expression: AGPL-3.0-or-later', 'AGPL-3.0-or-later', True),
        (f'{OSI}GNU Affero General Public License v3', 'GNU Affero General Public License v3', True),
        ('License-Expression: LGPL-2.1', 'LGPL-2.1', False),
    ],
)
def test_what_metadata_say(text: str, expected: str, refused: bool) -> None:
    licence = licences.licence_of(message_from_string(text))
    assert licence == expected
    assert bool(licences.refused([('x', licence)])) is refused


def test_nothing_here_is_under_the_agpl(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main(['--quiet']) == 0
    assert 'none under the AGPL' in capsys.readouterr().out
