"""Draw tracks over their video, and a contact sheet of them.

python tools/show_poses.py poses/clip.mp4.npz videos/clip.mp4        # look/clip.mp4 and look/clip.png
python tools/show_poses.py poses/clip.mp4.npz --out look/            # without the video: on a plain background
python tools/show_poses.py poses/clip.mp4.npz videos/clip.mp4 --pictures 24 --min-score 0.3
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('show', __file__)
