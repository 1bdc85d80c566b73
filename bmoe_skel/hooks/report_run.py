"""From a runner that has tested to what the page of the test is made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner

from bmoe_ground.files import file_digest
from bmoe_ground.version import __version__
from bmoe_skel.report_page.learning import read_curve
from bmoe_skel.report_page.motion import Motion, shrink
from bmoe_skel.report_page.run import TestRun, surest_mistakes


def describe_test(runner: Runner, rows: Sequence[dict[str, Any]], metrics: dict[str, Any] | None) -> TestRun:
    """Gather everything that the page shows.

    Args:
        runner: The runner; its message hub may hold ``checkpoint``, a path, and ``trained_on``, the metainfo of the
            training's data.
        rows: One a clip, in the set's order: ``label``, ``predicted``, ``confidence``, ``name``, ``index`` and, of a
            model with a router, ``routing`` (R, STEPS).
        metrics: As the test computed them.

    Returns:
        The run.
    """
    dataset = runner.test_dataloader.dataset
    facts = dataset.metainfo
    hub = runner.message_hub.runtime_info
    checkpoint = Path(hub['checkpoint']) if 'checkpoint' in hub else None
    trained = hub.get('trained_on') or {}
    labels, predicted = (np.array([row[key] for row in rows]) for key in ('label', 'predicted'))
    confidence = np.array([row['confidence'] for row in rows])
    counts = trained.get('class_counts')
    coarse = facts.get('body_parts')
    return TestRun(
        title=f'Test of {runner.experiment_name}',
        classes=[str(name) for name in facts['classes']],
        labels=labels,
        predicted=predicted,
        confidence=confidence,
        names=[row['name'] for row in rows],
        routing=np.stack([row['routing'] for row in rows]) if all('routing' in row for row in rows) else None,
        coarse=None if coarse is None else list(coarse),
        coarse_names=[] if coarse is None else _coarse_names(facts, max(coarse) + 1),
        trained=list(counts) if counts is not None and len(counts) == len(facts['classes']) else None,
        scores=metrics or {},
        facts={
            'checkpoint': str(checkpoint) if checkpoint else 'unknown',
            'its SHA-256': file_digest(checkpoint) if checkpoint else 'unknown',
            'test data': f'{dataset.source}, {len(rows)} clips, digest {facts.get("clips_digest", "unknown")}',
            'skeleton': str(facts.get('skeleton')),
            'versions': f'bmoe-skel {__version__}, torch {torch.__version__}, numpy {np.__version__}',
        },
        config=str(getattr(runner.cfg, 'pretty_text', '')),
        mistakes={i: _motion(dataset, rows[i]) for i in surest_mistakes(labels, predicted, confidence)},
        curve=next((c for c in map(read_curve, _log_folders(checkpoint, runner)) if c is not None), None),
    )


def _coarse_names(facts: dict[str, Any], count: int) -> list[str]:
    return [str(name) for name in facts.get('body_part_names') or range(count)]


def _log_folders(checkpoint: Path | None, runner: Runner) -> list[Path]:
    return [*([checkpoint.parent] if checkpoint else []), Path(runner.work_dir)]


def _motion(dataset: Any, row: dict[str, Any]) -> Motion | None:
    """The clip's movement; None where the set's clip at that place is another one."""
    clip = dataset.get_data_info(row['index'])
    if str(clip.get('frame_dir', '')) != row['name'] or 'keypoint' not in clip:
        return None
    return shrink(clip['keypoint'], clip.get('keypoint_score'), dataset.metainfo['skeleton'])
