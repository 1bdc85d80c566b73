"""setup.cfg, the pinned set and the imports of the packages agree."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from mm_runtime.catalog import list_configs

REPO = Path(__file__).resolve().parents[1]
PACKAGES = ('bmoe_app', 'bmoe_ground', 'bmoe_skel', 'face_aux', 'mm_runtime', 'pose_extract')
DISTRIBUTIONS = {
    'cv2': 'opencv-python',
    'google': 'protobuf',
    'lazy_loader': 'lazy-loader',
    'mmcv': 'mmcv-lite',
    'PIL': 'pillow',
    'skimage': 'scikit-image',
    'sklearn': 'scikit-learn',
    'yaml': 'pyyaml',
}
# Extras that nobody needs who only uses the packages; pinned in requirements/dev.txt.
DEVELOPMENT = ('dev', 'docs')
# Installed by `make install` with --no-deps, or taken from where it is if it is there (bmoe_ground.import_cures).
UNDECLARED = {'mmpose', 'pkg_resources'}


def read_requirements(text: str) -> dict[str, Requirement]:
    lines = (line.split('#')[0].strip() for line in text.splitlines())
    requirements = (Requirement(line) for line in lines if line)
    return {requirement.name: requirement for requirement in requirements}


@pytest.fixture(scope='module')
def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(REPO / 'setup.cfg')
    return parser


@pytest.fixture(scope='module')
def pinned() -> dict[str, Requirement]:
    return read_requirements((REPO / 'requirements' / 'pinned.txt').read_text())


def imported_distributions(folder: Path) -> set[str]:
    """Third-party distributions that the modules below ``folder`` import."""
    names: set[str] = set()
    for file in folder.rglob('*.py'):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split('.')[0])
    names -= set(sys.stdlib_module_names) | set(PACKAGES) | UNDECLARED
    return {DISTRIBUTIONS.get(name, name) for name in names}


@pytest.mark.parametrize('package', PACKAGES)
def test_every_import_is_declared(package: str, config: configparser.ConfigParser) -> None:
    declared = set(read_requirements(config['options']['install_requires']))
    for group in config['options.extras_require'].values():
        declared |= set(read_requirements(group))
    missing = {name for name in imported_distributions(REPO / package) if name.replace('_', '-') not in declared}
    assert not missing


def test_nothing_installed_is_forced_out(config: configparser.ConfigParser) -> None:
    required = read_requirements(config['options']['install_requires'])
    assert not {'mmcv', 'mmcv-lite', 'mmdet', 'mmpose', 'mediapipe', 'chumpy'} & set(required)
    for requirement in required.values():
        assert {clause.operator for clause in requirement.specifier} <= {'>='}
    assert '2.4.0' in required['torch'].specifier
    assert {'1.26.0', '2.4.0'} <= set(required['numpy'].specifier.filter(['1.26.0', '2.4.0']))


def test_pins_are_exact_and_within_the_declared_ranges(
    config: configparser.ConfigParser, pinned: dict[str, Requirement]
) -> None:
    versions = {}
    for name, requirement in pinned.items():
        (clause,) = requirement.specifier
        assert clause.operator == '==' and requirement.url is None
        versions[name] = clause.version
    extras = config['options.extras_require']
    users = [extras[name] for name in extras if name not in DEVELOPMENT]
    for group in (config['options']['install_requires'], *users):
        for name, requirement in read_requirements(group).items():
            assert versions[name] in requirement.specifier, name


def test_development_tools_are_pinned_within_the_declared_ranges(config: configparser.ConfigParser) -> None:
    pins = read_requirements((REPO / 'requirements' / 'dev.txt').read_text())
    declared: dict[str, Requirement] = {}
    for extra in DEVELOPMENT:
        declared |= read_requirements(config['options.extras_require'][extra])
    assert set(pins) == set(declared)
    for name, requirement in declared.items():
        (clause,) = pins[name].specifier
        assert clause.operator == '==' and clause.version in requirement.specifier, name


def test_commit_hooks_are_local_and_run_what_lint_runs() -> None:
    lint = (REPO / 'Makefile').read_text().split('\nlint:')[1].split('\n\n')[0]
    repositories = yaml.safe_load((REPO / '.pre-commit-config.yaml').read_text())['repos']
    hooks = [hook for repository in repositories for hook in repository['hooks']]
    assert {repository['repo'] for repository in repositories} == {'local'}
    assert {hook['language'] for hook in hooks} == {'system'}
    commands = {' '.join(word for word in hook['entry'].split() if not word.startswith('-')) for hook in hooks}
    assert commands == {'ruff check', 'ruff format', 'mypy'}
    assert all(f'$(BIN)/{command}' in lint for command in commands)


def test_changes_and_citation_name_the_version(config: configparser.ConfigParser) -> None:
    sections = re.findall(r'^## (\S+)$', (REPO / 'CHANGELOG.md').read_text(), flags=re.M)
    version = config['metadata']['version']
    if version.startswith('attr:'):
        module, _, name = version.removeprefix('attr:').strip().rpartition('.')
        version = getattr(importlib.import_module(module), name)
    assert version in sections
    citation = yaml.safe_load((REPO / 'CITATION.cff').read_text())
    assert citation['version'] == sections[0]
    assert citation['license'] == config['metadata']['license']


def test_citation_has_what_the_format_requires() -> None:
    citation = yaml.safe_load((REPO / 'CITATION.cff').read_text())
    assert citation['cff-version'] == '1.2.0'
    assert citation['message'] and citation['title'] and citation['authors']
    papers = [identifier['value'] for paper in citation['references'] for identifier in paper['identifiers']]
    assert papers == ['arXiv:2603.24245', 'arXiv:2409.19582']
    for paper in citation['references']:
        assert paper['type'] == 'article' and paper['title'] and paper['year']
        assert all(set(author) == {'family-names', 'given-names'} for author in paper['authors'])


def pythons(text: str) -> set[str]:
    """Versions of Python that a text names, such as 3.11."""
    return set(re.findall(r'\b3\.1\d\b', text))


def test_one_truth_about_python_versions(config: configparser.ConfigParser) -> None:
    prefix = 'Programming Language :: Python :: 3.'
    tested = {line.replace(prefix, '3.') for line in config['metadata']['classifiers'].split('\n') if prefix in line}
    oldest = min(tested, key=lambda version: int(version.split('.')[1]))
    assert config['options']['python_requires'] == f'>={oldest}'
    project = tomllib.loads((REPO / 'pyproject.toml').read_text())
    assert project['tool']['ruff']['target-version'] == 'py' + oldest.replace('.', '')
    assert project['tool']['mypy']['python_version'] == oldest
    makefile = (REPO / 'Makefile').read_text()
    chosen = re.search(r'sys\.version_info\[:2\] not in \[(.*?)\]\)', makefile)
    assert chosen is not None
    assert {f'3.{minor}' for minor in re.findall(r'\(3, (\d+)\)', chosen[1])} == tested
    assert pythons(makefile) == tested
    first, *_ = (REPO / 'docs' / 'install.md').read_text().split('\n## ')
    assert pythons(first) == tested
    assert pythons((REPO / 'README.md').read_text()) == tested
    assert pythons((REPO / 'requirements' / 'pinned.txt').read_text().split('\n')[0]) == tested


def test_every_package_is_found_and_typed(config: configparser.ConfigParser) -> None:
    include = config['options.packages.find']['include'].split()
    assert {pattern.removesuffix('*') for pattern in include} == set(PACKAGES)
    for package in PACKAGES:
        assert (REPO / package / 'py.typed').is_file()
        folders = {file.parent for file in (REPO / package).rglob('*.py')}
        assert [folder for folder in folders if not (folder / '__init__.py').is_file()] == []
    mypy = tomllib.loads((REPO / 'pyproject.toml').read_text())['tool']['mypy']
    assert set(PACKAGES) <= set(mypy['packages'])


def test_no_two_extras_are_for_the_same_thing(config: configparser.ConfigParser) -> None:
    groups = {name: frozenset(read_requirements(text)) for name, text in config['options.extras_require'].items()}
    assert len(set(groups.values())) == len(groups)
    assert [name for name, group in groups.items() if 'onnxruntime' in group] == ['onnx']


@pytest.fixture(scope='module')
def installed(once: Callable[..., Path]) -> Path:
    """The programs of a new virtual environment with this project, see :func:`install`."""
    if not (REPO / '.git').exists():
        pytest.skip('not a clone, so which files are tracked is not known')
    return once('installation', install) / 'venv' / 'bin'


def install(work: Path) -> None:
    """Make a virtual environment into which pip installs a copy of the tracked files.

    The packages that ours need are those of this environment, by way of a ``.pth`` file; nothing is downloaded.
    """
    names = subprocess.run(['git', 'ls-files', '-z'], cwd=REPO, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split('\0')):
        if (REPO / name).is_file():
            (work / 'clone' / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPO / name, work / 'clone' / name)
    venv.create(work / 'venv', with_pip=False)
    programs = work / 'venv' / 'bin'
    (site,) = (work / 'venv' / 'lib').glob('python*/site-packages')
    pip, alone = [sys.executable, '-m', 'pip', '--disable-pip-version-check'], ['--no-deps', '--no-index', '--quiet']
    build = [*pip, 'wheel', *alone, '--no-build-isolation', '--wheel-dir', str(work), str(work / 'clone')]
    put = [*pip, '--python', str(programs / 'python'), 'install', *alone, '--find-links', str(work), 'bmoe-skel']
    for command in (build, put):
        done = subprocess.run(command, cwd=work, env=plain(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    shutil.rmtree(work / 'clone')
    # only now: pip would see this environment's own copy of the project through it, and uninstall that
    (site / 'borrowed.pth').write_text(sysconfig.get_path('purelib') + '\n')


@pytest.mark.slow
def test_this_environment_keeps_its_own_installation(installed: Path) -> None:
    assert importlib.metadata.version('bmoe-skel')


def plain() -> dict[str, str]:
    """The environment variables without what leads back to this clone."""
    return {key: value for key, value in os.environ.items() if key not in ('PYTHONPATH', 'VIRTUAL_ENV')}


def run_installed(programs: Path, *command: str) -> str:
    words = [str(programs / command[0]), *command[1:]]
    done = subprocess.run(words, cwd=programs.parents[1], env=plain(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_the_command_of_an_installation(installed: Path) -> None:
    assert 'usage: bmoe COMMAND' in run_installed(installed, 'bmoe', '--help')
    assert run_installed(installed, 'bmoe', '--version') == 'bmoe 0.4.0\n'
    shown = run_installed(installed, 'bmoe', 'list')
    for name in ('bmoe_skel_small', 'face_aux/utkface', 'coco17', 'mediapipe', 'LDP'):
        assert f'  {name}' in shown
    assert 'usage: bmoe train' in run_installed(installed, 'bmoe', 'train', '--help')


@pytest.mark.slow
def test_the_packages_of_an_installation(installed: Path) -> None:
    code = """
import importlib, importlib.metadata, importlib.util, pathlib, sys
for package in ('bmoe_app', 'bmoe_skel', 'face_aux', 'pose_extract'):
    module = importlib.import_module(package)
    assert pathlib.Path(module.__file__).is_relative_to(sys.prefix), module.__file__
    for name in getattr(module, '__all__', ()):
        getattr(module, name)
assert importlib.util.find_spec('benchmarks') is None
print(importlib.metadata.version('bmoe-skel'))
"""
    assert run_installed(installed, 'python', '-c', code) == '0.4.0\n'


@pytest.mark.slow
def test_the_configs_of_an_installation(installed: Path) -> None:
    (wheel,) = installed.parents[1].glob('*.whl')
    with zipfile.ZipFile(wheel) as archive:
        packed = {name.rpartition('/configs/')[2] for name in archive.namelist() if '/configs/' in name}
    assert packed == {path.relative_to(REPO / 'configs').as_posix() for path in (REPO / 'configs').rglob('*.py')}
    code = 'from mm_runtime.catalog import list_configs; from mm_runtime.config import load_config; '
    code += 'print(*[load_config(name).filename for name, _, _ in list_configs()], sep="\\n")'
    files = run_installed(installed, 'python', '-c', code).splitlines()
    assert len(files) == len(list_configs())
    assert all(Path(file).is_relative_to(installed.parent) for file in files)
