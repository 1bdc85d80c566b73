"""Export a trained checkpoint to a file that runs without this project: ONNX, or a program of torch.export.

    bmoe export work_dirs/bmoe_skel/best.pth --out model.onnx
    bmoe export best.pth --out model.pt2
    bmoe export work_dirs/utkface/best.pth --out face.onnx

A skeleton model takes raw keypoints (its preprocessing is inside), a face model the pixels of a face; model.onnx.json
says what goes in and comes out. The file is written only if it answers as the model in torch does, within 1e-4.

Exit code: 0 written, 2 not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('checkpoint', type=Path, help='checkpoint of bmoe train, of skeletons or of faces')
    parser.add_argument('--out', type=Path, default=Path('model.onnx'), help='file to write (default: %(default)s)')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe export', __doc__, add_arguments, argv, prog)
    if args.out.suffix not in ('.onnx', '.pt2'):
        raise UserError(f'--out: must end in .onnx or .pt2, got {args.out}')
    if _is_face(args.checkpoint):
        from face_aux.export import export_face_model

        if args.out.suffix != '.onnx':
            raise UserError(f'--out: a face model goes to .onnx, got {args.out}')
        difference = export_face_model(args.checkpoint, args.out)
    else:
        from bmoe_skel.export.recognizer import export_recognizer

        difference = export_recognizer(args.checkpoint, args.out)
    size = args.out.stat().st_size / 1e6
    print(f'{args.out}: {size:.1f} MB, differs from torch by at most {difference:.0e}')
    return 0


def _is_face(checkpoint: Path) -> bool:
    """Whether a checkpoint says that its data had tasks, as those of faces do."""
    from mm_runtime.checkpoint import load_checkpoint

    meta = load_checkpoint(checkpoint).get('meta') or {}
    described = meta.get('dataset_meta')
    return isinstance(described, dict) and 'tasks' in described
