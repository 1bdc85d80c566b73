from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from bmoe_ground.errors import UserError
from pose_extract.estimators.checkpoints import load_weights

WEIGHTS = {'backbone.weight': torch.arange(6.0).reshape(2, 3), 'head.bias': torch.ones(2)}


class Evil:
    """Creates a file when it is unpickled by a loader that runs what it reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def assert_weights(state: dict[str, torch.Tensor]) -> None:
    assert sorted(state) == sorted(WEIGHTS)
    for name, value in WEIGHTS.items():
        torch.testing.assert_close(state[name], value)


def test_a_bare_state_dict_and_a_parallel_one(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / 'bare.pth')
    assert_weights(load_weights(tmp_path / 'bare.pth')[0])
    torch.save({'state_dict': {f'module.{k}': v for k, v in WEIGHTS.items()}}, tmp_path / 'parallel.pth')
    assert_weights(load_weights(tmp_path / 'parallel.pth')[0])


def test_numpy_in_the_metainfo_comes_along(tmp_path: Path) -> None:
    meta = {
        'dataset_meta': {'sigmas': np.linspace(0, 1, 5, dtype=np.float32), 'flip_indices': [1, 0]},
        'n': np.int64(3),
    }
    torch.save({'state_dict': WEIGHTS, 'meta': meta}, tmp_path / 'model.pth')
    state, loaded = load_weights(tmp_path / 'model.pth')
    assert_weights(state)
    np.testing.assert_array_equal(loaded['dataset_meta']['sigmas'], meta['dataset_meta']['sigmas'])
    assert loaded['n'] == 3


@pytest.mark.skipif(
    not hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'), reason='torch before 2.6 refuses these files'
)
def test_openmmlab_s_training_checkpoints_give_their_weights(tmp_path: Path) -> None:
    logging = pytest.importorskip('mmengine.logging')
    hub = logging.MessageHub.get_instance('test_checkpoints')
    hub.update_scalar('train/loss', 0.5)
    content = {'state_dict': WEIGHTS, 'meta': {'epoch': 3}, 'message_hub': hub.state_dict()}
    torch.save(content, tmp_path / 'epoch_3.pth')
    with pytest.raises(Exception, match='HistoryBuffer'):
        torch.load(tmp_path / 'epoch_3.pth', weights_only=True)
    state, meta = load_weights(tmp_path / 'epoch_3.pth')
    assert_weights(state)
    assert meta == {'epoch': 3}
    # nothing of it stays allowed afterwards
    with pytest.raises(Exception, match='HistoryBuffer'):
        torch.load(tmp_path / 'epoch_3.pth', weights_only=True)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    victim = tmp_path / 'made by the checkpoint'
    torch.save({'state_dict': WEIGHTS, 'meta': {'evil': Evil(victim)}}, tmp_path / 'evil.pth')
    with pytest.raises(UserError, match=r'evil\.pth: refused.*mkdir'):
        load_weights(tmp_path / 'evil.pth')
    assert not victim.exists()


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04 nor this'])
def test_other_files_are_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'other.pth').write_bytes(content)
    with pytest.raises(UserError, match=r'other\.pth'):
        load_weights(tmp_path / 'other.pth')


def test_a_file_without_weights_is_an_error(tmp_path: Path) -> None:
    torch.save({'state_dict': {}, 'meta': {}}, tmp_path / 'empty.pth')
    with pytest.raises(UserError, match='no weights'):
        load_weights(tmp_path / 'empty.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(UserError, match='expected a dict'):
        load_weights(tmp_path / 'list.pth')
