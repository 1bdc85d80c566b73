from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from face_aux.hooks import FairnessReportHook
from face_aux.hooks.fairness_report import write_reports
from face_aux.metrics import FairnessMetric, FairnessReport, Settings, report
from face_aux.metrics.fairness_types import Group, Value
from face_aux.metrics.report_html import html_page
from face_aux.metrics.report_text import terminal_table
from face_aux.metrics.samples import TaskScores
from face_aux.metrics.svg import axis_range, dot_plot, roc_plot


@pytest.fixture(scope='module')
def reports() -> list[FairnessReport]:
    rng = np.random.default_rng(0)
    race = rng.choice(['A & B', '<script>', 'C'], size=200).astype(object)
    race[0], race[1:4] = 'lonely', '(unknown)'
    target = np.where(race == 'C', 1, rng.integers(2, size=200))
    scores = rng.random(200) * 0.5 + target * 0.3
    two = TaskScores('fake', ('real', 'fake'), target, np.stack([1 - scores, scores], 1), {'race': race})
    many = TaskScores('mood', ('x', 'y', 'z'), rng.integers(3, size=200), rng.random((200, 3)), {'race': race})
    return [report(task, settings=Settings(replicates=50, min_size=5)) for task in (two, many)]


class Page(HTMLParser):
    """Collects tags, and fails where they do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ('meta', 'br'):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else(reports: list[FairnessReport]) -> None:
    text = html_page(reports, title='a < b', source='run 1')
    page = Page()
    page.feed(text)
    assert page.open == []
    assert 'Thresholds by group' in text
    assert 'not recommended' in text
    assert text.index('<p><b>fake: ') < text.index('<table')
    assert not {'script', 'link', 'img', 'iframe', 'object'} & {tag for tag, _ in page.tags}
    assert not re.search(r'https?:|url\(|@import', text)
    assert '<title>a &lt; b</title>' in text
    anchors = {a['href'][1:] for tag, a in page.tags if tag == 'a'}
    assert anchors == {'task0', 'task1'} <= {a.get('id') for _, a in page.tags}


def test_page_shows_every_group_and_every_reason(reports: list[FairnessReport]) -> None:
    text = html_page(reports)
    for name in ('A &amp; B', '&lt;script&gt;', 'lonely'):
        assert name in text
    assert 'no negatives' in text
    assert 'lonely stays out of the gap (n=1, fewer than 5)' in text
    assert '3 samples have no value in this column' in text


def test_terminal_table_aligns_and_says_what_is_missing(reports: list[FairnessReport]) -> None:
    text = terminal_table(reports)
    rows = [line for line in text.splitlines() if line.startswith(('race ', 'A & B', '<script>', 'lonely', 'C '))]
    assert len(rows) == 2 * 5
    starts = {line.index('accuracy') if 'accuracy' in line else None for line in rows[:1]}
    assert all(line[starts.copy().pop()].strip() for line in rows[1:5])
    assert 'not defined (no negatives)' in text
    assert 'out of the gaps: lonely (n=1, fewer than 5)' in text
    assert '3 samples have no value in this column' in text
    assert 'worst class: ' in text


def test_files_hold_the_same_numbers(tmp_path: Path, reports: list[FairnessReport]) -> None:
    json_path, html_path = write_reports(reports, tmp_path / 'new', source='x')
    plain = json.loads(json_path.read_text())
    group = plain['reports'][0]['columns'][0]['groups'][1]
    ours = reports[0].columns[0].groups[1]
    assert (group['name'], group['n']) == (ours.name, ours.n)
    assert group['metrics']['accuracy'] == ours.metrics['accuracy'].to_dict()
    fpr = next(g for g in plain['reports'][0]['columns'][0]['groups'] if g['name'] == 'C')['metrics']['fpr']
    assert fpr == {'value': None, 'reason': 'no negatives'}
    assert f'{ours.metrics["accuracy"].value:.3f}' in html_path.read_text()
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError):
        write_reports(reports, tmp_path / 'file' / 'below')


def test_hook_writes_into_the_work_folder(tmp_path: Path, reports: list[FairnessReport], capsys) -> None:  # type: ignore[no-untyped-def]
    metric = FairnessMetric()
    metric.reports = reports
    runner = SimpleNamespace(
        test_evaluator=SimpleNamespace(metrics=[metric]),
        test_dataloader=SimpleNamespace(dataset=[1, 2]),
        experiment_name='run',
        work_dir=str(tmp_path),
    )
    FairnessReportHook().after_test_epoch(runner)
    assert {p.name for p in tmp_path.iterdir()} == {'fairness.json', 'fairness.html'}
    assert '== fake: 200 samples' in capsys.readouterr().out
    runner.test_evaluator.metrics, runner.work_dir = [], str(tmp_path / 'none')
    FairnessReportHook().after_test_epoch(runner)
    assert not (tmp_path / 'none').exists()


def test_plots_are_valid_and_in_place() -> None:
    groups = [
        Group('a', 10, {}, {'auc': Value(0.5, 0.4, 0.6)}, [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]),
        Group('b', 20, {}, {'auc': Value(0.9)}),
        Group('c', 1, {}, {'auc': Value(None, reason='no negatives')}),
    ]
    plot = ElementTree.fromstring(dot_plot(groups, 'auc', 'AUC', Value(0.7), worst='a'))
    circles = {c.get('class'): float(c.get('cx', 0)) for c in plot.iter('circle')}
    assert circles['worst'] < circles['dot']  # 0.5 lies left of 0.9
    names = [t.text for t in plot.iter('text') if t.get('class') == 'name']
    assert [n.strip() for n in names if n] == ['b', 'a', 'c']
    assert any('no negatives' in (t.text or '') for t in plot.iter('text'))
    curve = ElementTree.fromstring(roc_plot(groups)).find('polyline')
    assert curve is not None and len(curve.get('points', '').split()) == 3
    assert roc_plot(groups[1:]) == ''


@pytest.mark.parametrize(
    ('values', 'expected'),
    [([0.91, 0.97], (0.8, 1.0)), ([0.05], (0.0, 0.2)), ([], (0.0, 1.0)), ([0.31, 0.78], (0.3, 0.8))],
)
def test_axis_range(values: list[float], expected: tuple[float, float]) -> None:
    assert axis_range(values) == pytest.approx(expected)
