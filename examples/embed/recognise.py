"""Label a clip of keypoints with an exported model; needs numpy and onnxruntime, nothing of this project.

    pip install numpy onnxruntime
    python recognise.py model.onnx clip.json

clip.json: {"keypoints": [frames][keypoints][x, y], "scores": [frames][keypoints], "times": [seconds of each frame]},
keypoints in the order of model.onnx.json, null for one that is not there.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort


def recognise(session: ort.InferenceSession, facts: dict, clip: dict) -> dict:
    """The likeliest class, its probability, and how much each region of the body was believed."""
    absent = [None, None]
    keypoints = np.array([[p or absent for p in points] for points in clip['keypoints']], np.float32)
    scores = np.where(np.isnan(keypoints[..., 0]), 0, np.array(clip['scores'], np.float32)).astype(np.float32)
    times = np.array(clip['times'], np.float32)
    given = {'keypoints': keypoints[None, None], 'scores': scores[None, None], 'times': times[None]}
    probabilities, *rest = session.run(None, given)
    best = int(probabilities[0].argmax())
    regions = dict(zip(facts['regions'], rest[0][0].tolist(), strict=True)) if rest else None
    return {'label': facts['classes'][best], 'score': float(probabilities[0, best]), 'regions': regions}


if __name__ == '__main__':
    model, file = sys.argv[1:]
    session = ort.InferenceSession(model, providers=['CPUExecutionProvider'])
    facts = json.loads(Path(f'{model}.json').read_text())
    print(json.dumps(recognise(session, facts, json.loads(Path(file).read_text()))))
