from __future__ import annotations

import json

import pytest

from bmoe_ground.pages import data_block, escape, html_document, json_text


def test_text_cannot_leave_its_place() -> None:
    hostile = '</script><script>alert(1)</script>"\'\n'
    assert not set('<>"\'\n') & set(escape(hostile))
    assert '<' not in json_text({'a': hostile})
    assert json.loads(json_text({'a': hostile})) == {'a': hostile}
    assert data_block('x', hostile).count('</script>') == 1
    with pytest.raises(ValueError, match='JSON compliant'):
        json_text(float('nan'))


def test_document_lets_its_own_script_run_only() -> None:
    assert "script-src 'none'" in html_document('<t>', '', '')
    assert "script-src 'sha256-" in (page := html_document('<t>', 'b', 'c', 'd'))
    assert '<title>&lt;t&gt;</title>' in page
