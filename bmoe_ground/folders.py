"""The files below a folder, linked folders included, without running in circles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bmoe_ground.errors import UserError

NOT_OF_THE_USER = frozenset({'__MACOSX', '__pycache__'})
"""Folders that programs leave behind; so do those whose names begin with a dot."""


def is_the_users(name: str) -> bool:
    """Whether a folder's name is none that a program leaves behind.

    Example:
        >>> is_the_users('photos'), is_the_users('.ipynb_checkpoints'), is_the_users('__MACOSX')
        (True, False, False)
    """
    return not name.startswith('.') and name not in NOT_OF_THE_USER


def walk_files(root: str | os.PathLike[str]) -> list[Path]:
    """Find every file below a folder, hidden ones left out.

    Linked folders are followed, each once: a folder that is reached in several ways counts where it truly lies or, if
    that is outside, under the first link in alphabetical order. A link to a folder above it is not followed.

    Args:
        root: The folder; it may be a link itself.

    Returns:
        Sorted paths that begin with ``root``. A link to a file that is gone is among them.

    Raises:
        UserError: ``root`` is no folder, or it or a folder below it cannot be listed.

    Example:
        >>> walk_files(os.devnull)
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: /dev/null: no such folder
    """
    return sorted(iter_files(root))


def iter_files(root: str | os.PathLike[str]) -> Iterator[Path]:
    """The files of :func:`walk_files` one after the other, so that millions need not be in memory at once.

    Args:
        root: See :func:`walk_files`.

    Yields:
        Paths that begin with ``root``, always in the same order: a folder's own files by name, then what lies in it.

    Raises:
        UserError: See :func:`walk_files`.

    Example:
        >>> next(iter_files(os.devnull))
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: /dev/null: no such folder
    """
    if not os.path.isdir(root):
        raise UserError(f'{os.fspath(root)}: no such folder')
    seen: set[str] = set()
    waiting = [Path(root)]
    while waiting:  # what truly lies here first, then the links that were met
        links: list[Path] = []
        for start in waiting:
            yield from _walk(start, seen, links)
        waiting = sorted(links)


def _walk(start: Path, seen: set[str], links: list[Path]) -> Iterator[Path]:
    """The files of one tree; adds its folders to ``seen`` and its linked folders to ``links``."""

    def refuse(error: OSError) -> None:
        raise UserError(f'{error.filename}: cannot be listed: {error.strerror}')

    if os.path.realpath(start) in seen:
        return
    for folder, names, files in os.walk(start, onerror=refuse):
        seen.add(os.path.realpath(folder))
        here = Path(folder)
        folders = sorted(filter(is_the_users, names))
        links += [here / name for name in folders if (here / name).is_symlink() and not _leads_up(here / name)]
        names[:] = [n for n in folders if not (here / n).is_symlink() and os.path.realpath(here / n) not in seen]
        for name in sorted(files):
            if not name.startswith('.'):
                yield here / name


def _leads_up(link: Path) -> bool:
    """Whether a link leads to a folder that it lies in: a circle."""
    target, here = os.path.realpath(link), os.path.realpath(link.parent)
    return os.path.commonpath([target, here]) == target
