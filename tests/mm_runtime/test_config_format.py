from __future__ import annotations

from mmengine.config import Config

from mm_runtime import config_format
from mm_runtime.config_format import FormatCode, apply_format_cure, format_once


def test_a_config_is_laid_out_once_and_as_before(monkeypatch) -> None:
    content = {'model': {'type': 'A', 'sizes': list(range(40)), 'name': "it's"}, 'lr': 1e-3}
    monkeypatch.setattr(config_format.engine, 'FormatCode', FormatCode)
    plain = Config(content).pretty_text
    calls = []
    monkeypatch.setattr(
        config_format, 'FormatCode', lambda *args, **kwargs: calls.append(1) or FormatCode(*args, **kwargs)
    )
    config_format._format.cache_clear()
    apply_format_cure()
    assert [Config(content).pretty_text for _ in range(3)] == [plain] * 3
    assert Config({**content, 'lr': 1}).pretty_text != plain
    assert len(calls) == 2


def test_another_style_is_another_text() -> None:
    text = 'a = dict(bbbbbbbb=1, cccccccc=2)\n'
    assert format_once(text) == (text, False)
    assert format_once(text, {'column_limit': 20}) == FormatCode(text, style_config={'column_limit': 20})
