from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config
from mmengine.config import config as mmengine_config
from yapf.yapflib.yapf_api import FormatCode

from mm_runtime import config_format

CONTENT = {'model': {'type': 'M', 'dims': (8, 16), 'names': ["it's", 'b' * 120]}, 'lr': 1e-4}


def test_the_text_is_mmengines_and_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmengine_config, 'FormatCode', FormatCode)
    plain = [Config({**CONTENT, 'lr': lr}).pretty_text for lr in (1e-4, 1e-3)]
    asked = []

    def counted(text: str, **how: Any) -> tuple[str, bool]:
        asked.append(text)
        return FormatCode(text, **how)

    monkeypatch.setattr(config_format, '_lay_out_anew', counted)
    config_format._lay_out.cache_clear()
    config_format.format_once()
    assert [Config({**CONTENT, 'lr': lr}).pretty_text for lr in (1e-4, 1e-3, 1e-4)] == [*plain, plain[0]]
    assert len(asked) == 2
