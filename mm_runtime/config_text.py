"""Reading the config that a checkpoint carries, without running it.

mmengine stores a config as Python source; its own way back executes that source, which for a checkpoint from somebody
else is as bad as unpickling it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from bmoe_ground.errors import UserError


def parse_config_text(text: str, where: str) -> dict[str, Any]:
    """Read ``name = value`` lines whose values are literals, as ``Config.pretty_text`` writes them.

    Args:
        text: The source.
        where: Whose config it is, for the error.

    Returns:
        Name to value; ``dict(a=1)`` gives what ``{'a': 1}`` gives.

    Raises:
        UserError: The text is no Python, or holds anything but literals.
    """
    try:
        tree = ast.parse(text)
        return {name: _literal(value, where) for name, value in _assignments(tree, where)}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise UserError(f'{where}: its config is not readable: {error or type(error).__name__}') from error


def section(config: Any, *keys: str) -> Mapping[str, Any]:
    """Follow keys into a config that may hold anything.

    Args:
        config: A parsed config.
        *keys: The way in.

    Returns:
        The dict at its end; an empty one where it is absent or no dict.
    """
    for key in keys:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def _assignments(tree: ast.Module, where: str) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            raise UserError(f'{where}: line {statement.lineno} of its config is no plain assignment; it is not run')
        yield statement.targets[0].id, statement.value


def _literal(node: ast.expr, where: str) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        keys = [_literal(key, where) for key in node.keys if key is not None]
        return dict(zip(keys, (_literal(value, where) for value in node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return kind(_literal(item, where) for item in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _literal(node.operand, where)
        if isinstance(value, (int, float)):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        return _dict_call(node, where)
    if isinstance(node, ast.Name) and node.id in ('inf', 'nan'):
        return float(node.id)
    raise UserError(f'{where}: line {node.lineno} of its config holds more than literals; it is not run')


def _dict_call(node: ast.Call, where: str) -> dict:
    """``dict(a=1)`` and, for keys that are no names, ``dict({'1 a': 1})``."""
    result: dict = {}
    for argument in node.args:
        value = _literal(argument, where)
        if not isinstance(value, dict):
            raise UserError(f'{where}: line {node.lineno} of its config calls dict on something else; it is not run')
        result.update(value)
    for keyword in node.keywords:
        if keyword.arg is None:
            raise UserError(f'{where}: line {node.lineno} of its config holds more than literals; it is not run')
        result[keyword.arg] = _literal(keyword.value, where)
    return result
