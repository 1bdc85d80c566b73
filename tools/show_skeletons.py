"""Draw all keypoint layouts with their regions.

python tools/show_skeletons.py docs/images/skeletons.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import run_tool
from pose_extract.draw.sheet import draw_sheet


def main() -> None:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='PNG file to write')
    draw_sheet(parser.parse_args().out)


if __name__ == '__main__':
    run_tool(main)
