"""A page in the browser of this computer: drop videos, see who did what and when.

    python tools/app.py
    python tools/app.py --folder videos/

Exit code: 0 it was ended, 2 it could not begin.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('app', __file__)
