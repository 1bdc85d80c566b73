"""A config's default scope loads the package it names, in processes where nothing else has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def run_python(code: str) -> str:
    command = [sys.executable, '-c', code]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


def test_the_scope_of_a_config_loads_its_registries() -> None:
    code = """
import face_aux, sys
from mmengine.registry import MODELS, init_default_scope
from mm_runtime.scope import complete_scope, find_model
assert 'face_aux.registry' not in sys.modules
init_default_scope('face_aux')
complete_scope('face_aux')
print(find_model('TextureJointModel').__module__)
"""
    assert run_python(code).strip() == 'face_aux.models.joint'


def test_a_scope_without_a_package_of_ours_is_left_as_it_is() -> None:
    code = "from mm_runtime.scope import complete_scope; complete_scope('nobodys'); complete_scope('os'); print('ok')"
    assert run_python(code).strip() == 'ok'
