"""The command line of training and testing, for every model of this project.

A model class may define ``complete_config(model, metainfo)``: it fills what the config leaves as None (class count,
skeleton, ...) from the dataset's metainfo, and raises :class:`UserError` where the two contradict each other.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from bmoe_ground.import_cures import apply_import_cures
from mm_runtime import best, determinism, early_stop, optim, progress  # noqa: F401  (registers the hooks)
from mm_runtime.announce import after_test, after_training, opening_lines
from mm_runtime.building import build_loader, build_runner, complete_model, start_processes
from mm_runtime.checkpoint import load_checkpoint, register_safe_loader
from mm_runtime.config import (
    drop_empty_schedules,
    load_config,
    parse_cfg_options,
    set_epochs,
    share_dataset,
)
from mm_runtime.config_format import apply_format_cure
from mm_runtime.console import say_once
from mm_runtime.curves import drop_tensorboard, settle_tensorboard
from mm_runtime.dump import PlainDump
from mm_runtime.finite_loss import FiniteLossHook
from mm_runtime.metric import name_source
from mm_runtime.parsers import test_parser, train_parser
from mm_runtime.scope import complete_scope
from mm_runtime.small import keep_small_batch
from mm_runtime.stop_signals import StopHook, TrainingStopped, stop_on_signals
from mm_runtime.suggest import named_mistakes
from mm_runtime.whole_checkpoints import MakeUpValidationHook, write_whole
from mm_runtime.work_folder import (
    find_resume,
    numbered_checkpoints,
    own_folder,
    remove_checkpoints,
    said_when_full,
    stop_when_log_is_full,
)

# facts of the clips at hand, not of what they look like or mean
_OF_ONE_SPLIT = ('class_counts', 'clips_digest', 'clip_seconds', 'rgb_crops')


def _prepare(args: argparse.Namespace) -> Config:
    apply_import_cures()
    apply_format_cure()
    say_once.cache_clear()
    # configs are written for larger machines than one may have at hand, and more workers than cores do no harm
    warnings.filterwarnings('ignore', message='This DataLoader will create')
    register_safe_loader()
    options = parse_cfg_options(args.cfg_options)
    if args.split_by:
        options['dataset.split_by'] = args.split_by
    if getattr(args, 'from_box', False):
        chosen = options.get('preset') or []
        options['preset'] = [*([chosen] if isinstance(chosen, str) else chosen), 'from_box']
    cfg = load_config(args.config, options)
    share_dataset(cfg)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs') / _run_name(args.config, cfg))
    try:
        Path(cfg.work_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f'cannot make the work folder {cfg.work_dir}: {error.strerror}') from error
    cfg.launcher = args.launcher
    randomness = dict(cfg.get('randomness') or {})
    randomness['seed'] = args.seed if args.seed is not None else randomness.get('seed') or 0
    randomness['deterministic'] = args.deterministic or randomness.get('deterministic', False)
    cfg.randomness = randomness
    scope = cfg.get('default_scope', 'mmengine')
    init_default_scope(scope)
    complete_scope(scope)
    start_processes(cfg)
    set_random_seed(**randomness)
    return cfg


def _run_name(config: str, cfg: Config) -> str:
    """The config's name, and the presets applied to it."""
    chosen = cfg.get('preset') or []
    return '_'.join([Path(config).stem, *([chosen] if isinstance(chosen, str) else chosen)])


def train_main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Train a model from a config.

    Args:
        argv: Arguments without the program's name; the process's own if None.
        prog: How the user called it, for help and errors.

    Returns:
        Exit code 0.

    Raises:
        UserError: Config, data, checkpoint or options are wrong, the folder holds an earlier training or another one
            works in it, or a file cannot be written.
        TrainingStopped: SIGTERM or SIGINT came; a ``SystemExit`` with code 143 or 130.
    """
    args = train_parser(prog).parse_args(argv)
    hook = StopHook()
    with stop_on_signals(hook):
        cfg = _prepare(args)
        _apply_options(cfg, args)
        folder = Path(cfg.work_dir)
        try:
            with said_when_full(folder), own_folder(folder):
                _train(cfg, args, hook)
        except (TrainingStopped, Exception):
            if hook.asked is None:
                raise
            # a library that catches everything may have made another error of the stop
            stopped = TrainingStopped(hook.asked)
            if is_main_process():
                saved = [path.name for path in numbered_checkpoints(folder)][:1]
                print(f'stopped by {stopped.name}; saved: {saved[0] if saved else "nothing yet"}. '
                      'The same command with --resume goes on', file=sys.stderr)  # fmt: skip
            raise stopped from None
    return 0


def _apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Change a config as the options of a training say."""
    if args.epochs is not None:
        set_epochs(cfg, args.epochs)
    if args.amp:
        wrapper = 'AmpOptimWrapper' if torch.cuda.is_available() else 'CpuAmpOptimWrapper'
        cfg.optim_wrapper.type = wrapper
        if wrapper == 'AmpOptimWrapper':
            cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.auto_scale_lr:
        if not (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
            raise UserError(f'--auto-scale-lr: {args.config} has no auto_scale_lr.base_batch_size to scale from')
        cfg.auto_scale_lr.enable = True
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    settle_tensorboard(cfg)


def _train(cfg: Config, args: argparse.Namespace, stop: StopHook) -> None:
    """Train in a folder that is this process's alone."""
    resumed = find_resume(args.resume, Path(cfg.work_dir), args.overwrite)
    loaders = {'train_dataloader': build_loader(cfg, 'train_dataloader')}
    small = keep_small_batch(cfg, len(loaders['train_dataloader'].dataset))
    if small is not None and not len(loaders['train_dataloader']):
        loaders['train_dataloader'] = build_loader(cfg, 'train_dataloader')
    if cfg.get('val_dataloader'):
        loaders['val_dataloader'] = build_loader(cfg, 'val_dataloader')
    late = drop_empty_schedules(cfg, len(loaders['train_dataloader']))
    metainfo = loaders['train_dataloader'].dataset.metainfo
    complete_model(cfg.model, metainfo)
    if resumed:
        check_same_data(resumed[1], metainfo, resumed[0])
    cfg.resume, cfg.load_from = bool(resumed), resumed[0] if resumed else cfg.get('load_from')
    # testing is another command; a runner that trains does not need its loader
    cfg_train = cfg.copy()
    for key in ('test_dataloader', 'test_cfg', 'test_evaluator'):
        cfg_train.pop(key, None)
    write_whole(cfg_train)
    runner = build_runner(cfg_train, loaders)
    runner.cfg = cfg
    stop_when_log_is_full(runner)
    runner.register_hook(FiniteLossHook())
    runner.register_hook(MakeUpValidationHook())
    runner.register_hook(stop)
    if is_main_process():
        print('\n'.join([*opening_lines(runner, loaders), *([small] if small else []), *late]), flush=True)
    if args.overwrite:  # only now, when nothing but the training itself can fail
        remove_checkpoints(Path(cfg.work_dir), resumed[1] if resumed else None)
    with named_mistakes(str(cfg.filename), anywhere=False):  # schedules and optimizer are built only now
        runner.train()
    _print_next(after_training(runner, args.config, cfg.work_dir, args.work_dir is not None, args.cfg_options))


def _print_next(command: str | None) -> None:
    if command is not None and is_main_process():
        print(f'next: {command}')


def check_same_data(checkpoint: dict[str, Any], metainfo: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Refuse a checkpoint whose classes, skeleton or other described data differ from the dataset's.

    Args:
        checkpoint: A loaded checkpoint.
        metainfo: The dataset's metainfo.
        path: The checkpoint's path, for the error.

    Raises:
        UserError: A key that both describe differs.
    """
    trained_on = checkpoint.get('meta', {}).get('dataset_meta') or {}
    for key, ours in metainfo.items():
        if key not in trained_on or key in _OF_ONE_SPLIT:
            continue
        theirs = trained_on[key]
        if json.dumps(ours, default=str) != json.dumps(theirs, default=str):
            raise UserError(
                f'checkpoint {path} was trained with {key} = {_short(theirs)}, the data has {key} = {_short(ours)}'
            )


def _short(value: Any) -> str:
    text = repr(value)
    count = f' ({len(value)} in all)' if isinstance(value, (list, tuple, dict)) else ''
    return (text if len(text) <= 120 else text[:117] + '...') + count


def test_main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Test a checkpoint, print its metrics and write them to ``metrics.json`` in the work folder.

    Args:
        argv: Arguments without the program's name; the process's own if None.
        prog: How the user called it, for help and errors.

    Returns:
        Exit code 0.

    Raises:
        UserError: Config, data, checkpoint or options are wrong.
    """
    args = test_parser(prog).parse_args(argv)
    checkpoint = load_checkpoint(args.checkpoint)
    cfg = _prepare(args)
    loader = build_loader(cfg, 'test_dataloader')
    metainfo = loader.dataset.metainfo
    check_same_data(checkpoint, metainfo, args.checkpoint)
    complete_model(cfg.model, checkpoint.get('meta', {}).get('dataset_meta') or metainfo)
    cfg.load_from, cfg.resume = None, False
    drop_tensorboard(cfg)  # curves are of training
    cfg_test = cfg.copy()
    for key in ('train_dataloader', 'val_dataloader', 'train_cfg', 'val_cfg', 'val_evaluator', 'optim_wrapper',
                'param_scheduler', 'auto_scale_lr'):  # fmt: skip
        cfg_test.pop(key, None)
    # hooks of training (EMA, early stopping) have nothing to do in a test; the checkpoint's weights are final
    hooks = [hook for hook in cfg.get('custom_hooks') or [] if hook['type'] not in ('EMAHook', 'EarlyStoppingHook')]
    cfg_test.custom_hooks = hooks
    runner = build_runner(cfg_test, {'test_dataloader': loader})
    _load_weights(runner.model, checkpoint, args.checkpoint)
    trained_on = checkpoint.get('meta', {}).get('dataset_meta') or {}
    runner.message_hub.update_info_dict({'checkpoint': str(args.checkpoint), 'trained_on': trained_on})  # for reports
    if args.dump:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise UserError(f'--dump {args.dump}: expected a name that ends in .pkl')
        runner.test_evaluator.metrics.append(PlainDump(out_file_path=args.dump))
    with named_mistakes(str(cfg.filename), anywhere=False):  # the metrics are built only now
        name_source(runner.test_evaluator, f'checkpoint {args.checkpoint}')
        metrics = runner.test()
    if is_main_process():
        write_metrics(metrics, Path(cfg.work_dir) / 'metrics.json')
    _print_next(after_test(cfg.get('after_test'), args.checkpoint))
    return 0


def _load_weights(model: torch.nn.Module, checkpoint: dict[str, Any], path: str) -> None:
    module: Any = model.module if is_model_wrapper(model) else model
    try:
        module.load_state_dict(checkpoint['state_dict'], strict=True)
    except RuntimeError as error:
        raise UserError(f"checkpoint {path} does not fit the config's model: {error}") from error


def write_metrics(metrics: dict[str, Any], path: Path) -> None:
    """Print metrics as a table and write them as JSON, whole or not at all.

    Args:
        metrics: Name to number, or to a nested dict, list or string that JSON can hold.
        path: The file to write.

    Raises:
        UserError: The file cannot be written.
    """
    numbers = {key: value for key, value in metrics.items() if isinstance(value, (int, float))}
    width = max((len(key) for key in numbers), default=0)
    for key, value in numbers.items():
        print(f'{key:<{width}}  {value:.4f}' if isinstance(value, float) else f'{key:<{width}}  {value}')
    plain = {key: None if isinstance(value, float) and not math.isfinite(value) else value
             for key, value in metrics.items()}  # fmt: skip
    with atomic_write(path) as file:
        file.write((json.dumps(plain, indent=2, default=float) + '\n').encode())
    print(f'written to {path}')
