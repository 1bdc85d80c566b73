"""Test a trained model: prints its metrics and writes them to metrics.json in the work folder.

python tools/test.py configs/bmoe_skel.py work_dirs/bmoe_skel/best.pth
python tools/test.py configs/bmoe_skel.py work_dirs/bmoe_skel/best.pth --dump predictions.pkl
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('test', __file__)
