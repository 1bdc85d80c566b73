from __future__ import annotations

import os

from bmoe_ground.names import printable


def test_any_name_fits_on_a_line() -> None:
    assert printable('plain name – ä 😀.jpg') == 'plain name – ä 😀.jpg'
    assert printable('a\nb\tc\x1b[2J') == 'a\\nb\\tc\\x1b[2J'
    assert printable(os.fsdecode(b'caf\xe9')) == 'caf\\xe9'
    assert printable('half \ud83d of a pair') == 'half \\ud83d of a pair'
