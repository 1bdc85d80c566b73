"""Time and memory of a dataset: how long its clips take to load, and what they cost with workers."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from bmoe_ground.errors import UserError
from bmoe_skel.registry import DATASETS
from mm_runtime.config import load_config, parse_cfg_options, share_dataset
from mm_runtime.scope import complete_scope

_SPLITS = ('train', 'val', 'test')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line.

    Args:
        parser: Receives the arguments.
    """
    parser.add_argument('config', nargs='?', default='configs/bmoe_skel_ma52.py', help='default: %(default)s')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE')
    parser.add_argument('--workers', type=int, default=4, help='workers of the training loader (default: %(default)s)')
    parser.add_argument('--batches', type=int, default=40, help='batches to load with them (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Load all splits of a config, then batches with workers, and print what it took.

    Args:
        args: From :func:`add_arguments`.

    Returns:
        Exit code 0.

    Raises:
        UserError: The config or its data are wrong, or the system does not tell a process's memory.
    """
    config = load_config(args.config, parse_cfg_options(args.cfg_options))
    share_dataset(config)
    init_default_scope(config.default_scope)
    complete_scope(config.default_scope)
    empty = process_memory(os.getpid())
    peak = _Peak()
    started, started_cpu = time.perf_counter(), time.process_time()
    datasets = {split: DATASETS.build(config[f'{split}_dataloader'].dataset) for split in _SPLITS}
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    clips = sum(len(dataset) for dataset in datasets.values())
    loader_config: dict[str, Any] = {
        **config.train_dataloader,
        'dataset': datasets['train'],
        'num_workers': args.workers,
    }
    loader_config['persistent_workers'] = args.workers > 0
    loader = Runner.build_dataloader(loader_config, seed=0)
    started, loaded = time.perf_counter(), 0
    for batch, _ in zip(loader, range(args.batches), strict=False):
        loaded += len(batch['data_samples'])
    rate = loaded / (time.perf_counter() - started)
    peak.stop()
    result = {
        'clips': clips,
        'load_s': round(seconds, 2),
        'load_cpu_s': round(cpu, 2),
        'clips_per_s_with_workers': round(rate, 1),
        'workers': args.workers,
        'memory_before_mb': round(empty / 1e6),
        'peak_of_all_processes_mb': round(peak.highest / 1e6),
    }
    print(json.dumps(result, indent=2))
    return 0


def process_memory(pid: int) -> int:
    """A process's proportional share of memory: pages that several processes share count once in their sum.

    Args:
        pid: Of the process.

    Returns:
        Bytes; 0 where the process has ended.

    Raises:
        UserError: The system does not tell (Linux does).
    """
    try:
        for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError) as error:
        if not Path('/proc/self/smaps_rollup').exists():
            raise UserError('memory of processes is measured on Linux only (/proc/<pid>/smaps_rollup)') from error
    return 0


class _Peak:
    """Watches this process and its children from a thread."""

    def __init__(self) -> None:
        self.highest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self.highest = max(self.highest, sum(process_memory(pid) for pid in [os.getpid(), *_children()]))

    def stop(self) -> None:
        self._done.set()
        self._thread.join()


def _children() -> list[int]:
    found = []
    for task in Path('/proc/self/task').iterdir():
        try:
            found += [int(pid) for pid in (task / 'children').read_text().split()]
        except FileNotFoundError:  # a thread that has just ended
            continue
    return found
