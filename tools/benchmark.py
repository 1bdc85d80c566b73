"""Measure speed and cost on this machine.

python tools/benchmark.py textures                      # LBP (8, 1) against scikit-image, and the other patterns
python tools/benchmark.py textures --threads 2 --json textures.json
python tools/benchmark.py face-floor configs/face_aux/utkface.py   # HOG + logistic regression on a face config's data
python tools/benchmark.py face-descriptors configs/face_aux/utkface.py   # which descriptors tell, by cross-validation
python tools/benchmark.py face-robust CONFIG CHECKPOINT --out robust  # compressed, reduced, blurred, framed otherwise
python tools/benchmark.py face-curves --data utkface=data/utkface --out work_dirs/curves  # few labels, many faces
python tools/benchmark.py predictable data/utkface      # how much of a hidden patch its neighbours tell, by target
python tools/benchmark.py model                         # parameters, multiply-adds and speed beside ST-GCN++
python tools/benchmark.py export CHECKPOINT              # ONNX Runtime beside torch, the same model
python tools/benchmark.py smoothing                     # what is left of a 2-pixel nod, and of the jitter
python tools/benchmark.py answer                        # events of a trained model on recordings with known movements
python tools/benchmark.py live VIDEO --minutes 30       # a file played as a stream: frames a second, latency, memory
python tools/benchmark.py app VIDEO --kill-after 60     # the local app: seconds beyond a video's length; a kill
python tools/benchmark.py ray VIDEO                     # extraction of many videos: one process, two, two actors of Ray
python tools/benchmark.py page                          # size of a long answer's page, time to open and to seek
python tools/benchmark.py faithful CONFIG CHECKPOINT    # do routing and other attributions name the region that matters
python tools/benchmark.py occlusion CONFIG router=A.pth mean=B.pth   # accuracy against the share of damaged regions
python tools/benchmark.py skeleton-floor FILE.pkl --protocol clips5   # a linear model and a forest on the same folds
python tools/benchmark.py ensemble CONFIG A.pth B.pth C.pth  # scores averaged, and the cost beside it
python tools/benchmark.py rules --streams STREAMS.npz   # nods, head shakes and so on, on labelled recordings
python tools/benchmark.py box CHECKPOINT --clips poses/ # the model in the box on real tracks, rules beside it
python tools/benchmark.py box-events CHECKPOINT         # its events and the rules' in minutes of generated people
python tools/benchmark.py few-shot FILE.pkl --out OUT   # a few clips a class, from scratch and from the box
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
    'app': 'benchmarks.local_app',
    'faithful': 'benchmarks.faithful',
    'few-shot': 'benchmarks.box.few_shot',
    'box': 'benchmarks.box.exam',
    'box-events': 'benchmarks.box.events',
    'face-curves': 'benchmarks.face_curves.queue',
    'face-descriptors': 'benchmarks.face_descriptors',
    'face-robust': 'benchmarks.face_robust',
    'face-floor': 'benchmarks.face_floor',
    'loading': 'benchmarks.loading',
    'accuracy': 'benchmarks.pose_accuracy',
    'ensemble': 'benchmarks.ensemble',
    'export': 'benchmarks.export',
    'live': 'benchmarks.live',
    'model': 'benchmarks.model',
    'occlusion': 'benchmarks.occlusion',
    'page': 'benchmarks.answer_page',
    'pose': 'benchmarks.extraction',
    'predictable': 'benchmarks.predictable',
    'ray': 'benchmarks.engines',
    'rules': 'benchmarks.rules',
    'skeleton-floor': 'benchmarks.skeleton_floor',
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
