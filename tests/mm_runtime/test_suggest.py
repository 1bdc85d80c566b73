from __future__ import annotations

import mmengine.runner  # noqa: F401  (registers mmengine's classes)
import pytest
from mmengine.registry import HOOKS, OPTIM_WRAPPERS, Registry, root

from bmoe_ground.errors import UserError
from mm_runtime.suggest import arguments_of, did_you_mean, named_mistakes, registered

THINGS = Registry('thing', scope='mmengine')


class Base:
    def __init__(self, size: int = 1, *, name: str = '') -> None:
        if size < 0:
            raise ValueError('size must not be negative')


@THINGS.register_module()
class Derived(Base):
    def __init__(self, depth: int = 1, inner: dict | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if inner is not None:
            Inner(**inner)


class Inner:
    def __init__(self, width: int) -> None:
        self.width = width


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (
            {'dpeth': 3},
            r"^c\.py: Derived has no argument 'dpeth'; did you mean 'depth'\?; it takes: depth, inner, n",
        ),
        ({'nmae': 'x'}, r"Derived has no argument 'nmae'; did you mean 'name'"),  # refused by the parent
        ({'inner': {'widht': 3}}, r"Inner has no argument 'widht'; did you mean 'width'\?; it takes: width$"),
        ({'size': -1}, r'^c\.py: size must not be negative$'),
    ],
)
def test_arguments(config: dict, message: str) -> None:
    for anywhere in (True, False):
        with pytest.raises(UserError, match=message), named_mistakes('c.py', anywhere):
            THINGS.build({'type': 'Derived', **config})


def test_types() -> None:
    message = r"^c\.py: unknown hook 'EMAHok'; did you mean 'EMAHook'\?; those of mmengine: .*CheckpointHook"
    with pytest.raises(UserError, match=message), named_mistakes('c.py'):
        HOOKS.build({'type': 'EMAHok'})


def test_faults_of_the_program_keep_their_traceback() -> None:
    with pytest.raises(TypeError), named_mistakes('c.py', anywhere=False):
        Inner(widht=3)  # type: ignore[call-arg]
    with pytest.raises(UserError, match='first'), named_mistakes('c.py'):
        raise UserError('first')


def test_lists() -> None:
    assert arguments_of(Derived) == ['depth', 'inner', 'size', 'name']
    assert arguments_of(did_you_mean) == ['word', 'options', 'cutoff']
    assert did_you_mean('zebra', ['joint']) == ''
    assert 'OptimWrapper' in registered('optim_wrapper', 'mmengine')
    assert registered('optim_wrapper', 'nowhere') == sorted(OPTIM_WRAPPERS.module_dict)
    assert registered('nothing', 'mmengine') == []
    assert root.HOOKS is HOOKS
