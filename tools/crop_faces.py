"""Cut the faces out of a data set of images or videos, once, before training.

    python tools/crop_faces.py downloads/Celeb-DF-v2 --out data/celebdf --max-frames 32 --margin 0.3 --size 224
    python tools/crop_faces.py photos --out crops --margin 0.27 --shift 0.2

Names stay: an image keeps its path, a video becomes a folder of its name with PNG frames, label files are copied; so
the readers take the result with media='frames'. The crops of a video follow its largest sure face without trembling.
A stopped run goes on where it was. The statuses of all runs are in crops.csv in the output folder. Exit code 0 when
every file could be read, 1 when some could not.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('face crop', __file__)
