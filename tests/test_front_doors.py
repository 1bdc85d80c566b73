"""Importing a package loads nothing heavy; using a name of it loads that name."""

from __future__ import annotations

import configparser
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
DOORS = ('bmoe_skel', 'face_aux', 'pose_extract')
HEAVY = ('torch', 'numpy', 'mmengine', 'mmpose', 'mmdet', 'mmcv', 'mediapipe', 'cv2', 'timm', 'matplotlib', 'pandas')


def run_python(code: str) -> str:
    command = [sys.executable, '-c', code]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize('package', [*DOORS, 'bmoe_ground', 'mm_runtime', 'bmoe_app'])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    loaded = run_python(f'import sys, {package}; print(*sorted(sys.modules))').split()
    assert package in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_name_loads_no_more_than_it_needs() -> None:
    code = 'import sys, pose_extract; print(pose_extract.get_skeleton("coco17").num_keypoints, *sorted(sys.modules))'
    joints, *loaded = run_python(code).split()
    assert joints == '17'
    assert [name for name in HEAVY if name in loaded] == ['numpy']


@pytest.mark.parametrize('package', DOORS)
def test_every_name_is_there_and_listed(package: str) -> None:
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__) >= 10
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize('package', DOORS)
def test_the_docstring_maps_every_name(package: str) -> None:
    module = importlib.import_module(package)
    text = str(module.__doc__)
    missing = [name for name in module.__all__ if name not in text]
    assert missing == []


@pytest.mark.parametrize('package', DOORS)
def test_an_unknown_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match='MicroActionInferenzer'):
        _ = importlib.import_module(package).MicroActionInferenzer


def test_a_function_is_not_hidden_by_a_module_of_its_name() -> None:
    code = 'import pose_extract, pose_extract.job, pose_extract.extraction; print(callable(pose_extract.extract))'
    assert run_python(code).strip() == 'True'


def test_one_version_everywhere() -> None:
    config = configparser.ConfigParser()
    config.read(REPO / 'setup.cfg')
    assert config['metadata']['version'] == 'attr: bmoe_ground.version.__version__'
    versions = {importlib.import_module(name).__version__ for name in (*DOORS, 'bmoe_app')}
    assert versions == {'0.4.0'}
