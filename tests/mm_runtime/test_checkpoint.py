from __future__ import annotations

import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from bmoe_ground.errors import UserError
from mm_runtime.checkpoint import SafeCheckpointHook, load_checkpoint, to_plain


def test_to_plain_keeps_values() -> None:
    value = {
        'a': np.float32(1.5),
        'b': np.arange(3),
        'c': [np.int64(2), (None, 'x', True)],
        'd': OrderedDict(e=torch.ones(2)),
        4: b'bytes',
    }
    plain = to_plain(value)
    assert plain['a'] == 1.5
    assert type(plain['a']) is float
    assert plain['b'].tolist() == [0, 1, 2]
    assert plain['c'] == [2, (None, 'x', True)]
    assert torch.equal(plain['d']['e'], torch.ones(2))
    assert plain[4] == b'bytes'


def test_to_plain_names_what_it_cannot_hold() -> None:
    with pytest.raises(TypeError, match=r'message_hub\.runtime_info\.x\[1\] is a set'):
        to_plain({'runtime_info': {'x': [1, {2}]}}, 'message_hub')


def test_histories_survive_a_safe_load(tmp_path) -> None:
    buffer = HistoryBuffer()
    for i in range(5):
        buffer.update(i / 2, i + 1)
    hook = SafeCheckpointHook()
    checkpoint = {'state_dict': {}, 'message_hub': {'log_scalars': {'loss': buffer}, 'runtime_info': {}}}
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'c.pth')
    loaded = torch.load(tmp_path / 'c.pth', weights_only=True)
    hook.after_load_checkpoint(None, loaded)
    restored = loaded['message_hub']['log_scalars']['loss']
    for got, wanted in zip(restored.data, buffer.data, strict=True):
        assert np.array_equal(got, wanted)
    assert restored.mean(3) == buffer.mean(3)


class TestLoad:
    def test_bare_state_dict(self, tmp_path) -> None:
        torch.save({'w': torch.ones(1)}, tmp_path / 'w.pth')
        assert load_checkpoint(tmp_path / 'w.pth')['state_dict']['w'] == 1

    def test_missing_and_damaged_files_are_named(self, tmp_path) -> None:
        with pytest.raises(UserError, match='checkpoint not found'):
            load_checkpoint(tmp_path / 'none.pth')
        torch.save({'state_dict': {'w': torch.ones(1000)}}, tmp_path / 'whole.pth')
        data = (tmp_path / 'whole.pth').read_bytes()
        for name, content in (('cut', data[: len(data) // 2]), ('empty', b''), ('text', b'hello')):
            (tmp_path / f'{name}.pth').write_bytes(content)
            with pytest.raises(UserError, match=rf'{name}\.pth'):
                load_checkpoint(tmp_path / f'{name}.pth')

    def test_code_is_not_run(self, tmp_path) -> None:
        class Evil:
            def __reduce__(self):
                return exec, (f'open({str(tmp_path / "owned")!r}, "w")',)

        torch.save({'state_dict': {}, 'x': Evil()}, tmp_path / 'evil.pth')
        (tmp_path / 'raw.pth').write_bytes(pickle.dumps({'x': Evil()}))
        for name in ('evil.pth', 'raw.pth'):
            with pytest.raises(UserError, match='refused'):
                load_checkpoint(tmp_path / name)
        assert not (tmp_path / 'owned').exists()

    def test_no_weights_is_an_error(self, tmp_path) -> None:
        torch.save({'meta': {'epoch': 1}}, tmp_path / 'meta.pth')
        with pytest.raises(UserError, match='no "state_dict"'):
            load_checkpoint(tmp_path / 'meta.pth')

    def test_the_config_that_mmengine_runs_on_resuming_is_taken_out(self, tmp_path) -> None:
        torch.save({'state_dict': {}, 'meta': {'config': 'import os', 'cfg': 'a = 1'}}, tmp_path / 'c.pth')
        assert load_checkpoint(tmp_path / 'c.pth')['meta'] == {'cfg': 'a = 1'}

    def test_meta_of_another_type_is_named(self, tmp_path) -> None:
        torch.save({'state_dict': {}, 'meta': [1]}, tmp_path / 'c.pth')
        with pytest.raises(UserError, match=r'c\.pth: its "meta" is a list'):
            load_checkpoint(tmp_path / 'c.pth')
