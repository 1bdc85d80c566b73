"""What a run says of itself: at its beginning what it works on, at its end the command that follows."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

from mm_runtime.best import BEST, best_checkpoint

_SHOWN_CLASSES = 8
# what the installed command calls a tool by
_COMMANDS = {'train': 'train', 'test': 'test', 'infer': 'infer', 'predict_faces': 'face predict'}


def opening_lines(runner: Runner, loaders: Mapping[str, Any]) -> list[str]:
    """Say what a training works on.

    Args:
        runner: The runner, its model built.
        loaders: Data loaders by the config's key, such as ``train_dataloader``.

    Returns:
        Samples of each split and the classes; then model, parameters, device, epochs and steps; then what the dataset
        says of itself (its ``notes()``, if it has any) and what :func:`poor_splits` says.
    """
    dataset = loaders['train_dataloader'].dataset
    unit = getattr(dataset, 'unit', 'samples')
    splits = [f'{key.partition("_")[0]} {len(loader.dataset):,}' for key, loader in loaders.items()]
    model = runner.model.module if hasattr(runner.model, 'module') else runner.model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    device = next(model.parameters()).device
    return [
        f'data: {unit} {", ".join(splits)}; {_describe_classes(dataset.metainfo)}',
        f'model: {type(model).__name__}, {parameters / 1e6:.2f} M parameters, on {device}; '
        f'{runner.max_epochs} epochs of {len(loaders["train_dataloader"])} steps',
        *(dataset.notes() if hasattr(dataset, 'notes') else ()),
        *poor_splits(loaders),
    ]


def poor_splits(loaders: Mapping[str, Any]) -> list[str]:
    """Say which splits show too few of the classes for their scores to mean much.

    Args:
        loaders: Data loaders by the config's key. Their data's ``metainfo['class_counts']`` is (C,) counts beside
            ``classes``, or a dict of task to class name to count.

    Returns:
        A line for each split that shows fewer than two classes of a task; for the training's, also for the classes
        that it does not show. That it shows one class only is left to the model, which refuses it.

    Example:
        >>> data = SimpleNamespace(metainfo={'class_counts': {'age': {'old': 4, 'young': 0}}})
        >>> poor_splits({'val_dataloader': SimpleNamespace(dataset=data)})
        ['note: val has samples of one class only (age: old); its scores say nothing of the others']
    """
    lines = []
    for key, loader in loaders.items():
        split, unit = key.partition('_')[0], getattr(loader.dataset, 'unit', 'samples')
        one, none, absent = [], [], []
        for task, counts in _class_counts(loader.dataset.metainfo).items():
            of = f'{task}: ' if task else ''
            present = [name for name, count in counts.items() if count]
            if len(present) >= min(2, len(counts)):
                absent += [f'{of}{name}' for name, count in counts.items() if not count]
            elif present:
                one.append(of + present[0])
            else:
                none.append(task)
        if one:
            end = 'they are not learned' if split == 'train' else 'its scores say nothing of the others'
            lines.append(f'note: {split} has {unit} of one class only ({_some(one)}); {end}')
        if none:
            of = f' of {_some(none)}' if any(none) else ''
            lines.append(f'note: {split} has {unit} of no class{of}; its scores say nothing of the others')
        if absent and split == 'train':
            lines.append(f'note: train has no {unit} of {_some(absent)}; what is not shown is not learned')
    return lines


def _class_counts(metainfo: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Counts by class by task; the one task of clips is called ''."""
    counts = metainfo.get('class_counts')
    if counts is None or metainfo.get('multi_label'):
        return {}
    if isinstance(counts, Mapping):
        return {task: dict(of_task) for task, of_task in counts.items()}
    return {'': dict(zip(map(str, metainfo['classes']), counts, strict=True))}


def _some(names: Sequence[str]) -> str:
    rest = f' and {len(names) - _SHOWN_CLASSES} more' if len(names) > _SHOWN_CLASSES else ''
    return ', '.join(names[:_SHOWN_CLASSES]) + rest


def _describe_classes(metainfo: Mapping[str, Any]) -> str:
    tasks = metainfo.get('tasks') or {'': {'classes': metainfo.get('classes') or ()}}
    texts = []
    for name, task in tasks.items():
        classes = list(map(str, task['classes']))
        texts.append(f'{name + ": " if name else ""}{len(classes)} classes ({_some(classes)})')
    return '; '.join(texts)


def after_training(
    runner: Runner, config: str, work_dir: str, named_work_dir: bool, options: Sequence[str] | None
) -> str | None:
    """Name the command that tests what was trained.

    Args:
        runner: The runner that trained.
        config: The config as it was given.
        work_dir: The work folder.
        named_work_dir: Whether the folder was chosen on the command line.
        options: The ``--cfg-options`` that were given.

    Returns:
        The command, or None where the run left no checkpoint.
    """
    work = Path(work_dir)
    best, last = best_checkpoint(runner), work / 'last_checkpoint'
    if best is not None:
        checkpoint = str(work / BEST) if (work / BEST).is_file() else best
    elif last.is_file():
        checkpoint = last.read_text().strip()
    else:
        return None
    words = [config, checkpoint]
    words += ['--work-dir', work_dir] if named_work_dir else []
    words += ['--cfg-options', *options] if options else []
    return _command('test') + shlex.join(words)


def after_test(template: str | None, checkpoint: str) -> str | None:
    """Name the command that uses what was tested.

    Args:
        template: A config's ``after_test``: a tool and its arguments, ``{checkpoint}`` among them.
        checkpoint: The checkpoint that was tested.

    Returns:
        The command, or None without a template.
    """
    if not template:
        return None
    tool, _, arguments = template.partition(' ')
    return _command(tool.removesuffix('.py')) + arguments.replace('{checkpoint}', shlex.quote(checkpoint))


def _command(tool: str) -> str:
    """How to call a tool, as the running one was called: a script beside it, or the installed command."""
    running = Path(sys.argv[0])
    if running.suffix == '.py' and running.with_name(f'{tool}.py').is_file():
        return f'python {shlex.quote(str(running.with_name(f"{tool}.py")))} '
    if running.name == 'bmoe':
        return f'bmoe {_COMMANDS[tool]} '
    return f'python tools/{tool}.py '
