"""Draw all keypoint layouts with their regions.

python tools/show_skeletons.py docs/images/skeletons.png
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('skeletons', __file__)
