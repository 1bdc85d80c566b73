"""Each case runs in an interpreter of its own, since imports and operator declarations cannot be undone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

# A package that fails, or does not, the way torchvision's own __init__ does.
REGISTERS_FAKE = """
import torch
@torch.library.register_fake('torchvision::nms')
def nms(dets, scores, iou_threshold):
    return dets
@torch.library.register_fake('torchvision::qnms')
def qnms(dets, scores, iou_threshold):
    return dets
"""
DEFINES_NMS = """
import torch
library = torch.library.Library('torchvision', 'DEF')
for name in ('nms', 'qnms'):
    library.define(name + '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
library.impl('nms', lambda dets, scores, iou_threshold: scores + iou_threshold, 'CPU')
"""
HIDE_PKG_RESOURCES = """
import sys
from importlib.machinery import PathFinder
find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name == 'pkg_resources' else find_spec(name, *rest)
"""


def run_python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, [*path, REPO]))}
    return subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True, check=False)


def succeed(code: str, *path: Path) -> str:
    result = run_python(code, *path)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def write_torchvision(folder: Path, source: str) -> Path:
    (folder / 'torchvision').mkdir()
    (folder / 'torchvision' / '__init__.py').write_text(source)
    return folder


def test_importing_the_packages_loads_nothing_heavy() -> None:
    heavy = ('torch', 'torchvision', 'pkg_resources', 'mmengine', 'mmcv', 'mmdet', 'mmpose', 'mediapipe', 'timm')
    code = f'import sys, bmoe_ground, pose_extract; print([name for name in {heavy} if name in sys.modules])'
    assert succeed(code) == '[]'


@pytest.mark.parametrize('package', ['bmoe_skel', 'face_aux', 'pose_extract'])
def test_each_package_applies_the_cures(package: str) -> None:
    code = f'import sys, {package}; print([type(finder).__name__ for finder in sys.meta_path])'
    finders = succeed(code)
    assert '_TorchvisionFinder' in finders
    assert '_PkgResourcesFinder' in finders


def test_applying_twice_changes_nothing() -> None:
    code = 'import sys, bmoe_ground as m; n = list(sys.meta_path); m.apply_import_cures(); print(n == sys.meta_path)'
    assert succeed(code) == 'True'


@pytest.mark.slow
def test_runner_environment_and_timm_import() -> None:
    code = 'import bmoe_ground, torchvision, timm; from mmengine.runner import Runner; '
    code += 'from mmengine.utils.dl_utils import collect_env; print("TorchVision" in collect_env())'
    assert succeed(code) == 'True'


@pytest.mark.slow
def test_missing_operators_are_declared(tmp_path: Path) -> None:
    path = write_torchvision(tmp_path, REGISTERS_FAKE)
    without = run_python('import torchvision', path)
    assert 'operator torchvision::nms does not exist' in without.stderr
    code = 'import bmoe_ground, torch, torchvision; print(torchvision.__file__, torch.ops.torchvision.qnms.default)\n'
    code += 'print(type(torchvision.__loader__).__name__, torchvision.__spec__.loader is torchvision.__loader__)'
    file, operator, loader, same = succeed(code, path).split()
    assert Path(file).parent.parent == tmp_path
    assert operator == 'torchvision.qnms.default'
    assert (loader, same) == ('SourceFileLoader', 'True')


@pytest.mark.slow
def test_healthy_torchvision_keeps_its_operators(tmp_path: Path) -> None:
    path = write_torchvision(tmp_path, DEFINES_NMS + REGISTERS_FAKE)
    code = 'import bmoe_ground, torch, torchvision; x = torch.ones(1)\n'
    code += 'print(torch.ops.torchvision.nms(x, x, 0.5).item(), bmoe_ground.import_cures._libraries)'
    assert succeed(code, path) == '1.5 []'


def test_other_faults_of_torchvision_are_not_hidden(tmp_path: Path) -> None:
    path = write_torchvision(tmp_path, 'raise RuntimeError("built for another torch")')
    assert 'RuntimeError: built for another torch' in run_python('import bmoe_ground, torchvision', path).stderr


def test_absent_torchvision_stays_a_missing_module() -> None:
    code = 'import sys, bmoe_ground; sys.path = [p for p in sys.path if "site-packages" not in p]; import torchvision'
    assert 'ModuleNotFoundError: No module named' in run_python(code).stderr


@pytest.mark.slow
def test_pkg_resources_stand_in_serves_mmengine() -> None:
    code = HIDE_PKG_RESOURCES + (
        'import bmoe_ground, mmengine, pkg_resources\n'
        'from pathlib import Path\n'
        'from mmengine.utils import get_installed_path, is_installed\n'
        'print(Path(pkg_resources.__file__).name, is_installed("mmengine"), is_installed("no-such-distribution"))\n'
        'print(Path(get_installed_path("mmengine")) == Path(mmengine.__file__).resolve().parent)\n'
        'print(pkg_resources.get_distribution("mmengine").version == mmengine.__version__)\n'
    )
    assert succeed(code).split() == ['_pkg_resources.py', 'True', 'False', 'True', 'True']


def test_real_pkg_resources_goes_first(tmp_path: Path) -> None:
    (tmp_path / 'pkg_resources.py').write_text('ORIGIN = "real"')
    assert succeed('import bmoe_ground, pkg_resources; print(pkg_resources.ORIGIN)', tmp_path) == 'real'


@pytest.mark.slow
def test_sharding_is_imported_when_it_is_asked_for() -> None:
    code = (
        'from bmoe_ground.import_cures import defer_sharding\n'
        'defer_sharding()\n'
        'import sys, torch, mmengine.runner, torch.distributed as dist\n'
        'from mmengine.optim import OPTIMIZERS, ZeroRedundancyOptimizer\n'
        'from mmengine.registry import MODEL_WRAPPERS, STRATEGIES\n'
        'names = ("torch.distributed.optim", "torch.distributed.fsdp", "sympy")\n'
        'print([name for name in names if name in sys.modules])\n'
        'dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)\n'
        'weight = torch.nn.Parameter(torch.ones(1))\n'
        'config = dict(type="ZeroRedundancyOptimizer", params=[weight], optimizer_type="SGD", lr=0.5)\n'
        'made = [OPTIMIZERS.build(config), OPTIMIZERS.build(config)]\n'
        'made += [ZeroRedundancyOptimizer([weight], optimizer_type="SGD", lr=0.5)]\n'
        'weight.sum().backward()\n'
        'made[0].step()\n'
        'from torch.distributed.optim import ZeroRedundancyOptimizer as Base\n'
        'from mmengine.optim.optimizer.zero_optimizer import ZeroRedundancyOptimizer as Theirs\n'
        'print(weight.item(), {type(one) is Theirs and isinstance(one, Base) for one in made})\n'
        'from torch.distributed.fsdp import FullyShardedDataParallel\n'
        'import contextlib\n'
        'with contextlib.suppress(RuntimeError):\n'  # it needs a GPU
        '    MODEL_WRAPPERS.build(dict(type="MMFullyShardedDataParallel", module=torch.nn.Linear(1, 1)))\n'
        'print(issubclass(MODEL_WRAPPERS.get("MMFullyShardedDataParallel"), FullyShardedDataParallel))\n'
        'from mmengine._strategy import DDPStrategy\n'
        'print(isinstance(STRATEGIES.build(dict(type="FSDPStrategy")), DDPStrategy))\n'
    )
    assert succeed(code).splitlines() == ['[]', '0.5 {True}', 'True', 'True']
