from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from bmoe_skel.metrics.calibration import reliability
from bmoe_skel.report_page.figures import confusion_svg, curve_svg, reliability_svg, routing_svg, shade


def test_figures_are_well_formed_with_hostile_names() -> None:
    svg = ElementTree.fromstring(confusion_svg(np.array([[3, 1], [0, 2]]), ['<a>&"', 'b'], 'x'))
    titles = [t.text for t in svg.iter('title')]
    assert '<a>&" taken for b: 1 of 4' in titles
    found = reliability(np.array([0.95, 0.15]), np.array([True, False]))
    assert len(list(ElementTree.fromstring(reliability_svg(found)).iter('rect'))) == 2
    assert len(list(ElementTree.fromstring(routing_svg(np.full((4, 5), 0.25), '<')).iter('polyline'))) == 4
    ElementTree.fromstring(curve_svg([(0.0, 0.0)], 'loss', 1.0))


def test_shade_darkens_with_the_share() -> None:
    assert shade(0.0) > shade(0.5) > shade(1.0)
    assert shade(float('nan')) == '#d0d0d0'
