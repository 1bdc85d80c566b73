"""Label track files with a trained checkpoint: what each person did, when, and which part of the body gave it away.

python tools/predict.py work_dirs/bmoe_skel/best.pth poses/
python tools/predict.py best.pth poses/nod/clip.mp4.npz --window 2 --stride 0.5 --out answers.json
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('predict', __file__)
