"""Errors that say what was meant: the close match, and the list of what there is, in one line."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mmengine.registry import Registry, root

from bmoe_ground.errors import UserError

_UNEXPECTED = re.compile(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_UNREGISTERED = re.compile(r'(\S+) is not in the (\w+)::([\w ]+) registry')


def did_you_mean(word: str, options: Iterable[str], cutoff: float = 0.6) -> str:
    """Say which option a word was probably meant to be.

    Args:
        word: What was given.
        options: What there is.
        cutoff: Least likeness, 0..1, of a match.

    Returns:
        ``"; did you mean 'x'?"``, or an empty text where nothing is close.

    Example:
        >>> did_you_mean('jiont', ['joint', 'frame'])
        "; did you mean 'joint'?"
    """
    near = difflib.get_close_matches(word, list(options), n=1, cutoff=cutoff)
    return f'; did you mean {near[0]!r}?' if near else ''


def listing(options: Iterable[str]) -> str:
    """Write options in alphabetical order, on one line.

    Args:
        options: Their names.
    """
    return ', '.join(sorted(options)) or 'none'


@contextmanager
def named_mistakes(where: str, anywhere: bool = True) -> Iterator[None]:
    """Turn what building an object from a config raises into an error that names the mistake.

    Args:
        where: The config, for the error.
        anywhere: Whether every error in this block is the config's. If False, only those are that come from building;
            others pass through, since a fault of the program must keep its traceback.

    Raises:
        UserError: An argument or a type is unknown, or an object refuses its arguments.
    """
    try:
        yield
    except UserError:
        raise
    except (TypeError, KeyError, ValueError) as error:
        frames = list(_frames(error))
        if not anywhere and not _while_building(frames):
            raise
        raise UserError(f'{where}: {_explain(error, frames)}') from error


def arguments_of(target: Any) -> list[str]:
    """List the arguments that a class or function takes by name, those that it passes on to its parents included.

    Args:
        target: A class or a function.

    Returns:
        Names, in the order of the signature; empty where there is none to be read.
    """
    makers = (
        [vars(cls)['__init__'] for cls in target.__mro__ if '__init__' in vars(cls)]
        if inspect.isclass(target)
        else [target]
    )
    names: list[str] = []
    for maker in makers:
        try:
            parameters = inspect.signature(maker).parameters.values()
        except (TypeError, ValueError):
            break
        named = [parameter.name for parameter in parameters if parameter.kind in _NAMED]
        names += [name for name in named if name != 'self' and name not in names]
        if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of an error, the innermost first."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return reversed(frames)


def _while_building(frames: Iterable[FrameType]) -> bool:
    return any(frame.f_globals.get('__name__') == 'mmengine.registry.build_functions' for frame in frames)


def _explain(error: Exception, frames: list[FrameType]) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if found := _UNEXPECTED.search(text):
        name, argument = found.groups()
        target = _find_target(name, frames)
        shown = getattr(target, '__name__', name)
        known = [] if target is None else arguments_of(target)
        takes = f'; it takes: {listing(known)}' if known else ''
        return f'{shown} has no argument {argument!r}{did_you_mean(argument, known)}{takes}'
    if found := _UNREGISTERED.search(text):
        name, scope, kind = found.groups()
        known = registered(kind, scope)
        own = registered(kind, scope, parents=False) or known
        return f'unknown {kind} {name!r}{did_you_mean(name, known)}; those of {scope}: {listing(own)}'
    return text.splitlines()[0] if text else type(error).__name__


def _find_target(name: str, frames: list[FrameType]) -> Any:
    """The class or function of a TypeError: what was being built, or what the calling module knows by that name."""
    for frame in frames:
        built = frame.f_locals.get('obj_cls')
        if built is not None and frame.f_globals.get('__name__') == 'mmengine.registry.build_functions':
            if any(cls.__name__ == name for cls in getattr(built, '__mro__', [built])):
                return built
            break
    for frame in frames:
        known = frame.f_globals.get(name)
        if callable(known):
            return known
    return None


def registered(kind: str, scope: str, parents: bool = True) -> list[str]:
    """List what is registered under a kind of mmengine's, such as ``'hook'``.

    Args:
        kind: A root registry's name.
        scope: A package's scope.
        parents: Whether mmengine's own classes are listed too.
    """
    for registry in vars(root).values():
        if isinstance(registry, Registry) and registry.name == kind:
            child = registry.children.get(scope)
            names = set(child.module_dict) if child is not None else set()
            return sorted(names | set(registry.module_dict)) if parents or child is None else sorted(names)
    return []
