"""Draw all keypoint layouts with their regions.

bmoe skeletons docs/images/skeletons.png
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bmoe_app.parsing import parse_arguments
from pose_extract.draw.sheet import draw_sheet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('out', help='PNG file to write')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe skeletons', __doc__, add_arguments, argv, prog)
    draw_sheet(args.out)
    print(args.out)
    return 0
