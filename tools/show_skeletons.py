"""Draw all keypoint layouts with their regions.

python tools/show_skeletons.py docs/images/skeletons.png
"""

from __future__ import annotations

import argparse

from mm_runtime.errors import run_tool
from pose_extract.sheet import draw_sheet


def main() -> None:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='PNG file to write')
    draw_sheet(parser.parse_args().out)


if __name__ == '__main__':
    run_tool(main)
