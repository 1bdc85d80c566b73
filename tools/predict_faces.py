"""Predict faces in images and videos with a trained model.

    python tools/predict_faces.py photos/ --checkpoint work_dirs/utkface/best.pth --out faces.csv
    python tools/predict_faces.py a.jpg b.png clip.mp4 --checkpoint model.pth --out faces.json --faces all
    python tools/predict_faces.py crops/ --checkpoint model.pth --out faces.csv --detector none
    python tools/predict_faces.py clip.mp4 --checkpoint fake.pth --out scores.csv --max-frames 0

Every file gets at least one row with a status: ok, no face, unreadable, missing, failed (the model gave NaN), or
skipped (a file in a folder that is neither image nor video). A video gets a row for each frame taken and one for the
whole. Exit code: 0 every file could be read, 1 some could not be, 2 none could be, or arguments or checkpoint are
unfit.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('face predict', __file__)
