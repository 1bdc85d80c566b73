from __future__ import annotations

import re

import numpy as np

from bmoe_skel.report_page.learning import Curve
from bmoe_skel.report_page.motion import shrink
from bmoe_skel.report_page.page import report_html
from bmoe_skel.report_page.run import STEPS, TestRun, surest_mistakes

EVIL = '<script>alert("x")</script>'


def run_of(clips: int = 200, classes: int = 52, **changes: object) -> TestRun:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, clips)
    predicted = np.where(rng.random(clips) < 0.6, labels, rng.integers(0, classes, clips))
    confidence = rng.uniform(0.1, 1, clips)
    motion = shrink(rng.normal(size=(1, 90, 17, 2)).astype(np.float32), None, 'coco17')
    facts = {
        'title': EVIL, 'classes': [EVIL, *map(str, range(1, classes))], 'labels': labels, 'predicted': predicted,
        'confidence': confidence, 'names': [EVIL] * clips,
        'routing': rng.dirichlet(np.ones(4), (clips, STEPS)).transpose(0, 2, 1).astype(np.float16),
        'coarse': [c % 7 for c in range(classes)], 'coarse_names': [EVIL, *'bcdefg'],
        'trained': list(range(classes)), 'config': f'a = {EVIL!r}\nb = 1', 'facts': {'data': EVIL},
        'mistakes': dict.fromkeys(surest_mistakes(labels, predicted, confidence), motion),
        'curve': Curve([(0.0, 2.0), (1.0, 1.0)], [(1.0, 0.5)], 'f1', EVIL),
    }  # fmt: skip
    return TestRun(**{**facts, **changes})  # type: ignore[arg-type]


def test_page_of_a_large_test_is_small_whole_and_harmless() -> None:
    page = report_html(run_of(5500))
    assert len(page) < 10_000_000
    assert '<script>alert' not in page
    assert not re.search(r'https?:|url\(|@import|\bnan\b', page)
    assert page.count('<section') == page.count('</section>') == 7
    assert page.count('<canvas') == 12


def test_page_says_what_it_does_not_have() -> None:
    bare = {'routing': None, 'coarse': None, 'coarse_names': (), 'trained': None, 'mistakes': {}, 'curve': None}
    page = report_html(run_of(**bare))
    for words in ('has no router', 'unknown', 'No clip was mistaken', 'log of the training was not found'):
        assert words in page
