"""Export a trained checkpoint to a file that runs without this project: ONNX, or a program of torch.export.

    python tools/export.py work_dirs/bmoe_skel/best.pth --out model.onnx
    python tools/export.py work_dirs/utkface/best.pth --out face.onnx

Exit code: 0 written, 2 not.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_app.cli import run_door

if __name__ == '__main__':
    run_door('export', __file__)
