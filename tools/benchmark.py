"""Measure speed and cost on this machine.

python tools/benchmark.py textures                      # LBP (8, 1) against scikit-image, and the other patterns
python tools/benchmark.py textures --threads 2 --json textures.json
python tools/benchmark.py model                         # parameters, multiply-adds and speed beside ST-GCN++
python tools/benchmark.py export CHECKPOINT              # ONNX Runtime beside torch, the same model
python tools/benchmark.py smoothing                     # what is left of a 2-pixel nod, and of the jitter
python tools/benchmark.py answer                        # events of a trained model on recordings with known movements
python tools/benchmark.py live VIDEO --minutes 30       # a file played as a stream: frames a second, latency, memory
python tools/benchmark.py page                          # size of a long answer's page, time to open and to seek
python tools/benchmark.py faithful CONFIG CHECKPOINT    # do routing and other attributions name the region that matters
python tools/benchmark.py rules --streams STREAMS.npz   # nods, head shakes and so on, on labelled recordings
python tools/benchmark.py box CHECKPOINT --clips poses/ # the model in the box on real tracks, rules beside it
python tools/benchmark.py pose VIDEO                    # against MMPoseInferencer and a plain MediaPipe loop
python tools/benchmark.py accuracy COCO.json            # ground truth through the mmpose backend
python tools/benchmark.py pose VIDEO --parts memory     # peak memory of a long video against a short one
python tools/benchmark.py loading configs/bmoe_skel_ma52.py --cfg-options dataset.data_root=data/rehearsal
python tools/benchmark.py textures --help
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import run_tool

# what is measured -> the module that measures it: add_arguments(parser) and run(arguments) -> exit code
BENCHMARKS = {
    'answer': 'benchmarks.answering',
    'faithful': 'benchmarks.faithful',
    'box': 'benchmarks.box.exam',
    'loading': 'benchmarks.loading',
    'accuracy': 'benchmarks.pose_accuracy',
    'export': 'benchmarks.export',
    'live': 'benchmarks.live',
    'model': 'benchmarks.model',
    'page': 'benchmarks.answer_page',
    'pose': 'benchmarks.extraction',
    'rules': 'benchmarks.rules',
    'smoothing': 'benchmarks.smoothing',
    'textures': 'benchmarks.textures',
}


def main() -> int:
    """Hand over to the module of the chosen benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=sorted(BENCHMARKS))
    chosen = parser.parse_args(sys.argv[1:2]).what
    module = importlib.import_module(BENCHMARKS[chosen])
    parser = argparse.ArgumentParser(prog=f'benchmark.py {chosen}', description=module.__doc__)
    module.add_arguments(parser)
    return module.run(parser.parse_args(sys.argv[2:]))


if __name__ == '__main__':
    run_tool(main)
