"""Rewrite the tables in docs/ that follow from the code, after a keypoint layout or a texture descriptor was added.

python tools/write_pages.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pages import write_pages
from bmoe_ground.errors import run_tool


def main() -> None:
    """Run the tool."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    changed = write_pages(Path(__file__).resolve().parents[1] / 'docs')
    print('\n'.join(f'rewritten: {page}' for page in changed) or 'all tables are as the code has them')


if __name__ == '__main__':
    run_tool(main)
