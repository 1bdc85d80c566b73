"""ELAN files, read by pympi."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import made_up_answer

from bmoe_app.exports import write_export


def test_pympi_reads_tiers_times_and_the_relative_video(tmp_path: Path) -> None:
    elan = pytest.importorskip('pympi.Elan', reason='pympi-ling is not installed')
    answer = made_up_answer(video=tmp_path / 'videos' / 'a.mp4')
    write_export('eaf', tmp_path / 'out' / 'a.eaf', answer)
    file = elan.Eaf(str(tmp_path / 'out' / 'a.eaf'))
    top = [name for name in file.get_tier_names() if not file.get_parameters_for_tier(name).get('PARENT_REF')]
    assert top == ['person 0', 'person 0 (2)', 'person 1']
    read = {(s, e, label) for tier in top for s, e, label, *_ in file.get_annotation_data_for_tier(tier)}
    assert read == {
        (round(e.start * 1000), max(round(e.end * 1000), round(e.start * 1000) + 1), e.label) for e in answer.events
    }
    regions = file.get_ref_annotation_data_for_tier('person 0 region')
    assert [value for _, _, value, *_ in regions] == ['head', 'upper']
    assert file.media_descriptors[0]['RELATIVE_MEDIA_URL'] == '../videos/a.mp4'


def test_nobody_is_one_empty_tier(tmp_path: Path) -> None:
    elan = pytest.importorskip('pympi.Elan', reason='pympi-ling is not installed')
    write_export('eaf', tmp_path / 'a.eaf', made_up_answer([], people=0))
    assert elan.Eaf(str(tmp_path / 'a.eaf')).get_annotation_data_for_tier('person 0') == []
