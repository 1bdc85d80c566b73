from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix

from bmoe_ground.errors import UserError
from bmoe_skel.hooks.report import (
    ReportHook,
    body_confusion,
    draw_report,
    frequent_confusions,
    routing_by_class,
)
from bmoe_skel.structures import ActionSample


def test_routing_by_class_is_the_mean_of_its_clips() -> None:
    rng = np.random.default_rng(0)
    routing, labels = rng.dirichlet(np.ones(4), 9), np.array([0, 2, 2, 0, 0, 2, 0, 2, 2])
    table = routing_by_class(routing, labels, 4)
    for c in (0, 2):
        for r in range(4):
            mine = [routing[i, r] for i in range(9) if labels[i] == c]
            assert table[c, r] == pytest.approx(sum(mine) / len(mine))
    assert np.isnan(table[[1, 3]]).all()


def test_frequent_confusions_are_named_most_first() -> None:
    counts = np.array([[5, 3, 0], [1, 9, 0], [4, 0, 2]])
    assert frequent_confusions(counts, 'abc', 2) == ['c taken for a: 4 of 6', 'a taken for b: 3 of 8']
    assert frequent_confusions(np.diag([3, 3, 3]), 'abc') == []


@pytest.mark.parametrize(('classes', 'with_routing'), [(3, True), (3, False), (25, True)])
def test_picture_is_written(tmp_path, classes, with_routing) -> None:
    from matplotlib.image import imread

    rng = np.random.default_rng(0)
    routing = rng.dirichlet(np.ones(4), classes) if with_routing else None
    path = tmp_path / 'report.png'
    draw_report(path, rng.integers(0, 9, (classes, classes)), routing, [f'class {i}' for i in range(classes)])
    image = imread(path)
    assert min(image.shape[:2]) > 300
    assert image[..., :3].std() > 0.05


def sample(label: int, predicted: int, routing: np.ndarray | None) -> ActionSample:
    result = ActionSample()
    result.gt_label = torch.tensor(label)
    result.pred_scores = torch.eye(2)[predicted]
    if routing is not None:
        result.routing = torch.from_numpy(routing)
    return result


def run_hook(tmp_path, samples) -> None:
    dataset = type('Clips', (), {'metainfo': {'classes': ['nod', 'wave']}, '__len__': lambda self: len(samples)})()
    hub = SimpleNamespace(runtime_info={'checkpoint': 'a.pth'})
    loader = SimpleNamespace(dataset=dataset)
    runner = SimpleNamespace(work_dir=str(tmp_path), test_dataloader=loader, message_hub=hub)
    hook = ReportHook()
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, outputs=samples[:1])
    hook.after_test_iter(runner, 1, outputs=samples[1:])
    hook.after_test_epoch(runner)


def test_hook_prints_and_writes(tmp_path, capsys) -> None:
    weights = np.array([[0.7, 0.5], [0.1, 0.1], [0.1, 0.2], [0.1, 0.2]], dtype=np.float32)  # (regions, steps)
    run_hook(tmp_path, [sample(0, 0, weights), sample(0, 1, weights[[1, 0, 2, 3]]), sample(1, 1, weights)])
    table = json.loads((tmp_path / 'routing.json').read_text())
    assert list(table['wave'].values()) == pytest.approx([0.6, 0.1, 0.15, 0.15])
    assert list(table['nod'].values()) == pytest.approx([0.35, 0.35, 0.15, 0.15])
    assert (tmp_path / 'report.png').stat().st_size > 5000
    counts = json.loads((tmp_path / 'confusion.json').read_text())
    assert counts == {'classes': ['nod', 'wave'], 'rows_are_the_truth': [[1, 1], [0, 1]]}
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split() == ['router', 'trusts', 'head', 'body', 'upper', 'lower']
    assert printed.splitlines()[2].split() == ['wave', '0.60', '0.10', '0.15', '0.15']


def test_hook_says_what_each_part_alone_got_right(tmp_path, capsys) -> None:
    samples = [sample(0, 0, None), sample(0, 0, None), sample(1, 0, None), sample(1, 1, None)]
    heads = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 0.0]]  # right, wrong, wrong, not seen
    for clip, head in zip(samples, heads, strict=True):
        clip.part_scores = torch.tensor([head, *[[0.4, 0.6]] * 4])
    run_hook(tmp_path, samples)
    table = json.loads((tmp_path / 'parts.json').read_text())
    assert list(table) == ['head', 'body', 'upper', 'lower', 'whole']
    assert table['head'] == {'top1': 0.25, 'recall': {'nod': 0.5, 'wave': 0.0}}
    assert table['whole'] == {'top1': 0.5, 'recall': {'nod': 0.0, 'wave': 1.0}}
    line = 'right by one part alone: head 25, body 50, upper 50, lower 50, whole 50; by all together 75 %'
    assert line in capsys.readouterr().out


@pytest.mark.parametrize('key', ['pred_scores', 'part_scores'])
def test_scores_that_are_no_numbers_are_no_report(tmp_path, key: str) -> None:
    bad = sample(1, 1, None)
    bad.set_metainfo({'name': 'wave/2.mp4'})
    bad.set_data({key: torch.tensor([[0.5, float('nan')]] if key == 'part_scores' else [0.5, float('nan')])})
    with pytest.raises(UserError, match=rf"^checkpoint a\.pth: {key} of 'wave/2\.mp4' are NaN"):
        run_hook(tmp_path, [sample(0, 0, None), bad])
    assert not list(tmp_path.iterdir())


def test_hook_without_a_router_draws_the_confusion_only(tmp_path) -> None:
    run_hook(tmp_path, [sample(0, 0, None), sample(1, 0, None)])
    assert (tmp_path / 'report.png').exists()
    assert not (tmp_path / 'routing.json').exists()


def test_hook_leaves_several_labels_alone(tmp_path) -> None:
    both = sample(0, 0, None)
    both.set_data({'gt_label': torch.tensor([1.0, 1.0])})
    run_hook(tmp_path, [both, both])
    assert not list(tmp_path.iterdir())


def test_confusion_of_body_parts_is_that_of_mapped_labels() -> None:
    rng = np.random.default_rng(0)
    parts = [0, 0, 1, 2, 1]
    labels, predicted = rng.integers(0, 5, (2, 200))
    mapped = np.array(parts)
    expected = np.zeros((3, 3), int)
    for t, p in zip(labels, predicted, strict=True):
        expected[mapped[t], mapped[p]] += 1
    assert (body_confusion(confusion_matrix(labels, predicted, labels=range(5)), parts) == expected).all()
