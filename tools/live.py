"""What people do while a camera, a file or a stream runs: a line for each event as it closes.

    python tools/live.py --source 0 --backend mediapipe
    python tools/live.py --source talk.mp4 --json events.jsonl

Exit code: 0 it ended or was ended, 1 it broke off on the way, 2 no picture came.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('live', __file__)
