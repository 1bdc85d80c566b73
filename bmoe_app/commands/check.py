"""Go through a config's data before any training.

    bmoe check configs/bmoe_skel_ma52.py
    bmoe check configs/bmoe_skel_ma52.py --cfg-options dataset.data_root=data/rehearsal
    bmoe check configs/bmoe_skel.py --sheet examples.png --json check.json

Exit code: 0 nothing stands against training, 1 training would fail or its scores would mislead, 2 no such config.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config values')
    parser.add_argument('--sheet', type=Path, help='PNG file for a sheet of examples')
    parser.add_argument('--json', type=Path, help='file for the report as JSON')
    parser.add_argument('--samples', type=int, default=200, help='clips of a split that go through the pipeline')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe check', __doc__, add_arguments, argv, prog)
    if args.samples < 1:
        raise UserError(f'--samples {args.samples}: expected at least 1')
    from mmengine.registry import init_default_scope

    from bmoe_skel.check.checks import check_config
    from bmoe_skel.check.report import as_dict, as_text, draw_examples
    from mm_runtime.config import load_config, parse_cfg_options, share_dataset
    from mm_runtime.scope import complete_scope

    cfg = load_config(args.config, parse_cfg_options(args.cfg_options))
    share_dataset(cfg)
    scope = cfg.get('default_scope', 'bmoe_skel')
    init_default_scope(scope)
    complete_scope(scope)
    report = check_config(cfg, args.samples)
    print(as_text(report))
    if args.json:
        with atomic_write(args.json) as file:
            file.write((json.dumps(as_dict(report), indent=2) + '\n').encode())
    if args.sheet and report.datasets:
        draw_examples(args.sheet, report.datasets)
        print(f'examples: {args.sheet}')
    return 1 if report.failed else 0
