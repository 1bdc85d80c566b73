"""Predict faces in images and videos with a trained model.

    python tools/predict_faces.py photos/ --checkpoint work_dirs/utkface/best.pth --out faces.csv
    python tools/predict_faces.py a.jpg b.png clip.mp4 --checkpoint model.pth --out faces.json --faces all
    python tools/predict_faces.py crops/ --checkpoint model.pth --out faces.csv --detector none
    python tools/predict_faces.py clip.mp4 --checkpoint fake.pth --out scores.csv --max-frames 0

Every file gets at least one row with a status: ok, no face, unreadable, missing, or skipped (a file in a folder that is
neither image nor video). A video gets a row for each frame taken and one for the whole. Exit code 0 when every file
could be read, 1 when some could not, 2 for wrong arguments or an unfit checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import UserError, run_tool
from bmoe_ground.names import printable
from face_aux.checkpoint import load_face_model
from face_aux.detection import DETECTORS, CropSettings, build_detector
from face_aux.detection.source import FACES
from face_aux.inferencer import FaceInferencer
from face_aux.predictions import FAILURES, SKIPPED, check_output, count_files, write_predictions


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', metavar='IMAGE|VIDEO|FOLDER', help='folders are searched for both')
    parser.add_argument('--checkpoint', required=True, help='checkpoint of tools/train.py')
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
    return parser.parse_args()


def read_label_map(path: str | None) -> dict[str, list[str]] | None:
    """Read ``{"gender": ["male", "female"]}``."""
    if path is None:
        return None
    try:
        label_map = json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UserError(f'--label-map {path}: {error}') from error
    if not isinstance(label_map, dict) or not all(isinstance(names, list) for names in label_map.values()):
        raise UserError(f'--label-map {path}: expected an object of lists, such as {{"gender": ["male", "female"]}}')
    return label_map


def pick_device(name: str) -> torch.device:
    """The device to run on."""
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f'--device {name}: not usable here ({str(error).splitlines()[0]})') from error
    return device


def main() -> int:
    """Predict, write, and say how it went."""
    args = parse_args()
    check_output(args.out)
    model = load_face_model(args.checkpoint, pick_device(args.device), read_label_map(args.label_map))
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
    return int(any(counts.get(status) for status in FAILURES))


if __name__ == '__main__':
    run_tool(main)
