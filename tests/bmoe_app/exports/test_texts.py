"""Texts of others."""

from __future__ import annotations

from bmoe_app.exports.texts import one_line


def test_one_line_keeps_scripts_and_escapes_controls() -> None:
    assert one_line('می‌روم 👩‍🔬') == 'می‌روم 👩‍🔬'
    assert one_line('a\nb\0\x1b[1m\ud800\ufffe\u202e') == 'a b\\x00\\x1b[1m\\ud800\\ufffe\\u202e'
