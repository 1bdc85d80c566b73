"""Cut the faces out of a data set of images or videos, once, before training.

    bmoe face crop downloads/Celeb-DF-v2 --out data/celebdf --max-frames 32 --margin 0.3 --size 224
    bmoe face crop photos --out crops --margin 0.27 --shift 0.2

Names stay: an image keeps its path, a video becomes a folder of its name with PNG frames, label files are copied; so
the readers take the result with media='frames'. The crops of a video follow its largest sure face without trembling. A
stopped run goes on where it was. The statuses of all runs are in crops.csv in the output folder. Exit code: 0 every
file could be read, 1 some could not be, 2 none could be.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.names import printable
from face_aux.detection import DETECTORS, CropSettings, build_detector
from face_aux.detection.source import FaceSource
from face_aux.predictions import FAILURES, count_files, exit_code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('folder', type=Path, help='folder of the set')
    parser.add_argument('--out', type=Path, required=True, help='folder for the crops')
    parser.add_argument('--detector', choices=sorted(set(DETECTORS) - {'none'}), default='mediapipe')
    parser.add_argument('--margin', type=float, default=0.3, help='widening of the face box on each side (0.3)')
    parser.add_argument('--shift', type=float, default=0.0, help='shift of the crop to the forehead (0)')
    parser.add_argument('--no-align', action='store_true', help='do not turn the eyes level')
    parser.add_argument('--size', type=int, help="side of the crops in pixels (default: each face's own)")
    parser.add_argument('--max-frames', type=int, default=32, help='frames of a video; 0 for all (default: 32)')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe face crop', __doc__, add_arguments, argv, prog)
    from face_aux.detection.cropping import crop_folder

    given = {'margin': args.margin, 'shift': args.shift, 'align': not args.no_align}
    crop = CropSettings.from_config(given, 'command line')
    source = FaceSource(build_detector(args.detector), crop, max_frames=args.max_frames)
    rows = crop_folder(source, args.folder, args.out, args.size)
    counts = count_files(rows)
    print(', '.join(f'{status}: {n}' for status, n in counts.items()) or 'nothing left to do')
    for row in rows:
        if row.status in FAILURES:
            print(printable(f'{row.status}: {row.file}: {row.message}'))
    return exit_code(counts)
