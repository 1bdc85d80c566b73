"""Movement signals and rule events of track files, without a model: head angles, lean, hands, nods and so on.

    python tools/signals.py poses/ --out signals/
    python tools/signals.py poses/nod/clip.mp4.npz --out signals/ --min-score 0.5

Exit code: 0 every file was done, 1 some could not be, 2 none could be.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('signals', __file__)
