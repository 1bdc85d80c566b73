"""After a test: print the per-group tables, and write them as JSON and as one HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from bmoe_ground.files import atomic_write
from face_aux.metrics.fairness_metric import FairnessMetric
from face_aux.metrics.fairness_types import FairnessReport
from face_aux.metrics.report_html import html_page
from face_aux.metrics.report_text import summary, terminal_table, to_plain
from face_aux.registry import HOOKS


@HOOKS.register_module()
class FairnessReportHook(Hook):
    """Write ``fairness.json`` and ``fairness.html`` into the work folder after a test.

    Does nothing where the evaluator has no :class:`FairnessMetric`.

    Args:
        title: Heading of the page.
        out_dir: Folder to write to; None for the runner's work folder.
    """

    def __init__(self, title: str = 'For whom does it work?', out_dir: str | None = None) -> None:
        self.title, self.out_dir = title, out_dir

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, Any] | None = None) -> None:
        """Print and write what the fairness metrics found."""
        found = [m for m in runner.test_evaluator.metrics if isinstance(m, FairnessMetric)]
        reports = [made for metric in found for made in metric.reports]
        if not reports:
            return
        print(terminal_table(reports))
        dataset = runner.test_dataloader.dataset
        source = f'{runner.experiment_name}: {type(dataset).__name__}, {len(dataset)} samples'
        for path in write_reports(reports, self.out_dir or runner.work_dir, self.title, source):
            print(f'written to {path}')


def write_reports(
    reports: Sequence[FairnessReport], folder: str | Path, title: str = 'For whom does it work?', source: str = ''
) -> list[Path]:
    """Write ``fairness.json`` and ``fairness.html``, each whole or not at all.

    Args:
        reports: One a task.
        folder: Where to.
        title: Heading of the page.
        source: What was tested.

    Returns:
        The two paths.

    Raises:
        UserError: The folder cannot be written.
    """
    sentences = [summary(made) for made in reports]
    plain = {'title': title, 'source': source, 'summary': sentences, 'reports': to_plain(list(reports))}
    contents = {
        'fairness.json': json.dumps(plain, indent=1, ensure_ascii=False) + '\n',
        'fairness.html': html_page(reports, title, source),
    }
    for name, text in contents.items():
        with atomic_write(Path(folder) / name) as file:
            file.write(text.encode('utf-8'))
    return [Path(folder) / name for name in contents]
