"""What a test leaves to look at: the confusion matrix, and which region the router trusted for each class."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import collect_results, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from sklearn.metrics import confusion_matrix
from torch import Tensor

from bmoe_ground.files import atomic_write
from bmoe_skel.hooks.report_run import describe_test
from bmoe_skel.models.region_expert import WHOLE_BODY
from bmoe_skel.registry import HOOKS
from bmoe_skel.report_page import report_html
from bmoe_skel.report_page.run import resample
from mm_runtime.finite import check_sample
from pose_extract.skeletons import REGIONS

PARTS = (*REGIONS, WHOLE_BODY)  # those with a classifier of their own, in the order of ActionSample.part_scores


def body_confusion(confusion: np.ndarray, body_parts: Sequence[int]) -> np.ndarray:
    """Sum a confusion matrix of actions up by body part.

    Args:
        confusion: (C, C) counts, rows are the labels.
        body_parts: (C,) part of each class.

    Returns:
        (P, P) int64 counts.
    """
    member = np.eye(max(body_parts) + 1, dtype=np.int64)[list(body_parts)]
    return member.T @ confusion @ member


def frequent_confusions(confusion: np.ndarray, classes: Sequence[str], count: int = 5) -> list[str]:
    """Name the pairs of classes that are mistaken for each other most often.

    Args:
        confusion: (C, C) counts, rows are the labels.
        classes: C names.
        count: At most so many pairs.

    Returns:
        Lines such as ``'wave taken for clap: 12 of 60'``, most clips first.
    """
    wrong = confusion * (1 - np.eye(len(confusion), dtype=confusion.dtype))
    order = np.argsort(-wrong, axis=None, kind='stable')[:count]
    pairs = [np.unravel_index(i, wrong.shape) for i in order]
    total = confusion.sum(1)
    return [f'{classes[i]} taken for {classes[j]}: {wrong[i, j]} of {total[i]}' for i, j in pairs if wrong[i, j]]


def routing_by_class(routing: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Average the router's weights over the clips of each class.

    Args:
        routing: (N, R) mean weight of each region in each clip.
        labels: (N,) int.
        num_classes: C.

    Returns:
        (C, R); NaN for classes without clips.
    """
    table = np.full((num_classes, routing.shape[1]), np.nan)
    for c in np.unique(labels):
        table[c] = routing[labels == c].mean(0)
    return table


def draw_report(path: Path, confusion: np.ndarray, routing: np.ndarray | None, classes: Sequence[str]) -> None:
    """Draw the confusion matrix and, beside it, the routing by class.

    Args:
        path: The PNG to write.
        confusion: (C, C) counts, rows are the labels.
        routing: (C, R) weights, or None.
        classes: C names.
    """
    from matplotlib.figure import Figure  # drawing only: neither training nor import waits for it

    count = len(classes)
    size = min(max(0.42 * count, 3.2), 16.0)
    figure = Figure(figsize=(2 * size + 3.6, size + 1.2), layout='constrained')
    left, right = figure.subplots(1, 2, width_ratios=(1, 0.55)) if routing is not None else (figure.subplots(), None)
    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    left.imshow(share, cmap='Blues', vmin=0, vmax=1)
    left.set(xlabel='predicted', ylabel='true', title='Confusion (share of the true class)')
    small = 8 if count <= 20 else 5
    left.set_xticks(range(count), classes, rotation=60, ha='right', fontsize=small)
    left.set_yticks(range(count), classes, fontsize=small)
    if count <= 20:
        for i, j in zip(*np.nonzero(confusion), strict=True):
            left.text(
                j, i, confusion[i, j], ha='center', va='center', fontsize=7, color='w' if share[i, j] > 0.5 else 'k'
            )
    if right is not None and routing is not None:
        _show_routing(figure, right, routing, classes if count <= 20 else [''] * count, 'Weight of each region')
    with atomic_write(path) as file:
        figure.savefig(file, dpi=130, format='png')


def draw_routing(path: Path, routing: np.ndarray, classes: Sequence[str], title: str) -> None:
    """Draw the weight of each region by class.

    Args:
        path: The PNG to write.
        routing: (C, R) weights.
        classes: C names.
        title: What the weights are of.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, max(0.3 * len(classes), 2) + 1.2), layout='constrained')
    axes = figure.subplots()
    _show_routing(figure, axes, routing, classes, title)
    with atomic_write(path) as file:
        figure.savefig(file, dpi=130, format='png')


def _show_routing(figure: Any, axes: Any, routing: np.ndarray, names: Sequence[str], title: str) -> None:
    image = axes.imshow(routing, cmap='Oranges', vmin=0, vmax=max(0.5, float(np.nanmax(routing))), aspect='auto')
    axes.set_title(title, fontsize=10)
    axes.set_xticks(range(len(REGIONS)), REGIONS)
    axes.set_yticks(range(len(names)), names, fontsize=8 if len(names) <= 20 else 5)
    if len(names) <= 20:
        for (i, j), value in np.ndenumerate(routing):
            if np.isfinite(value):
                axes.text(j, i, f'{value:.2f}', ha='center', va='center', fontsize=7)
    figure.colorbar(image, ax=axes, shrink=0.7)


def _answers(part_scores: Tensor) -> np.ndarray:
    """(P, C) -> (P,) classes; -1 for a part that saw nothing."""
    return torch.where(part_scores.any(1), part_scores.argmax(1), -1).numpy()


@HOOKS.register_module()
class ReportHook(Hook):
    """After a test, write ``report.png`` and ``confusion.json``, and what the mixture says of its parts.

    ``routing.json`` has the weight of each region by class, ``parts.json`` how often each part's own classifier is
    right: top-1, and recall by class. ``report.html`` is the page to look at; where it cannot be made, the test says so
    and its scores stand.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, np.ndarray | None, np.ndarray | None]] = []
        self._clips: list[dict[str, Any] | None] = []  # of every clip in order, so that a place is one in the set
        self._source = ''

    def before_test_epoch(self, runner: Runner) -> None:
        """Forget the clips of an earlier test."""
        self._rows, self._clips = [], []
        checkpoint = runner.message_hub.runtime_info.get('checkpoint')
        self._source = f'checkpoint {checkpoint}' if checkpoint else 'the tested model'

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Keep what the report needs of a batch.

        Raises:
            UserError: A score is NaN or infinite; the message names clip and checkpoint.
        """
        for sample in outputs or ():
            check_sample(sample, self._source)
            self._clips.append(None)
            if sample.gt_label.ndim == 0 and sample.gt_label >= 0:  # one label, and not a hidden one
                routing = sample.routing.mean(1).numpy() if 'routing' in sample else None
                parts = _answers(sample.part_scores) if 'part_scores' in sample else None
                self._rows.append((int(sample.gt_label), int(sample.pred_scores.argmax()), routing, parts))
                self._clips[-1] = {
                    'label': int(sample.gt_label),
                    'predicted': int(sample.pred_scores.argmax()),
                    'confidence': float(sample.pred_scores.max()),
                    'name': str(sample.get('name', '')),
                    **({'routing': resample(sample.routing.numpy())} if 'routing' in sample else {}),
                }

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the report."""
        dataset = runner.test_dataloader.dataset
        rows = collect_results(self._rows, len(dataset), 'cpu')
        clips = collect_results(self._clips, len(dataset), 'cpu')
        if not is_main_process() or not rows:
            return
        classes = dataset.metainfo['classes']
        labels, predicted = (np.array([row[i] for row in rows]) for i in (0, 1))
        routing = None
        if all(row[2] is not None for row in rows):
            routing = routing_by_class(np.stack([row[2] for row in rows]), labels, len(classes))
            self._print(routing, classes)
            table = {
                name: dict(zip(REGIONS, map(float, weights), strict=True))
                for name, weights in zip(classes, routing, strict=True)
                if np.isfinite(weights).all()
            }
            _write(Path(runner.work_dir) / 'routing.json', json.dumps(table, indent=2))
        if all(row[3] is not None for row in rows):
            self._parts(np.stack([row[3] for row in rows]), predicted, labels, classes, Path(runner.work_dir))
        path = Path(runner.work_dir) / 'report.png'
        confusion = confusion_matrix(labels, predicted, labels=range(len(classes)))
        draw_report(path, confusion, routing, classes)
        counts = {'classes': list(classes), 'rows_are_the_truth': confusion.tolist()}
        _write(Path(runner.work_dir) / 'confusion.json', json.dumps(counts))
        if dataset.metainfo.get('body_parts') is not None:
            self._body_parts(confusion, dataset.metainfo, Path(runner.work_dir) / 'confusion_body.json')
        print(f'picture: {path}')
        self._page(runner, clips or [], metrics)

    @staticmethod
    def _page(runner: Runner, clips: Sequence[dict[str, Any] | None], metrics: dict[str, float] | None) -> None:
        path = Path(runner.work_dir) / 'report.html'
        try:
            rows = [{**clip, 'index': i} for i, clip in enumerate(clips) if clip is not None]
            with atomic_write(path) as file:
                file.write(report_html(describe_test(runner, rows, metrics)).encode())
        except Exception as error:  # a fault of the page must not cost the scores, which are written after this
            print(f'{path} was not made: {type(error).__name__}: {error}', file=sys.stderr)
        else:
            print(f'page: {path}')

    @staticmethod
    def _parts(
        answers: np.ndarray, predicted: np.ndarray, labels: np.ndarray, classes: Sequence[str], folder: Path
    ) -> None:
        right = {name: answers[:, p] == labels for p, name in enumerate(PARTS[: answers.shape[1]])}
        table = {
            name: {
                'top1': float(hits.mean()),
                'recall': {classes[c]: float(hits[labels == c].mean()) for c in np.unique(labels)},
            }
            for name, hits in right.items()
        }
        _write(folder / 'parts.json', json.dumps(table, indent=2))
        alone = ', '.join(f'{name} {100 * hits.mean():.0f}' for name, hits in right.items())
        print(f'right by one part alone: {alone}; by all together {100 * (predicted == labels).mean():.0f} %')

    @staticmethod
    def _body_parts(confusion: np.ndarray, metainfo: dict[str, Any], path: Path) -> None:
        table = body_confusion(confusion, metainfo['body_parts'])
        names = metainfo.get('body_part_names') or [str(p) for p in range(len(table))]
        _write(path, json.dumps({'body_parts': names, 'rows_are_the_truth': table.tolist()}))
        width = max(map(len, names))
        print(f'{"true body part":<{max(width, 14)}}  ' + '  '.join(f'{name:>{width}}' for name in names))
        for name, row in zip(names, table.tolist(), strict=True):
            print(f'{name:<{max(width, 14)}}  ' + '  '.join(f'{count:>{width}}' for count in row))

    @staticmethod
    def _print(routing: np.ndarray, classes: Sequence[str]) -> None:
        width = max(len(name) for name in classes)
        print(f'{"router trusts":<{width}}  ' + '  '.join(f'{region:>5}' for region in REGIONS))
        for name, weights in zip(classes, routing, strict=True):
            print(f'{name:<{width}}  ' + '  '.join(f'{weight:5.2f}' for weight in weights))


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(f'{text}\n'.encode())
