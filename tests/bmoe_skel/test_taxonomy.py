"""The classes of everyday micro-actions, against the lists of the sets that they name."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bmoe_app.rules import RULES
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION, BODY_PARTS
from bmoe_skel.datasets.mpii_classes import SINGLE_LABEL
from bmoe_skel.datasets.social_gesture import GESTURES
from bmoe_skel.taxonomy import CLASSES, MA52_WITHOUT, NOTHING, TAXONOMY, ma52_scores, rank_among, region_of_class
from pose_extract.skeletons import REGIONS


def test_counterparts_are_names_of_their_sets() -> None:
    for name, action in TAXONOMY.items():
        assert set(action.ma52) <= set(ACTIONS), name
        assert set(action.bbsi) <= set(SINGLE_LABEL), name
        assert set(action.social_gesture) <= set(GESTURES), name
        assert action.rule is None or action.rule in RULES, name


def test_every_action_of_ma52_is_in_one_class_or_said_to_be_in_none() -> None:
    counts = Counter(name for action in TAXONOMY.values() for name in action.ma52) + Counter(MA52_WITHOUT)
    assert counts == Counter(ACTIONS)


def test_regions_are_those_of_the_counterparts() -> None:
    theirs = {'body': 'body', 'head': 'head', 'upper limb': 'upper', 'lower limb': 'lower'}
    theirs |= {'body-hand': 'upper', 'head-hand': 'upper', 'leg-hand': 'upper'}
    for name, action in TAXONOMY.items():
        assert action.region in REGIONS
        for one in action.ma52:
            assert theirs[BODY_PARTS[BODY_OF_ACTION[ACTIONS.index(one)]]] == action.region, (name, one)
        assert action.rule is None or RULES[action.rule].region == action.region, name


def test_every_region_has_classes_and_every_class_a_definition_of_its_own() -> None:
    assert {action.region for action in TAXONOMY.values()} == set(REGIONS)
    assert len({action.what for action in TAXONOMY.values()}) == len(TAXONOMY)
    assert CLASSES[-1] == NOTHING and NOTHING not in TAXONOMY
    assert region_of_class(NOTHING) is None and region_of_class('cross_legs') == 'lower'


def test_probability_is_shared_by_the_counterparts() -> None:
    certain = np.eye(len(CLASSES))[CLASSES.index('hands_together')]
    scores = ma52_scores(certain, ACTIONS)
    assert {ACTIONS[k] for k in np.flatnonzero(scores)} == {'putting hands together', 'rubbing hands'}
    assert scores.sum() == pytest.approx(1)
    assert rank_among(scores, ACTIONS.index('rubbing hands')) == 1.5
    assert rank_among(scores, ACTIONS.index('tiptoe')) == 2 + (50 + 1) / 2
    with pytest.raises(ValueError, match='expected 27 probabilities, got 3'):
        ma52_scores([0.2, 0.3, 0.5], ACTIONS)
