"""What is gone on from, what is refused, and who may work in a folder."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bmoe_ground.errors import UserError
from bmoe_ground.files import TEMPORARY_PREFIX
from mm_runtime.work_folder import (
    LOCK,
    find_resume,
    numbered_checkpoints,
    own_folder,
    remove_checkpoints,
    said_when_full,
)

REPO = Path(__file__).resolve().parents[2]


def save(path: Path, epoch: int, **changes: object) -> Path:
    content = {'state_dict': {'w': torch.ones(1)}, 'meta': {'epoch': epoch, 'iter': 10 * epoch}}
    torch.save(content | {'message_hub': {}, 'optimizer': {}} | changes, path)
    return path


def test_newest_by_number_not_by_name(tmp_path: Path) -> None:
    for epoch in (9, 10, 2):
        save(tmp_path / f'epoch_{epoch}.pth', epoch)
    (tmp_path / 'epoch_x.pth').write_bytes(b'')
    assert [path.stem for path in numbered_checkpoints(tmp_path)] == ['epoch_10', 'epoch_9', 'epoch_2']
    found = find_resume('auto', tmp_path, False)
    assert found is not None
    assert (found[0], found[1]['meta']['epoch']) == (str(tmp_path / 'epoch_10.pth'), 10)


def test_skips_what_cannot_be_loaded(tmp_path: Path, capsys) -> None:
    save(tmp_path / 'epoch_1.pth', 1)
    whole = save(tmp_path / 'epoch_2.pth', 2).read_bytes()
    for epoch, content in ((2, whole[:-200]), (3, b''), (4, whole[:100])):
        (tmp_path / f'epoch_{epoch}.pth').write_bytes(content)
    torch.save({'w': torch.ones(1)}, tmp_path / 'epoch_5.pth')  # weights only
    (tmp_path / 'last_checkpoint').write_text('/gone/epoch_4.pth')
    found = find_resume('auto', tmp_path, False)
    assert found is not None
    assert found[0] == str(tmp_path / 'epoch_1.pth')
    err = capsys.readouterr().err
    assert all(f'epoch_{epoch}.pth' in err for epoch in (2, 3, 4, 5))
    assert 'epoch_5.pth holds no state of a training to go on from: no message_hub, optimizer' in err


def test_starts_anew_only_where_nothing_is_lost(tmp_path: Path) -> None:
    assert find_resume(None, tmp_path, False) is None
    assert find_resume('auto', tmp_path, False) is None
    (tmp_path / 'best.pth').write_bytes(b'x')
    with pytest.raises(UserError, match=r'earlier training \(best.pth\): go on with --resume, start anew with --over'):
        find_resume(None, tmp_path, False)
    with pytest.raises(UserError, match='none of the checkpoints in .* can be gone on from: start anew with --overwr'):
        find_resume('auto', tmp_path, False)
    assert find_resume(None, tmp_path, True) is None
    assert find_resume('auto', tmp_path, True) is None


def test_a_file_before_later_checkpoints(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        save(tmp_path / f'epoch_{epoch}.pth', epoch)
    chosen = str(tmp_path / 'epoch_2.pth')
    with pytest.raises(UserError, match=r'holds later checkpoints \(epoch_3.pth\)'):
        find_resume(chosen, tmp_path, False)
    found = find_resume(chosen, tmp_path, True)
    assert found is not None
    remove_checkpoints(tmp_path, found[1])
    assert [path.stem for path in numbered_checkpoints(tmp_path)] == ['epoch_2', 'epoch_1']
    assert find_resume(chosen, tmp_path, False) is not None


def test_overwriting_leaves_nothing_to_go_on_from_but_the_best(tmp_path: Path) -> None:
    for name in ('epoch_1.pth', 'best_f1_epoch_1.pth', 'best.pth', 'last_checkpoint', 'metrics.json', 'mine.pth'):
        (tmp_path / name).write_bytes(b'x')
    remove_checkpoints(tmp_path, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['best.pth', 'metrics.json', 'mine.pth']


def test_one_process_a_folder_and_no_leftovers(tmp_path: Path) -> None:
    (tmp_path / f'{TEMPORARY_PREFIX}abc').write_bytes(b'half')
    other = (
        'from pathlib import Path; from mm_runtime.work_folder import own_folder; import sys\n'
        'with own_folder(Path(sys.argv[1])): print("in")'
    )

    def enter() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, '-c', other, str(tmp_path)]
        return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)

    with own_folder(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]
        refused = enter()
        assert refused.returncode == 1
        assert 'another training works in this folder (process' in refused.stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / LOCK).write_text('process 1 on a machine that lost its power')
    assert enter().stdout == 'in\n'


def test_no_room_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='a.log: cannot be written: No space left'), said_when_full(tmp_path):
        raise OSError(errno.ENOSPC, 'No space left on device', 'a.log')
    with pytest.raises(ConnectionError), said_when_full(tmp_path):
        raise ConnectionError(errno.ECONNRESET, 'reset')
