"""ELAN files written by hand: tiers of persons, notes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bmoe_ground.elan import read_annotations
from bmoe_ground.errors import UserError

FILE = """<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds"/>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="200"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="800"/></TIME_ORDER>
<TIER TIER_ID="person 3 hands"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="x" TIME_SLOT_REF1="a"
 TIME_SLOT_REF2="b"><ANNOTATION_VALUE> nod &lt;b&gt; </ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="person 3 region" PARENT_REF="person 3 hands"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="y"
 ANNOTATION_REF="x"><ANNOTATION_VALUE>head</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""


def test_times_person_label_and_what_is_told_beneath(tmp_path: Path) -> None:
    (tmp_path / 'a.eaf').write_text(FILE)
    (one,) = read_annotations(tmp_path / 'a.eaf')
    assert one[:5] == (200, 800, 3, 'nod <b>', {'region': 'head'})
    assert one.where == f"{tmp_path / 'a.eaf'}: tier 'person 3 hands', annotation 'x'"


@pytest.mark.parametrize(
    ('old', 'new', 'says'),
    [
        ('"800"', '"100"', 'ends before it starts'),
        ('"800"', '"-1"', 'TIME_SLOT_REF2: expected a time slot'),
        ('"person 3 hands"', '"Ann"', "participant to 'person 0'"),
        ('milliseconds', 'frames', 'TIME_UNITS'),
        ('<ANNOTATION_DOCUMENT>', '<!DOCTYPE a [<!ENTITY x "y">]><ANNOTATION_DOCUMENT>', 'declares'),
        ('</ANNOTATION_DOCUMENT>', '', 'damaged'),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    (tmp_path / 'a.eaf').write_text(FILE.replace(old, new))
    with pytest.raises(UserError, match=says):
        read_annotations(tmp_path / 'a.eaf')


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='cannot be read'):
        read_annotations(tmp_path / 'a.eaf')
