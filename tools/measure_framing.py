"""Find the face_crop settings that cut faces as a training set has them, and compare the detectors on it.

    python tools/measure_framing.py data/utkface
    python tools/measure_framing.py data/real_or_fake --detectors mediapipe haar --images 400 --seed 1

Put the printed margin and shift into the config, face_crop = dict(margin=..., shift=...), and tools/predict_faces.py
will frame the faces it finds like the ones the model was trained on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.framing import measure_framing
from bmoe_ground.errors import UserError, run_tool
from bmoe_ground.media import media_of
from face_aux.detection import DETECTORS, build_detector


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='folder of face images')
    parser.add_argument('--detectors', nargs='+', choices=sorted(set(DETECTORS) - {'none'}), default=['mediapipe'])
    parser.add_argument('--images', type=int, default=200, help='how many to look at (default: 200)')
    parser.add_argument('--seed', type=int, default=0, help='which ones (default: 0)')
    args = parser.parse_args()
    paths = sorted(path for path in args.folder.rglob('*') if media_of(path) == 'image')
    if not paths:
        raise UserError(f'{args.folder}: no images in it')
    chosen = np.random.default_rng(args.seed).permutation(len(paths))[: args.images]
    for name in args.detectors:
        result = measure_framing(build_detector(name), [paths[i] for i in sorted(chosen)])
        margin, shift = ('-' if v is None else f'{v:.2f}' for v in (result.margin, result.shift))
        print(
            f'{name}: face in {result.found} of {result.images} images, several in {result.several}; '
            f'margin {margin}, shift {shift}; {result.milliseconds:.1f} ms'
        )
    return 0


if __name__ == '__main__':
    run_tool(main)
