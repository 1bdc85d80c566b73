"""The packages as rooms: which way imports may go, and that tests lie where what they test lies."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
# Package -> what it may import of the others. `bmoe_skel` sees of `pose_extract` the three modules named below.
ALLOWED = {
    'bmoe_ground': set(),
    'mm_runtime': {'bmoe_ground'},
    'pose_extract': {'bmoe_ground'},
    'bmoe_skel': {'bmoe_ground', 'mm_runtime', 'pose_extract'},
    'face_aux': {'bmoe_ground', 'mm_runtime'},
    'bmoe_app': {'bmoe_ground', 'mm_runtime', 'pose_extract', 'bmoe_skel', 'face_aux'},
    'benchmarks': {'bmoe_ground', 'mm_runtime', 'pose_extract', 'bmoe_skel', 'face_aux', 'bmoe_app'},
}
OF_POSE_EXTRACT = {'pose_extract.layout_conversion', 'pose_extract.skeletons', 'pose_extract.tracks'}
PACKAGES = sorted(package for package in ALLOWED if (REPO / package).is_dir())
# What the ground must not know.
ENGINES = {'mmengine', 'mmpose', 'mmdet', 'mmcv', 'timm', 'mediapipe'}

# Modules without functions that a test could call by themselves -> the test of the path that runs them.
TESTED_THROUGH = {
    'bmoe_ground._pkg_resources': 'bmoe_ground/test_import_cures.py',
    'face_aux.transforms.chance': 'face_aux/transforms/test_transforms.py',
    'mm_runtime.console': 'paths/test_training.py',
    'mm_runtime.optim': 'paths/test_training.py',
    'mm_runtime.progress': 'paths/test_training.py',
    'pose_extract.estimators.execution': 'pose_extract/estimators/test_mmpose.py',
}

# They print speeds and nothing else, and a test asserts no time.
TIMING_ONLY = {
    'benchmarks.answer_page',
    'benchmarks.export',
    'benchmarks.extraction',
    'benchmarks.live',
    'benchmarks.loading',
}


def module_name(path: Path) -> str:
    return '.'.join(path.relative_to(REPO).with_suffix('').parts).removesuffix('.__init__')


def modules() -> dict[str, Path]:
    return {module_name(path): path for package in PACKAGES for path in sorted((REPO / package).rglob('*.py'))}


MODULES = modules()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from walk(child)


def imported(path: Path) -> set[str]:
    """Modules that a file imports, ours as far down as they are named."""
    found: set[str] = set()
    for node in walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f'{node.module}.{alias.name}'
                found.add(inner if inner in MODULES else node.module)
    return found


IMPORTS = {name: imported(path) for name, path in MODULES.items()}


@pytest.mark.parametrize('package', PACKAGES)
def test_doors_open_downwards(package: str) -> None:
    wrong = [
        f'{name} imports {other}'
        for name, others in IMPORTS.items()
        if name.split('.')[0] == package
        for other in others
        if (top := other.split('.')[0]) in ALLOWED and top != package and top not in ALLOWED[package]
    ]
    assert wrong == []


def test_recognition_knows_of_extraction_only_layouts_and_tracks() -> None:
    wrong = [
        f'{name} imports {other}'
        for name, others in IMPORTS.items()
        if name.startswith('bmoe_skel')
        for other in others
        if other.split('.')[0] == 'pose_extract' and other not in OF_POSE_EXTRACT
    ]
    assert wrong == []


def test_the_ground_knows_no_engine() -> None:
    wrong = [
        f'{name} imports {other}'
        for name, others in IMPORTS.items()
        if name.startswith('bmoe_ground')
        for other in others
        if other.split('.')[0] in ENGINES
    ]
    assert wrong == []


def test_metrics_know_no_data_set() -> None:
    wrong = [
        f'{name} imports {other}'
        for name, others in IMPORTS.items()
        if '.metrics' in name
        for other in others
        if '.datasets' in other
    ]
    assert wrong == []


def test_no_import_runs_in_a_circle() -> None:
    graph = {name: {x for x in others if x in MODULES and x != name} for name, others in IMPORTS.items()}
    # a package's front page names its modules, which do not name it back
    graph = {name: others for name, others in graph.items() if MODULES[name].name != '__init__.py'}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(' -> '.join(error.args[1]))


def parts_of(package: str) -> dict[str, set[str]]:
    """Part of a package (its direct child) -> the other parts that it imports."""

    def part(name: str) -> str:
        return '.'.join(name.split('.')[:2])

    graph: dict[str, set[str]] = {}
    for name, others in IMPORTS.items():
        if name.split('.')[0] == package and name != package:
            inner = {part(other) for other in others if other.startswith(f'{package}.')}
            graph.setdefault(part(name), set()).update(inner - {part(name)})
    return graph


@pytest.mark.parametrize('package', PACKAGES)
def test_no_circle_between_the_parts_of_a_package(package: str) -> None:
    try:
        tuple(TopologicalSorter(parts_of(package)).static_order())
    except CycleError as error:
        pytest.fail(' -> '.join(error.args[1]))


def module_of(test: Path) -> str | None:
    """What a test file is named after: ``test_<module>.py``, ``test_<module>_<aspect>.py``, or its folder's package."""
    folder = '.'.join(test.relative_to(REPO / 'tests').parts[:-1])
    words = test.stem.removeprefix('test_').split('_')
    for length in range(len(words), 0, -1):
        name = f'{folder}.{"_".join(words[:length])}'
        if name in MODULES:
            return name
    return folder if folder in MODULES and words == [folder.rpartition('.')[2]] else None


MIRRORS = [path for package in PACKAGES for path in sorted((REPO / 'tests' / package).rglob('test_*.py'))]


@pytest.mark.parametrize('test', MIRRORS, ids=lambda path: str(path.relative_to(REPO / 'tests')))
def test_every_test_lies_where_its_module_lies(test: Path) -> None:
    assert module_of(test) is not None


def test_every_module_is_tested() -> None:
    """By a file named after it; a small one may be tested beside those that it serves, by a test that imports it."""
    own = {module_of(test) for test in MIRRORS}
    by_others = {name for test in sorted((REPO / 'tests').rglob('*.py')) for name in imported(test)}
    # names that a package offers are imported from the package
    for name, path in MODULES.items():
        if path.name == '__init__.py' and name in by_others:
            by_others |= IMPORTS[name]
    served = {other for name in own if name in IMPORTS for other in IMPORTS[name]}
    holding = {
        name
        for name, path in MODULES.items()
        if any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.parse(path.read_text()).body)
        and path.name != '__init__.py'
    }
    assert sorted(holding - own - by_others - served - set(TESTED_THROUGH) - TIMING_ONLY) == []
    assert [test for test in TESTED_THROUGH.values() if not (REPO / 'tests' / test).is_file()] == []
