"""bmoe infer from the command line to its files: with a model and without, bad input beside good."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pose_fixtures import VideoMaker
from skeleton_clips import write_checkpoint, write_tracks

from benchmarks.moving_people import acted, tracks_of
from bmoe_app.answer.files import COLUMNS
from bmoe_app.commands.infer import main
from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_table
from pose_extract.tracks import save_tracks

REPO = Path(__file__).resolve().parents[3]
TIMES = np.arange(200) / 30
Capture = pytest.CaptureFixture[str]


def test_tracks_without_a_model(tmp_path: Path, capsys: Capture) -> None:
    save_tracks(tmp_path / 'poses' / 'nod' / 'a.mp4.npz', acted('nod', TIMES))
    save_tracks(tmp_path / 'poses' / 'nobody.npz', tracks_of(np.full((0, 3, 17, 2), np.nan), TIMES[:3], 'coco17'))
    first = acted('nod', TIMES[:1])
    still = tracks_of(np.repeat(first.keypoints, 30, 1), TIMES[:30], first.skeleton)
    save_tracks(tmp_path / 'poses' / 'still.npz', still)
    kinect = np.random.default_rng(0).uniform(0, 500, (1, 30, 20, 2))
    save_tracks(tmp_path / 'poses' / 'kinect.npz', tracks_of(kinect, TIMES[:30], 'kinect20'))
    out = tmp_path / 'out'
    assert main([str(tmp_path / 'poses'), '--out', str(out), '--no-model']) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any(line.startswith('nod/a.mp4  ') and line.endswith('  by head  (rule)') for line in shown)
    assert 'nobody: nobody seen in 0.1 s' in shown
    assert 'still: nothing happened: no event of 1 person in 1.0 s' in shown
    assert 'kinect: nod not looked for: kinect20 has too few face points' in shown
    rows = read_table(out / 'events.csv', ('video', *COLUMNS))
    assert 'nod/a.mp4' in {row['video'] for row in rows}
    assert shown[-1] == f'4 of 4 answered, {len(rows)} events: {out / "events.csv"}'
    for ending in ('events.csv', 'signals.csv', 'noise.csv', 'json'):
        assert (out / 'nod' / f'a.mp4.{ending}').is_file()
    assert json.loads((out / 'nobody.json').read_text())['persons'] == 0


def test_a_model_beside_the_rules(tmp_path: Path, capsys: Capture) -> None:
    poses = write_tracks(tmp_path / 'poses', 1)
    checkpoint = write_checkpoint(tmp_path / 'best.pth', classes=['=arms', '<b>head</b>', 'legs'])
    out = tmp_path / 'out'
    options = ['--checkpoint', str(checkpoint), '--out', str(out), '--no-rules', '--threshold', '0', '--quiet']
    assert main([str(poses), *options]) == 0
    assert capsys.readouterr().out.splitlines() == [f'3 of 3 answered, 3 events: {out / "events.csv"}']
    rows = list(csv.DictReader((out / 'events.csv').open()))
    assert {row['label'] for row in rows} <= {"'=arms", '<b>head</b>', 'legs'}
    assert {row['source'] for row in rows} == {'model'}
    assert float(rows[0]['routing_head']) > 0
    said = json.loads((out / 'head' / 'head_00.mp4.json').read_text())
    assert said['model']['checkpoint'] == 'best.pth'
    assert said['model']['window'] is None


def test_the_model_that_comes_along_is_asked_where_none_is_named(tmp_path: Path, capsys: Capture) -> None:
    save_tracks(tmp_path / 'poses' / 'nod.npz', acted('nod', TIMES))
    save_tracks(tmp_path / 'poses' / 'kinect.npz', tracks_of(np.ones((1, 30, 20, 2)), TIMES[:30], 'kinect20'))
    out = tmp_path / 'out'
    assert main([str(tmp_path / 'poses'), '--out', str(out), '--no-page']) == 0
    assert 'kinect20 has no nose, ' in capsys.readouterr().err
    said = json.loads((out / 'nod.json').read_text())
    assert said['model']['checkpoint'] == 'everyday.pth' and said['model']['nothing'] == ['nothing']
    assert 'nod' in said['model']['by_rule']
    assert {event['source'] for event in said['events'] if event['label'] == 'nod'} == {'rule'}
    assert 'nod' not in json.loads((out / 'kinect.json').read_text())['model']['by_rule']  # no face, no rule


def test_bad_files_fail_alone_and_what_is_done_is_kept(tmp_path: Path, capsys: Capture) -> None:
    poses = write_tracks(tmp_path / 'poses', 1)
    (poses / 'bad.npz').write_bytes(b'nothing')
    out = tmp_path / 'out'
    assert main([str(poses), '--out', str(out), '--no-model']) == 1
    shown = capsys.readouterr()
    assert 'bad: error: ' in shown.err
    assert shown.out.splitlines()[-1].startswith('3 of 4 answered, ')
    told = {entry['video']: entry for entry in json.loads((out / 'answers.json').read_text())['videos']}
    assert (told['bad']['status'], told['legs/legs_00.mp4']['status']) == ('failed', 'ok')
    assert main([str(poses / 'bad.npz'), '--out', str(out), '--no-model']) == 2


@pytest.mark.usefixtures('block_backend')
def test_videos_are_answered_and_a_broken_one_is_said(make_video: VideoMaker, tmp_path: Path, capsys: Capture) -> None:
    make_video('videos/nod/a.mp4')
    (tmp_path / 'videos' / 'bad.mp4').write_text('no video\n' * 50)
    out = tmp_path / 'out'
    command = [str(tmp_path / 'videos'), '--backend', 'mediapipe', '--jobs', '0', '--out', str(out), '--no-model']
    assert main(command) == 1
    assert 'bad.mp4: error: ' in capsys.readouterr().err
    assert (out / 'poses' / 'nod' / 'a.mp4.npz').is_file()
    assert (out / 'nod' / 'a.mp4.events.csv').is_file()
    assert main([str(tmp_path / 'videos' / 'nod' / 'a.mp4'), *command[1:]]) == 0


def test_wrong_calls_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    poses = write_tracks(tmp_path / 'poses', 1)
    for options, message in (
        (['--min-score', '7'], '--min-score: must be within'),
        (['--no-rules', '--no-model'], 'nothing to look for'),
        (['--no-model', '--checkpoint', 'a.pth'], 'leave one of them out'),
        (['--checkpoint', 'none.pth', '--threshold', '2'], 'threshold: must be within'),
        (['--checkpoint', str(tmp_path / 'none.pth')], 'checkpoint not found'),
        (['--max-persons', '0'], 'max_persons must be at least 1'),
    ):
        with pytest.raises(UserError, match=message):
            main([str(poses), '--out', str(tmp_path / 'out'), *options])
    assert not (tmp_path / 'out').exists()


def test_many_failures_are_told_once(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / 'poses').mkdir()
    for number in range(30):
        (tmp_path / 'poses' / f'{number:02d}.npz').write_bytes(b'nothing')
    assert main([str(tmp_path / 'poses'), '--out', str(tmp_path / 'out'), '--no-model']) == 2
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 21
    assert shown.err.splitlines()[-1] == '10 more errors, all in answers.json'
    assert shown.out.splitlines()[-1].startswith('0 of 30 answered, 0 events: ')
    assert len(json.loads((tmp_path / 'out' / 'answers.json').read_text())['videos']) == 30


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    for number in range(8):
        save_tracks(tmp_path / 'poses' / f'{number}.npz', acted('nod', TIMES))
    command = f'{sys.executable} {REPO}/tools/infer.py {tmp_path}/poses --out {tmp_path}/out --no-model | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert 'Traceback' not in done.stderr and 'BrokenPipe' not in done.stderr


def test_rules_alone_load_neither_torch_nor_a_backend(tmp_path: Path) -> None:
    save_tracks(tmp_path / 'a.npz', acted('nod', TIMES))
    code = f'import sys; from bmoe_app.commands.infer import main; main([{str(tmp_path / "a.npz")!r}, "--out", '
    code += f'{str(tmp_path / "out")!r}, "--no-model"]); print(*sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], cwd=REPO, capture_output=True, text=True, check=True)
    assert {'torch', 'mediapipe', 'mmpose', 'mmengine', 'matplotlib'} & set(done.stdout.split()) == set()


def test_an_exported_model_answers_where_there_is_no_torch(tmp_path: Path) -> None:
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    from bmoe_skel.export.recognizer import export_recognizer

    export_recognizer(write_checkpoint(tmp_path / 'best.pth'), tmp_path / 'best.onnx')
    poses = write_tracks(tmp_path / 'poses', 1)
    words = [str(poses), '--checkpoint', str(tmp_path / 'best.onnx'), '--out', str(tmp_path / 'answers')]
    hide = 'import sys; sys.modules["torch"] = sys.modules["mmengine"] = None\n'
    code = f'{hide}from bmoe_app.cli import main; main({["infer", *words]!r})'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '3 of 3 answered' in done.stdout
