"""Predict faces in images and videos with a trained model.

    bmoe face predict photos/ --checkpoint work_dirs/utkface/best.pth --out faces.csv
    bmoe face predict a.jpg b.png clip.mp4 --checkpoint model.pth --out faces.json --faces all
    bmoe face predict crops/ --checkpoint model.pth --out faces.csv --detector none
    bmoe face predict clip.mp4 --checkpoint fake.pth --out scores.csv --max-frames 0

Every file gets at least one row with a status: ok, no face, unreadable, missing, failed (the model gave NaN), or
skipped (a file in a folder that is neither image nor video). A video gets a row for each frame taken and one for the
whole. Exit code: 0 every file could be read, 1 some could not be, 2 none could be, or arguments or checkpoint are
unfit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.device import choose_device
from bmoe_ground.errors import UserError
from bmoe_ground.names import printable
from face_aux.detection import DETECTORS, CropSettings, build_detector
from face_aux.detection.source import FACES
from face_aux.predictions import FAILURES, SKIPPED, check_output, count_files, exit_code, write_predictions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('inputs', nargs='+', metavar='IMAGE|VIDEO|FOLDER', help='folders are searched for both')
    parser.add_argument('--checkpoint', required=True, help='checkpoint of bmoe train')
    parser.add_argument('--out', required=True, help='.csv or .json file to write')
    parser.add_argument('--detector', choices=sorted(DETECTORS), default='mediapipe', help='none: face crops already')
    parser.add_argument('--faces', choices=FACES, default='surest', help='the surest (= largest, an older name) or all')
    parser.add_argument('--margin', type=float, help="widening of the face box (default: the checkpoint's)")
    parser.add_argument('--shift', type=float, help="shift of the crop to the forehead (default: the checkpoint's)")
    parser.add_argument('--no-align', action='store_true', help='do not turn the eyes level')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument(
        '--max-frames', type=int, default=32, help='frames or clips of a video; 0 for all (default: 32)'
    )
    parser.add_argument('--label-map', metavar='FILE.json', help='task to class names that the checkpoint must have')
    parser.add_argument('--device', default='auto', help='cpu, cuda, cuda:1, ... (default: a GPU if there is one)')


def read_label_map(path: str | None) -> dict[str, list[str]] | None:
    """Read ``{"gender": ["male", "female"]}``."""
    if path is None:
        return None
    try:
        label_map = json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'--label-map {path}: {error}') from error
    lists = list(label_map.values()) if isinstance(label_map, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise UserError(f'--label-map {path}: expected an object of lists, such as {{"gender": ["male", "female"]}}')
    return label_map


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe face predict', __doc__, add_arguments, argv, prog)
    check_output(args.out)
    from face_aux.checkpoint import load_face_model
    from face_aux.inferencer import FaceInferencer

    model = load_face_model(args.checkpoint, choose_device(args.device), read_label_map(args.label_map))
    chosen = {'margin': args.margin, 'shift': args.shift, 'align': False if args.no_align else None}
    given = {key: value for key, value in chosen.items() if value is not None}
    crop = CropSettings.from_config({**model.crop, **given}, args.checkpoint)
    inferencer = FaceInferencer(
        model, build_detector(args.detector), crop, args.faces, args.batch_size, args.max_frames
    )
    rows = inferencer.predict(args.inputs)
    settings = {'checkpoint': args.checkpoint, 'detector': args.detector, 'faces': args.faces, 'crop': vars(crop),
                'max_frames': args.max_frames}  # fmt: skip
    write_predictions(args.out, rows, model.tasks, settings)
    counts = count_files(rows)
    print(', '.join(f'{status}: {n}' for status, n in counts.items()) or 'no files')
    for row in rows:
        if row.status in (*FAILURES, SKIPPED):
            print(printable(f'{row.status}: {row.file}: {row.message}'))
    print(f'written to {args.out}')
    return exit_code(counts)
