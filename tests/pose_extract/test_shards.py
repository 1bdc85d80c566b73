from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bmoe_ground.errors import UserError
from pose_extract.job import merge_parts, run_job
from pose_extract.manifest import read_manifest
from pose_extract.settings import ExtractSettings
from pose_extract.shards import Shard, ShardManifest, parse_shard

SETTINGS = ExtractSettings(backend='mediapipe')


@pytest.mark.parametrize('count', [1, 2, 7, 100])
def test_every_video_is_in_one_share_whatever_other_videos_there_are(count: int) -> None:
    names = [f'clips/{i}.mp4' for i in range(3000)] + ['\udcff.mp4', 'ü.mp4']
    shares = [[name for name in names if Shard(index, count).holds(name)] for index in range(count)]
    assert sorted(sum(shares, [])) == sorted(names)
    fair = len(names) / count
    assert all(abs(len(share) - fair) < 6 * fair**0.5 for share in shares)


def test_processes_of_one_shard_share_its_share() -> None:
    whole = [Shard(shard, 3).part(rank, 2) for shard in range(3) for rank in range(2)]
    assert whole == [Shard(index, 6) for index in range(6)]


@pytest.mark.parametrize(
    ('text', 'environment', 'expected'),
    [
        ('0/1', {}, Shard(0, 1)),
        ('auto', {'SLURM_ARRAY_TASK_ID': '0', 'SLURM_ARRAY_TASK_COUNT': '4'}, Shard(0, 4)),
        ('auto', {'SLURM_ARRAY_TASK_ID': '4', 'SLURM_ARRAY_TASK_COUNT': '4', 'SLURM_ARRAY_TASK_MIN': '1'}, Shard(3, 4)),
        (
            'auto',
            {
                'SLURM_ARRAY_TASK_ID': '15',
                'SLURM_ARRAY_TASK_COUNT': '4',
                'SLURM_ARRAY_TASK_MIN': '5',
                'SLURM_ARRAY_TASK_STEP': '5',
            },
            Shard(2, 4),
        ),
        ('auto', {'JOB_COMPLETION_INDEX': '9', 'JOB_COMPLETIONS': '10'}, Shard(9, 10)),
    ],
)
def test_shares_as_they_are_given(text: str, environment: dict[str, str], expected: Shard) -> None:
    assert parse_shard(text, environment) == expected


@pytest.mark.parametrize(
    ('text', 'environment', 'said'),
    [
        ('3', {}, '--shard 3: expected i/n'),
        ('-1/4', {}, 'expected i/n'),
        ('4/4', {}, 'counted from 0'),
        ('0/0', {}, 'expected i/n'),
        ('\uff11/\uff12', {}, 'expected i/n'),
        ('auto', {}, 'neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set'),
        ('auto', {'SLURM_ARRAY_TASK_ID': '3'}, 'SLURM_ARRAY_TASK_COUNT is not set'),
        ('auto', {'SLURM_ARRAY_TASK_ID': 'x', 'SLURM_ARRAY_TASK_COUNT': '2'}, "SLURM_ARRAY_TASK_ID is 'x'"),
        (
            'auto',
            {'SLURM_ARRAY_TASK_ID': '7', 'SLURM_ARRAY_TASK_COUNT': '2', 'SLURM_ARRAY_TASK_MIN': '3'},
            'the array has gaps',
        ),
        ('auto', {'JOB_COMPLETION_INDEX': '0'}, 'JOB_COMPLETIONS is not set'),
        ('auto', {'JOB_COMPLETION_INDEX': '5', 'JOB_COMPLETIONS': '5'}, 'is not below JOB_COMPLETIONS=5'),
    ],
)
def test_what_is_no_share(text: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_shard(text, environment)


@pytest.fixture
def folder(make_video: Callable[..., Path], tmp_path: Path, block_backend: type) -> Path:
    for number in range(9):
        make_video(f'videos/{number}.avi', frames=3 + number, block=number != 4)
    (tmp_path / 'videos/text.mp4').write_text('this is no video\n' * 50)
    return tmp_path / 'videos'


def extract(folder: Path, out: str = 'poses', shard: Shard | None = None):
    return run_job(folder, folder.parent / out, SETTINGS, jobs=0, show_progress=False, shard=shard)


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob('*.npz')}


def without_times(out: Path) -> dict:
    content = json.loads((out / 'manifest.json').read_text())
    content['videos'] = [{**record, 'seconds': 0, 'finished': 0} for record in content['videos']]
    return content


def parts(out: Path) -> list[str]:
    return sorted(path.name for path in (out / '.manifest').iterdir() if path.name != 'lock')


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1)])
def test_shards_in_any_order_give_what_one_run_gives(folder: Path, order: tuple[int, ...]) -> None:
    out = folder.parent / 'poses'
    extract(folder, 'alone')
    done = 0
    for index in order:
        assert not (out / 'manifest.json').exists()
        summary = extract(folder, shard=Shard(index, 3))
        assert summary.skipped == 0
        done += len(summary.records)
    assert done == 10
    assert parts(out) == []
    assert contents(out) == contents(folder.parent / 'alone')
    assert without_times(out) == without_times(folder.parent / 'alone')


def test_a_shard_that_is_stopped_is_waited_for_and_redoes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / 'poses'
    index = max(range(2), key=lambda i: sum(Shard(i, 2).holds(path.name) for path in folder.iterdir()))
    add, added = ShardManifest.add, []

    def stop_after_two(self: ShardManifest, record: dict) -> None:
        add(self, record)
        added.append(record['video'])
        if len(added) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ShardManifest, 'add', stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            extract(folder, shard=Shard(index, 2))
    extract(folder, shard=Shard(1 - index, 2))
    assert not (out / 'manifest.json').exists()
    merged, at_work = merge_parts(folder, out)
    assert at_work == [f'shard-{index}-of-2']
    counts = [record['status'] for record in merged.records]
    assert counts.count('pending') == sum(Shard(index, 2).holds(path.name) for path in folder.iterdir()) - 2
    assert {record['video'] for record in merged.records if record['status'] != 'pending'} >= set(added)
    assert merged.exit_code == 1
    again = extract(folder, shard=Shard(index, 2))
    assert again.skipped == len([name for name in added if name != 'text.mp4'])
    assert parts(out) == [f'shard-{index}-of-2.done', f'shard-{index}-of-2.jsonl']  # the other's part is merged already
    merged, at_work = merge_parts(folder, out)
    assert at_work == [] and parts(out) == []
    extract(folder, 'alone')
    assert without_times(out) == without_times(folder.parent / 'alone')
    assert contents(out) == contents(folder.parent / 'alone')


def test_shards_of_another_count_go_on_where_the_first_were(folder: Path) -> None:
    out = folder.parent / 'poses'
    first = extract(folder, shard=Shard(0, 2))
    done = len([record for record in first.records if record['track']])
    skipped = sum(extract(folder, shard=Shard(index, 5)).skipped for index in range(5))
    assert skipped == done
    assert parts(out) == []
    extract(folder, 'alone')
    assert contents(out) == contents(folder.parent / 'alone')


def test_a_run_of_the_whole_takes_the_parts_in(folder: Path) -> None:
    done = [record for record in extract(folder, shard=Shard(1, 2)).records if record['track']]
    assert extract(folder).skipped == len(done)
    assert parts(folder.parent / 'poses') == []
    records = read_manifest(folder.parent / 'poses/manifest.json')
    assert all(records[record['video']] == record for record in done)


def test_hostile_parts_cost_themselves_only(folder: Path, capsys: pytest.CaptureFixture) -> None:
    out = folder.parent / 'poses'
    journals = out / '.manifest'
    journals.mkdir(parents=True)
    (journals / 'shard-0-of-2.jsonl').write_bytes(b'\xff\n[[[\n{"video": "0.avi", "track": "../../x"}\n')
    (journals / 'shard-1-of-2.done').write_bytes(b'[' * 100_000)
    (journals / 'shard-99999999999-of-2.done').write_bytes(b'')
    (journals / 'shard-1-of-2.jsonl').symlink_to('/dev/full')
    (journals / 'shard-7-of-8.done').mkdir()
    extract(folder, shard=Shard(0, 2))
    merged, _ = merge_parts(folder, out)
    assert {record['status'] for record in merged.records} == {'ok', 'nobody', 'failed', 'pending'}


def test_a_share_without_videos_is_done_at_once(folder: Path) -> None:
    empty = next(Shard(i, 50) for i in range(50) if not any(Shard(i, 50).holds(path.name) for path in folder.iterdir()))
    summary = extract(folder, shard=empty)
    assert (summary.exit_code, summary.records) == (0, [])
    assert parts(folder.parent / 'poses') == [f'{empty.name}.done']
