"""The table's columns, as other parts rely on them."""

from __future__ import annotations

from pathlib import Path

from answers import made_up_answer

from bmoe_app.exports import write_export


def test_columns_decimals_and_harmless_formulas(tmp_path: Path) -> None:
    write_export('csv', tmp_path / 'a.csv', made_up_answer())
    header, first, second, *_ = (tmp_path / 'a.csv').read_text().splitlines()
    assert header == (
        'start,end,person,label,score,region,source,routing_head,routing_body,routing_upper,routing_lower'
    )
    assert first == '0.200,0.800,0,nod,0.7000,head,model,0.7000,0.1000,0.1000,0.1000'
    assert second.startswith('0.500,1.200,0,"\'=1+1 ')
