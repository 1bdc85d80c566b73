from __future__ import annotations

import numpy as np
import pytest
import torch

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.social_gesture import GESTURES
from bmoe_skel.metrics.localization import (
    LocalizationMetric,
    Segment,
    average_precision,
    mean_average_precision,
    merge_windows,
    temporal_iou,
)


def seg(start: float, end: float, score: float = 1.0, label: str = 'giving', clip: str = 'a') -> Segment:
    return Segment(clip, start, end, label, score)


def test_overlap_by_hand() -> None:
    assert temporal_iou(seg(0, 2), seg(1, 3)) == pytest.approx(1 / 3)
    assert temporal_iou(seg(0, 2), seg(0, 2)) == 1
    assert temporal_iou(seg(0, 2), seg(2, 3)) == 0
    assert temporal_iou(seg(0, 2), seg(0, 2, clip='b')) == 0


def slow_average_precision(truth, found, threshold):
    """For each level of recall that is reached, the best precision at it or beyond."""
    ranked, taken, hits = sorted(found, key=lambda s: -s.score), [], []
    for segment in ranked:
        options = [(temporal_iou(segment, t), k) for k, t in enumerate(truth) if k not in taken]
        best = max(options, key=lambda o: (o[0], -o[1]), default=(0, 0))
        hit = best[0] >= threshold and best[0] > 0
        hits.append(hit)
        if hit:
            taken.append(best[1])
    total = 0.0
    for step in range(1, sum(hits) + 1):
        options = []
        for n in range(1, len(hits) + 1):
            if sum(hits[:n]) >= step:
                options.append(sum(hits[:n]) / n)
        total += max(options) / len(truth)
    return total


@pytest.mark.parametrize('seed', range(5))
def test_equals_slow_loop(seed) -> None:
    rng = np.random.default_rng(seed)

    def draw(count):
        starts = rng.uniform(0, 30, count)
        return [
            seg(float(s), float(s + rng.uniform(1, 5)), float(rng.random()), clip='ab'[rng.integers(2)]) for s in starts
        ]

    truth, found = draw(12), draw(40)
    for threshold in (0.1, 0.3, 0.5):
        expected = slow_average_precision(truth, found, threshold)
        assert average_precision(truth, found, threshold) == pytest.approx(expected, abs=1e-12)
        assert 0 < expected < 1 or threshold > 0.3


def test_by_hand() -> None:
    truth = [seg(0, 10), seg(20, 30)]
    # right, a second answer for the same truth (wrong), right
    found = [seg(0, 10, 0.9), seg(1, 10, 0.8), seg(20, 29, 0.7)]
    assert average_precision(truth, found, 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(truth, [], 0.5) == 0
    # no interval of the other class is found: its average precision is 0, and counts
    found_map = mean_average_precision([*truth, seg(0, 1, label='showing')], found, (0.5, 0.95))
    assert found_map['map@0.5'] == pytest.approx((0.5 + 1 / 3) / 2)
    assert found_map['map@0.95'] == pytest.approx(0.25)
    assert found_map['map'] == pytest.approx((found_map['map@0.5'] + found_map['map@0.95']) / 2)


def test_nothing_to_find_is_an_error() -> None:
    with pytest.raises(ValueError, match='at least one'):
        average_precision([], [seg(0, 1)], 0.5)
    with pytest.raises(ValueError, match='at least one'):
        mean_average_precision([], [seg(0, 1)])


def test_windows_become_segments() -> None:
    times = np.array([[s, s + 2.0] for s in range(8)])
    scores = np.zeros((8, 2))
    scores[[1, 2, 3, 6], 1] = [0.6, 0.8, 0.7, 0.9]
    scores[:, 0] = 1 - scores[:, 1]
    found = merge_windows('a', times, scores, ('none', 'giving'))
    assert [(s.start, s.end, s.label) for s in found] == [(1.5, 4.5, 'giving'), (6.5, 7.5, 'giving')]
    assert [s.score for s in found] == pytest.approx([0.7, 0.9])


def test_a_window_below_the_threshold_ends_a_segment_that_later_windows_touch() -> None:
    times = np.array([[s, s + 2.0] for s in range(3)])
    found = merge_windows('a', times, np.array([[0.9], [0.1], [0.7]]), ('giving',))
    assert [(s.start, s.end, s.score) for s in found] == [(0.5, 1.5, 0.9), (2.5, 3.5, 0.7)]


def test_windows_of_one_video_are_not_another_ones() -> None:
    truth = [seg(0.5, 2.5), seg(10.5, 11.5, clip='b')]
    columns = (np.array(['a', 'a', 'b']), np.array([0.0, 1, 10]), np.array([2.0, 3, 12]), np.ones((3, 1)))
    assert LocalizationMetric.calculate(*columns, truth=truth, classes=['giving'])['map'] == 1


def test_metric(tmp_path) -> None:
    table = tmp_path / 't.csv'
    table.write_text('clip,start,end,x1,y1,x2,y2,label\na.mp4,1.5,4.5,,,,,giving\na.mp4,7,8,,,,,none\n')
    metric = LocalizationMetric(str(table))
    metric.dataset_meta = {'classes': ['none', *GESTURES]}
    for s in range(8):
        scores = torch.zeros(5)
        scores[4 if s in (1, 2, 3) else 0] = 1
        metric.process(None, [{'recording': 'a.mp4', 'start': s, 'end': s + 2, 'pred_scores': scores}])
    found = metric.evaluate(8)
    assert found['map'] == 1
    assert set(found) == {'map', 'map@0.3', 'map@0.4', 'map@0.5', 'map@0.6', 'map@0.7'}
    with pytest.raises(UserError, match="'nod/1' does not say of which recording it is a window"):
        metric.process(None, [{'name': 'nod/1', 'pred_scores': torch.zeros(5)}])


def test_classes_and_background_by_argument(tmp_path) -> None:
    table = tmp_path / 't.csv'
    table.write_text('clip, start, end, label\nb.mp4, 0.5, 1.5, wave\nb.mp4, 3, 4, rest\n')
    metric = LocalizationMetric(str(table), background='rest', classes=['wave', 'rest'])
    assert metric.options()['truth'] == [Segment('b.mp4', 0.5, 1.5, 'wave')]
    for start in (2, 0):  # in whatever order the windows come
        scores = torch.tensor([1.0, 0.0] if start == 0 else [0.0, 1.0])
        metric.process(None, [{'recording': 'b.mp4', 'start': start, 'end': start + 2, 'pred_scores': scores}])
    assert metric.evaluate(2)['map'] == 1


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('a.mp4,0,1,waving', r"t\.csv:2: unknown label 'waving'; choose of none, giving"),
        ('a.mp4,2,1,giving', r't\.csv:2: expected 0 <= start < end'),
        ('a.mp4,x,1,giving', r"t\.csv:2: start: expected a number, found 'x'"),
    ],
)
def test_wrong_tables_are_refused_before_the_run(tmp_path, row, message) -> None:
    table = tmp_path / 't.csv'
    table.write_text(f'clip,start,end,label\n{row}\n')
    metric = LocalizationMetric(str(table))
    with pytest.raises(UserError, match=message):
        metric.dataset_meta = {'classes': ['none', 'giving']}
    with pytest.raises(UserError, match=r'give the metric classes=\[\.\.\.\]'):
        metric.dataset_meta = {}


def activitynet_average_precision(truth, found, threshold):
    """The official evaluation's loop, written down once more: everything is sorted and reversed."""
    order = np.argsort([f.score for f in found], kind='stable')[::-1]
    lock, hits = set(), []
    for i in order:
        overlaps = np.array([temporal_iou(found[i], t) for t in truth])
        hit = False
        for j in np.argsort(overlaps, kind='stable')[::-1]:
            if overlaps[j] < threshold:
                break
            if j not in lock:
                lock.add(j)
                hit = True
                break
        hits.append(hit)
    true = np.cumsum(hits)
    precision = np.hstack([[0], true / np.arange(1, len(hits) + 1), [0]])
    recall = np.hstack([[0], true / len(truth), [1]])
    for i in range(len(precision) - 1)[::-1]:
        precision[i] = max(precision[i], precision[i + 1])
    steps = np.where(recall[1:] != recall[:-1])[0] + 1
    return float(np.sum((recall[steps] - recall[steps - 1]) * precision[steps]))


@pytest.mark.parametrize('seed', range(20))
def test_ties_are_activitynets(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def draw(count: int) -> list[Segment]:
        starts = rng.integers(0, 8, count).tolist()
        return [
            seg(s, s + int(rng.integers(1, 4)), float(rng.integers(0, 3)), clip='ab'[rng.integers(2)]) for s in starts
        ]

    truth, found = draw(6), draw(15)
    for threshold in (0.3, 0.5):
        wanted = activitynet_average_precision(truth, found, threshold)
        assert average_precision(truth, found, threshold) == pytest.approx(wanted)


def test_scores_that_are_no_numbers() -> None:
    with pytest.raises(ValueError, match='NaN or infinite'):
        average_precision([seg(0, 1)], [seg(0, 1, float('nan'))], 0.5)
    columns = (np.array(['a']), np.zeros(1), np.ones(1), np.array([[np.nan, 1]]))
    with pytest.raises(ValueError, match='NaN or infinite'):
        LocalizationMetric.calculate(*columns, truth=[seg(0, 1)], classes=['giving', 'none'])
