from __future__ import annotations

import builtins
import os

import pytest
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import DefaultScope

from bmoe_ground.errors import UserError
from mm_runtime.registry import ProjectRegistry, build_embedded, names_from

THINGS = ProjectRegistry('thing', parent=MMENGINE_MODELS, scope='test_registry')


@THINGS.register_module()
class Box:
    def __init__(self, content: dict | None = None, file: str = 'none', sizes: tuple = ()) -> None:
        self.content = THINGS.build(content) if content else None
        self.file, self.sizes = file, sizes


@pytest.fixture
def executed(monkeypatch) -> list:
    """What ran: every function that the configs below name."""
    calls: list = []
    monkeypatch.setattr(os, 'system', lambda *args, **kwargs: calls.append(args))
    monkeypatch.setattr(builtins, 'open', lambda *args, **kwargs: calls.append(args))
    return calls


def test_what_is_registered_is_built() -> None:
    box = build_embedded(THINGS, {'type': 'Box', 'content': {'type': 'Box'}, 'sizes': (1, [2])}, 'a.pth')
    assert isinstance(box.content, Box)
    assert box.sizes == (1, [2])


def test_files_that_it_names_are_left_out_at_every_depth() -> None:
    config = {'type': 'Box', 'file': '/etc/passwd', 'content': {'type': 'Box', 'file': '/etc/passwd'}}
    box = build_embedded(THINGS, config, 'a.pth', drop={'file'})
    assert (box.file, box.content.file) == ('none', 'none')


@pytest.mark.parametrize(
    'config',
    [
        {'type': 'os.system', 'command': 'true'},
        {'type': 'Box', 'content': {'type': 'os.system', 'command': 'true'}},
        {'type': 'Box', 'sizes': [{'type': 'builtins.open', 'file': 'executed'}]},
        {'type': 'os:system', 'command': 'true'},
        {'type': os.system, 'command': 'true'},
        {'type': 'Box', '_scope_': 'mmengine'},
        {'type': 'Box', 'content': {'type': 'Box', '_scope_': 'os'}},
        {'type': 'mmengine.Sequential', 'x': 1},
        {'type': 'BaseDataPreprocessor'},  # mmengine's own registry has it, the project's has not
        {'type': 'Box', 'content': {'type': 'BaseDataPreprocessor'}},
        {'type': None},
        {'type': ['Box']},
        {'type': 'Box', 'content': {'type': ''}},
        {},
        [],
        'os.system',
    ],
)
def test_nothing_else_is_found_imported_or_run(config, executed) -> None:
    with pytest.raises(UserError, match=r'^a\.pth'):
        build_embedded(THINGS, config, 'a.pth')
    assert executed == []


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UserError, match=r"a\.pth: its thing cannot be built: TypeError: .*'colour'"):
        build_embedded(THINGS, {'type': 'Box', 'colour': 1}, 'a.pth')


def test_configs_that_the_user_runs_find_mmengine_still() -> None:
    assert THINGS.get('BaseDataPreprocessor') is not None


def test_names_are_found_whatever_scope_another_package_left() -> None:
    DefaultScope.get_instance('another', scope_name='mmpose')
    box = THINGS.build({'type': 'Box', 'content': {'type': 'Box'}})
    assert isinstance(box.content, Box)
    assert DefaultScope.get_current_instance().scope_name == 'mmpose'


@THINGS.register_module()
class Model(BaseModel):
    """Asks mmengine for its default preprocessor, by way of whatever scope is set."""

    def __init__(self, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)

    def forward(self, *args, **kwargs) -> None:
        """Nothing."""


def test_mmengine_finds_its_own_defaults_while_a_checkpoint_is_built(executed) -> None:
    with DefaultScope.overwrite_default_scope('test_registry'):
        assert isinstance(build_embedded(THINGS, {'type': 'Model'}, 'a.pth').data_preprocessor, BaseDataPreprocessor)
        for name in ('os.system', 'nothing'):
            with pytest.raises(UserError, match=r'^a\.pth'), names_from('a.pth'):
                build_embedded(THINGS, {'type': 'Model', 'data_preprocessor': {'type': name}}, 'a.pth')
    assert executed == []
