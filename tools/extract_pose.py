"""Extract keypoint tracks from videos.

    python tools/extract_pose.py videos/                                     # tracks into poses/, MMPose wholebody
    python tools/extract_pose.py videos/ --out poses/ --backend mediapipe    # needs no download
    python tools/extract_pose.py videos/ --model body17 --jobs 2
    python tools/extract_pose.py videos/ --config CONFIG.py --checkpoint WEIGHTS.pth --whole-frame
    torchrun --nproc-per-node 4 tools/extract_pose.py videos/                # one share per GPU; srun works too

Each video becomes <out>/<its path below the input folder>.npz, and <out>/manifest.json lists them all. Started
again, it does only what is missing. Exit code: 0 all well, 1 some videos have a problem (see the manifest), 2 nothing
could be done.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('extract', __file__)
