from __future__ import annotations

import csv
import pickle
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from warm_programs import run as run_program

from bmoe_ground.errors import UserError
from bmoe_skel.datasets.ma52.classes import BODY_OF_ACTION
from bmoe_skel.datasets.ma52.lists import clip_name
from bmoe_skel.submission import complete, prediction_csv, read_scores, write_submission
from mm_runtime.dump import PlainDump

REPO = Path(__file__).resolve().parents[2]
TOOL = REPO / 'tools' / 'make_submission.py'


def run(*arguments) -> subprocess.CompletedProcess:
    return run_program([TOOL, *arguments])


class TestAgainstThePublishedFile:
    """MANet's ``prediction.csv`` was made from scores of more digits than the float16 that are stored."""

    @pytest.fixture
    def published(self, shared_data):
        folder = shared_data / 'ma52'
        scores = np.load(folder / 'manet_test_scores.npz')['scores']
        text = (folder / 'prediction.csv').read_bytes().replace(b'\r\n', b'\n').decode()
        return scores, text

    def test_every_line_that_the_scores_decide_is_equal(self, published) -> None:
        scores, text = published
        ours, theirs = (
            t.split('\n') for t in (prediction_csv([f'test{i:04d}.mp4' for i in range(5586)], scores), text)
        )
        assert len(ours) == len(theirs) == 5588  # header, clips, and nothing after the last line end
        assert ours[0] == theirs[0]
        best = -np.sort(-scores.astype(np.float64), axis=1)
        tied = (best[:, :5] == best[:, 1:6]).any(1)
        assert tied.sum() == 36
        different = [i for i, (a, b) in enumerate(zip(ours[1:], theirs[1:], strict=True)) if a != b]
        assert not [i for i in different if not tied[i]]
        # where the stored digits tie, the answers have the same scores in another order
        for i in different:
            rows = [[int(value) for value in lines[i + 1].split(',')[1:6]] for lines in (ours, theirs)]
            assert scores[i, rows[0]].tolist() == scores[i, rows[1]].tolist()

    def test_scores_that_decide_every_line_give_the_file_byte_for_byte(self, published) -> None:
        scores, text = published
        rows = [line.split(',') for line in text.split('\n')[1:-1]]
        decided = scores.astype(np.float64)
        for i, row in enumerate(rows):  # give back the digits that float16 dropped: only among equal scores
            for rank, action in enumerate(row[1:6]):
                decided[i, int(action)] += (5 - rank) * 1e-12
        assert np.abs(decided - scores).max() < 1e-11
        assert prediction_csv([row[0] for row in rows], decided) == text

    def test_no_rule_of_ties_can_give_the_file(self, published) -> None:
        """Two clips whose stored scores are in the same order have their answers in another."""
        scores, text = published
        rows = [[int(v) for v in text.split('\n')[i + 1].split(',')[1:6]] for i in (1686, 4387)]
        orders = [np.unique(scores[i], return_inverse=True)[1].tolist() for i in (1686, 4387)]
        assert orders[0] == orders[1]
        assert rows[0] != rows[1]


def test_own_body_scores() -> None:
    body = np.array([[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    line = prediction_csv(['a.mp4'], np.eye(52)[[9]], body).split('\n')[1]
    assert line == 'a.mp4,9,0,1,2,3,6,5,4,3,2'
    assert prediction_csv(['a.mp4'], np.eye(52)[[9]]).split('\n')[1] == 'a.mp4,9,0,1,2,3,1,0,0,0,0'


@pytest.mark.parametrize(
    ('names', 'scores', 'body', 'message'),
    [
        (['a.mp4'], np.zeros((1, 51)), None, r'expected shape \(1, 52\)'),
        (['a.mp4'], np.full((1, 52), np.nan), None, 'finite'),
        (['a.mp4', 'a.mp4'], np.zeros((2, 52)), None, 'more than one prediction'),
        (['a.mp4'], np.zeros((1, 52)), np.zeros((1, 4)), 'body scores'),
    ],
)
def test_wrong_scores_are_named(names, scores, body, message) -> None:
    with pytest.raises(UserError, match=message):
        prediction_csv(names, scores, body)


def test_zip_holds_the_csv_and_is_the_same_each_time(tmp_path) -> None:
    text = prediction_csv(['a.mp4'], np.eye(52)[[3]])
    for name in ('a.zip', 'b.zip'):
        write_submission(tmp_path / name, text)
    assert (tmp_path / 'a.zip').read_bytes() == (tmp_path / 'b.zip').read_bytes()
    with zipfile.ZipFile(tmp_path / 'a.zip') as archive:
        assert archive.namelist() == ['prediction.csv']
        assert archive.read('prediction.csv').decode() == text
    with pytest.raises(UserError, match=r'\.zip or \.csv'):
        write_submission(tmp_path / 'a.txt', text)


def test_names_of_datasets_become_those_of_the_lists() -> None:
    assert {clip_name(n) for n in ('test/test0000.mp4', 'test0000', 'test0000.mp4.npz', 'x\\test0000.mp4')} == {
        'test0000.mp4'
    }


def test_clips_are_brought_into_the_order_of_the_list() -> None:
    scores, body = np.eye(52)[[4, 7]], np.eye(7)[[0, 1]]
    ordered, bodies = complete(['b', 'a'], scores, body, ['a', 'b'])
    assert ordered.argmax(1).tolist() == [7, 4]
    assert bodies.argmax(1).tolist() == [1, 0]
    with pytest.raises(UserError, match=r"1 of 3 clips have no prediction, first 'c'"):
        complete(['b', 'a'], scores, None, ['a', 'b', 'c'])
    filled, bodies = complete(['b', 'a'], scores, body, ['a', 'b', 'c'], fill_class=40)
    assert filled.argmax(1).tolist() == [7, 4, 40]
    assert bodies.argmax(1).tolist() == [1, 0, BODY_OF_ACTION[40]]
    with pytest.raises(UserError, match="does not name, first 'b'"):
        complete(['b', 'a'], scores, None, ['a'])
    with pytest.raises(UserError, match='--fill-class 52'):
        complete(['a'], scores[:1], None, ['a', 'b'], fill_class=52)


class TestTool:
    @pytest.fixture
    def files(self, tmp_path):
        (tmp_path / 'list.txt').write_bytes(b'test0000.mp4 0\r\ntest0001.mp4 0\r\n')
        dump = PlainDump(str(tmp_path / 'dump.pkl'))
        scores = torch.eye(52)[[9, 44]]
        rows = [{'name': f'test000{i}.mp4', 'pred_scores': scores[i], 'gt_label': torch.tensor(-1)} for i in (1, 0)]
        dump.process(None, rows)
        dump.evaluate(2)
        np.savez(tmp_path / 'scores.npz', scores=scores.numpy())
        return tmp_path

    def test_dump_and_archive_give_the_same_file(self, files) -> None:
        for source in ('dump.pkl', 'scores.npz'):
            done = run(files / source, files / f'{source}.zip', '--list', files / 'list.txt')
            assert done.returncode == 0, done.stderr
            assert '2 clips (0 filled)' in done.stdout
        assert (files / 'dump.pkl.zip').read_bytes() == (files / 'scores.npz.zip').read_bytes()
        with zipfile.ZipFile(files / 'dump.pkl.zip') as archive:
            rows = list(csv.reader(archive.read('prediction.csv').decode().splitlines()))
        assert [row[:2] for row in rows[1:]] == [['test0000.mp4', '9'], ['test0001.mp4', '44']]

    def test_mistakes_end_with_2(self, files) -> None:
        hostile = files / 'hostile.pkl'
        hostile.write_bytes(b"cos\nsystem\n(S'touch " + str(files / 'pwned').encode() + b"'\ntR.")
        for source, more, message in (
            ('hostile.pkl', (), 'asks for os.system'),
            ('dump.pkl', ('--body', 'own'), 'holds no body scores'),
            ('nothing.npz', (), 'cannot be read'),
        ):
            done = run(files / source, files / 'x.zip', '--list', files / 'list.txt', *more)
            assert done.returncode == 2
            assert message in done.stderr
        assert not (files / 'pwned').exists()
        assert not (files / 'x.zip').exists()


def test_dumps_are_checked(tmp_path) -> None:
    path = tmp_path / 'd.pkl'
    for content, message in (
        ({'a': 1}, 'list of dicts'),
        ([{'pred_scores': np.zeros(52)}], 'lacks "name"'),
        ([{'name': 'a', 'pred_scores': np.zeros(k)} for k in (52, 51)], 'one vector of numbers for each clip'),
    ):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(UserError, match=message):
            read_scores(path)
    np.savez(tmp_path / 'a.npz', score=np.zeros(3))
    with pytest.raises(UserError, match='expected an array "scores"'):
        read_scores(tmp_path / 'a.npz')
