from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_ground import texts
from bmoe_ground.errors import UserError
from bmoe_ground.texts import declared_separator, read_lines, read_text, told_encoding, told_separator


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / 't.txt').write_bytes(b'\xef\xbb\xbf a 1\r\n\r\n\tb 2')
    assert read_lines(tmp_path / 't.txt') == [(1, 'a 1'), (3, 'b 2')]
    assert read_text(tmp_path / 't.txt') == ' a 1\n\n\tb 2'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'])
def test_every_unicode_text_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / 't.txt').write_bytes('erste Zeile ä\r\nzweite \u2028 Zeile\r\n'.encode(encoding))
    assert read_lines(tmp_path / 't.txt') == [(1, 'erste Zeile ä'), (2, 'zweite \u2028 Zeile')]


def test_what_is_no_text_is_refused_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 't.txt'
    path.write_bytes(b'one\ntwo\0\n')
    with pytest.raises(UserError, match=r't\.txt:2: cannot be read: a NUL character'):
        read_text(path)
    path.write_bytes(b'\xff\x00\xe4\n')
    with pytest.raises(UserError, match=r't\.txt: cannot be read: not UTF-8 text'):
        read_text(path)
    monkeypatch.setattr(texts, 'MAX_TEXT', 3)
    path.write_text('four')
    with pytest.raises(UserError, match='larger than 3 bytes'):
        read_text(path)


def test_encodings_are_told_by_the_first_bytes() -> None:
    assert told_encoding(b'') == 'utf-8-sig'
    assert told_encoding(b'a\0b') == 'utf-8-sig'  # damaged, and not UTF-16
    assert told_encoding('video,label\n'.encode('utf-16-be')) == 'utf-16-be'


def test_separators_are_told_by_the_header() -> None:
    assert told_separator(['\n', 'a,b;c\n'], ['a']) == ','
    assert told_separator(['a b;"c,\n', 'd";e'], ['e']) == ';'
    assert told_separator(['a\tb\tc,d\n']) == '\t'
    assert told_separator(['alone\n']) == told_separator([]) == ','
    assert [declared_separator(line) for line in ('sep=;\r\n', '"sep=,"\n', 'sep=ab', 'a,b')] == [';', ',', None, None]
