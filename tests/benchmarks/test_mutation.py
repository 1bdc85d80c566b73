from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
MODULE = """from __future__ import annotations


def is_adult(age: int | float) -> bool:
    return age >= 18
"""


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip('cosmic_ray')
    (folder / 'ages.py').write_text(MODULE)
    (folder / 'test_ages.py').write_text(tests)
    return subprocess.run(
        [sys.executable, '-m', 'benchmarks.mutation', 'ages.py', 'test_ages.py', *options],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': f'{REPO}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'},
        capture_output=True,
        text=True,
    )


def test_what_the_tests_do_not_notice_is_shown(tmp_path: Path) -> None:
    tests = 'from ages import is_adult\n\n\ndef test_it():\n    assert is_adult(20) and not is_adult(10)\n'
    result = run(tmp_path, tests, '--every', '2')
    assert result.returncode == 0, result.stderr
    # of >= five other comparisons with a number, of 18 its two neighbours; none of the annotation's |
    assert 'ages.py: 4 mutants (each 2. of 7): killed ' in result.stdout
    assert 'ages.py:5: ReplaceComparisonOperator_GtE_Gt\n-    return age >= 18\n+    return age > 18' in (
        run(tmp_path, tests).stdout
    )
    assert (tmp_path / 'ages.py').read_text() == MODULE


def test_tests_that_fail_or_see_another_module_are_refused(tmp_path: Path) -> None:
    for tests in ('def test_it():\n    assert 0', 'def test_it():\n    assert 1'):
        result = run(tmp_path, tests)
        assert result.returncode == 2 and 'the tests fail without any change, or do not import it' in result.stderr
