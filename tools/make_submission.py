"""Write the submission file of MA-52's challenge from predictions.

    python tools/test.py configs/bmoe_skel_ma52.py work_dirs/bmoe_skel_ma52/best.pth --dump test.pkl
    python tools/make_submission.py test.pkl submission.zip --list data/ma52/test_list_videos.txt
    python tools/make_submission.py scores.npz submission.zip --list data/ma52/test_list_videos.txt
    python tools/make_submission.py test.pkl submission.zip --list data/ma52/test_list_videos.txt --body own

scores.npz holds `scores` (N, 52), in the list's order or with `names` (N,), and perhaps `body_scores` (N, 7).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('submit', __file__)
