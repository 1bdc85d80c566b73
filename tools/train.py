"""Train a model from a config.

python tools/train.py configs/bmoe_skel.py
python tools/train.py configs/bmoe_skel.py --work-dir work_dirs/mine --resume auto
torchrun --nproc-per-node 8 tools/train.py configs/bmoe_skel.py --launcher pytorch
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('train', __file__)
