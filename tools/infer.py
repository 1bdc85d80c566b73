"""From a video to events: who did what, when, seen by which part of the body.

    python tools/infer.py videos/ --backend mediapipe                      # movement signals and events by rule
    python tools/infer.py videos/ --checkpoint best.pth --out answers/     # and what a trained model recognises
    python tools/infer.py poses/ --checkpoint best.pth --threshold 0.7     # tracks that are there already

Exit code: 0 everything was answered, 1 some could not be or was not read whole, 2 nothing could be answered.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('infer', __file__)
