"""bmoe slurm: the array job that it asks for, and shards as submitit's own processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pose_fixtures import VideoMaker

from bmoe_app.commands.slurm import Share, main
from bmoe_ground.errors import UserError
from pose_extract.manifest import read_manifest
from pose_extract.shards import Shard

REPO = Path(__file__).resolve().parents[3]
# stand in for Slurm's own programs: sbatch keeps the script that it is given
PROGRAMS = {'srun': 'exit 0', 'sbatch': 'cp "$1" "$KEPT" && echo Submitted batch job 12'}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the script of a submitted job is found."""
    pytest.importorskip('submitit', reason='bmoe slurm is an extra')
    for name, script in PROGRAMS.items():
        path = tmp_path / 'bin' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path / "bin"}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('KEPT', str(tmp_path / 'kept.sh'))
    return tmp_path / 'kept.sh'


def test_an_array_of_single_tasks(
    slurm: Path, make_video: VideoMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        make_video(f'videos/{number}.avi', frames=1)
    call = [
        'extract',
        str(tmp_path / 'videos'),
        '--out',
        str(tmp_path / 'out'),
        '--backend',
        'mediapipe',
        '--jobs',
        '2',
    ]
    options = ['--logs', str(tmp_path / 'logs'), '--hours', '0.5', '--gpus', '1', '--slurm', 'partition=long']
    assert main(['--shards', '3', '--parallel', '2', *options, *call]) == 0
    lines = slurm.read_text().splitlines()
    for wanted in ('array=0-2%2', 'cpus-per-task=2', 'gpus-per-node=1', 'ntasks-per-node=1', 'nodes=1',
                   'partition=long', 'time=30', 'job-name=bmoe-extract'):  # fmt: skip
        assert f'#SBATCH --{wanted}' in lines
    assert 'srun' in slurm.read_text()
    assert '3 shards submitted as 12' in capsys.readouterr().out
    assert main(['--shards', '100', '--logs', str(tmp_path / 'logs'), *call]) == 0
    assert '#SBATCH --array=0-3%4' in slurm.read_text()  # no more than there are videos


def test_what_cannot_be_submitted(make_video: VideoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video('videos/a.avi', frames=1)
    call = ['extract', str(tmp_path / 'videos'), '--out', str(tmp_path / 'out')]
    for words, said in (
        ([], 'name the call to share out'),
        (['infer', 'videos'], 'only extract has shards'),
        ([*call, '--shard', '0/2'], 'gives the shards itself'),
        ([*call, '--engine', 'ray'], 'gives the shards itself'),
        (['extract', str(tmp_path / 'none')], 'no such folder'),
        (['--hours', '0', *call], '--hours must be above 0'),
        (['--gpus', '-1', *call], '--gpus must be at least 0'),
        (['--slurm', 'ntasks=4', *call], 'every shard is one task'),
        (['--slurm', 'partition', *call], 'expected KEY=VALUE'),
    ):
        with pytest.raises(UserError, match=said):
            main(['--shards', '2', *words])
    pytest.importorskip('submitit', reason='bmoe slurm is an extra')
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(UserError, match='nothing was submitted: .*srun'):
        main(['--shards', '2', '--logs', str(tmp_path / 'logs'), *call])


def test_videos_and_tracks_at_urls_and_no_password_in_a_kept_call(slurm: Path, tmp_path: Path) -> None:
    memory = pytest.importorskip('fsspec').filesystem('memory')
    for number in range(3):
        memory.pipe_file(f'/slurm/{number}.mp4', b'1')
    options = ['--shards', '9', '--logs', str(tmp_path / 'logs'), 'extract']
    assert main([*options, 'memory://slurm', '--out', 'memory://poses']) == 0
    assert '#SBATCH --array=0-2%3' in slurm.read_text()
    memory.rm('/slurm', recursive=True)
    slurm.unlink()
    for place in (['sftp://me:secret@host/videos'], ['videos', '--out', 'sftp://me:secret@host/poses']):
        with pytest.raises(UserError, match=r'^sftp://\*\*\*@host/[a-z]+: submitit keeps the call in a file'):
            main([*options, *place])
    assert not slurm.exists()


def test_a_shard_goes_on_after_a_timeout() -> None:
    pytest.importorskip('submitit', reason='bmoe slurm is an extra')
    share = Share(('videos', '--out', 'poses'), Shard(1, 3))
    assert share.checkpoint().function == share


@pytest.mark.slow
def test_shards_as_processes(
    make_video: VideoMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('submitit', reason='bmoe slurm is an extra')
    for number in range(4):
        make_video(f'videos/{number}.avi', frames=2)
    found = os.environ.get('PYTHONPATH', '')
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(REPO), str(REPO / 'tests/helpers'), found]))
    call = ['--backend', 'block_estimator:Slow', '--jobs', '0', '--out', str(tmp_path / 'out')]
    options = ['--shards', '2', '--here', '--logs', str(tmp_path / 'logs')]
    (tmp_path / 'videos/5.avi').write_bytes(b'nothing')
    assert main([*options, 'extract', str(tmp_path / 'videos'), *call]) == 1
    assert '5 videos: 4 ok, 1 failed' in capsys.readouterr().out
    statuses = {name: record['status'] for name, record in read_manifest(tmp_path / 'out/manifest.json').items()}
    assert statuses == {f'{number}.avi': 'ok' for number in range(4)} | {'5.avi': 'failed'}
    assert main([*options, 'extract', str(tmp_path / 'videos'), *call, '--backend', 'block_estimator:None']) == 1
    assert 'shard 0/2: ' in capsys.readouterr().out
