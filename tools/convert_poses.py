"""Turn pose files of one kind into another.

    python tools/convert_poses.py poses/ clips.pkl                       # tracks -> pyskl, mmaction2
    python tools/convert_poses.py ntu60_hrnet.pkl poses/                 # and back, with labels in annotations.csv
    python tools/convert_poses.py MA52_train.pkl poses/ --image-size 1080 1080           # PCAN's MA-52 skeletons
    python tools/convert_poses.py data/MA52/ poses/ --from mmn --image-size 1080 1080    # MMN's
    python tools/convert_poses.py predictions/ poses/ --image-size 1080 1920 --fps 25    # MMPose's JSON files
    python tools/convert_poses.py poses/ poses17/ --layout coco17        # another keypoint layout
    python tools/convert_poses.py poses/ smooth/ --max-gap 0.1 --smooth savgol

Exit code: 0 all well, 1 some clips could not be converted, 2 nothing could be done.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('convert', __file__)
