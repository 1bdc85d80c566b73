"""The configs that come with the project, in a clone and in an installed package alike."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from bmoe_ground.errors import UserError
from mm_runtime.suggest import did_you_mean, listing

_DISTRIBUTION = 'bmoe-skel'
_INSTALLED = 'share/bmoe-skel/configs/'


class ConfigEntry(NamedTuple):
    """A config that comes with the project.

    Attributes:
        name: What to call it by: its path below ``configs`` without ``.py``.
        description: The first comment line of the file.
        path: The file.
    """

    name: str
    description: str
    path: Path


def config_folder() -> Path:
    """Find the folder of the configs: beside the package in a clone, else where the package was installed.

    Returns:
        The folder.

    Raises:
        UserError: There is none: the package was copied without its configs.
    """
    beside = Path(__file__).resolve().parents[1] / 'configs'
    if (beside / '_base_').is_dir():
        return beside
    try:
        files = metadata.files(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        before, found, name = file.as_posix().rpartition(_INSTALLED)
        if found and '/' not in name:
            return Path(str(file.locate())).resolve().parent
    raise UserError('the configs of bmoe-skel are not installed beside it; give the path of a config file')


def list_configs() -> list[ConfigEntry]:
    """List the configs that come with the project; those that others only inherit from are left out.

    Returns:
        Entries by name.

    Raises:
        UserError: The configs are not installed.

    Example:
        >>> [entry.name for entry in list_configs()][:2]
        ['benchmarks/box', 'benchmarks/skeleton']
    """
    folder = config_folder()
    entries = []
    for path in sorted(folder.rglob('*.py')):
        parts = path.relative_to(folder).with_suffix('').parts
        if '_base_' not in parts:
            entries.append(ConfigEntry('/'.join(parts), _description(path), path))
    return sorted(entries)


def find_config(name: str | os.PathLike[str]) -> Path:
    """Find a config file by its path, or one that comes with the project by its name.

    Args:
        name: A path, or a name as :func:`list_configs` has it; a leading ``configs/``, the ending ``.py`` and a folder
            may be there or not.

    Returns:
        The file.

    Raises:
        UserError: There is no such file and no such config.
    """
    path = Path(name)
    if path.is_file():
        return path
    try:
        entries = {entry.name: entry.path for entry in list_configs()}
    except UserError:
        entries = {}
    wanted = path.as_posix().removesuffix('.py').removeprefix('./').removeprefix('configs/')
    matches = [entry for entry in entries if entry == wanted or entry.rpartition('/')[2] == wanted]
    if len(matches) == 1 and not path.is_absolute():
        return entries[matches[0]]
    raise UserError(f'config not found: {name}{did_you_mean(wanted, entries)}; by name there are: {listing(entries)}')


def _description(path: Path) -> str:
    for line in path.read_text(encoding='utf-8').splitlines():
        if line.startswith('#'):
            return line.lstrip('# ').strip()
        if line.strip():
            break
    return ''
