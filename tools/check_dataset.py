"""Go through a config's data before any training.

    python tools/check_dataset.py configs/bmoe_skel_ma52.py
    python tools/check_dataset.py configs/bmoe_skel_ma52.py --cfg-options dataset.data_root=data/rehearsal
    python tools/check_dataset.py configs/bmoe_skel.py --sheet examples.png --json check.json

Exit code: 0 nothing stands against training, 1 training would fail or its scores would mislead, 2 no such config.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('check', __file__)
