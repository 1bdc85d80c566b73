from __future__ import annotations

import pytest

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION, BODY_PARTS
from bmoe_skel.models import BMoE
from bmoe_skel.models.class_regions import class_regions_of, region_table


def test_coarse_classes_name_their_regions() -> None:
    facts = {'classes': list(ACTIONS), 'body_parts': list(BODY_OF_ACTION), 'body_part_names': list(BODY_PARTS)}
    found = dict(zip(ACTIONS, class_regions_of(facts), strict=True))
    assert found['nodding'] == ['head'] and found['shrugging'] == ['body']
    by_part = {BODY_PARTS[part]: found[name] for name, part in zip(ACTIONS, BODY_OF_ACTION, strict=True)}
    assert by_part['upper limb'] == ['upper'] and by_part['lower limb'] == ['lower']
    assert by_part['body-hand'] == ['body', 'upper'] and by_part['leg-hand'] == ['upper', 'lower']


def test_regions_that_are_given_or_known_by_name() -> None:
    facts = {'classes': ['nod', 'fall'], 'skeleton': 'coco17', 'coordinates': 2}
    assert class_regions_of(facts) == [['head'], []]
    assert class_regions_of(facts, {'fall': ['body', 'lower']}) == [[], ['body', 'lower']]
    model = {'type': 'BMoE', 'router': {'region_weight': 0.2, 'class_regions': {'fall': 'lower'}}}
    BMoE.complete_config(model, facts)
    assert model['router']['class_regions'] == [[], ['lower']]
    BMoE.complete_config(model, facts)  # as a test does with what training wrote
    assert region_table(model['router']['class_regions'], 2).tolist() == [[False] * 4, [False, False, False, True]]


def test_mistakes_are_named() -> None:
    for classes, given, message in (
        (['fall', 'sit'], None, 'do not say which region'),
        (['nod'], {'nodd': 'head'}, "no class 'nodd'; did you mean 'nod'"),
    ):
        with pytest.raises(UserError, match=message):
            class_regions_of({'classes': classes}, given)
    with pytest.raises(UserError, match="unknown region 'foot'"):
        region_table([['foot']], 1)
    with pytest.raises(UserError, match='for each of 2 classes'):
        region_table([['head']], 2)
