"""Run a list of commands, several at a time and each once, whatever is killed.

python tools/run_queue.py trainings.yaml --folder runs/queue --processes 2
python tools/run_queue.py trainings.yaml --folder runs/queue --list      # what is done and left
python tools/run_queue.py trainings.yaml --folder runs/queue --retry     # what failed too
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.run_queue import add_arguments, run
from bmoe_ground.errors import run_tool


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == '__main__':
    run_tool(main)
