"""Keypoints in an order that no list knows: declare the layout once, and everything takes it by name.

    python examples/own_layout.py

Nine points of somebody on a sofa. In a file, sofa9.yaml, the same declaration serves every command:
bmoe train configs/benchmarks/skeleton.py --cfg-options dataset.ann_file=clips.pkl dataset.skeleton=sofa9.yaml
"""

from __future__ import annotations

import numpy as np
import torch

import bmoe_skel
import pose_extract

# Every point but the first hangs on a parent. Names that are known (nose, left_hip, ...) know their region; others say
# it. What begins with left_ and right_ is a pair.
POINTS = [
    {'name': 'nose'},
    {'name': 'left_shoulder', 'parent': 'nose'},
    {'name': 'right_shoulder', 'parent': 'nose'},
    {'name': 'left_hip', 'parent': 'left_shoulder'},
    {'name': 'right_hip', 'parent': 'right_shoulder'},
    {'name': 'left_fist', 'parent': 'left_shoulder', 'region': 'upper'},
    {'name': 'right_fist', 'parent': 'right_shoulder', 'region': 'upper'},
    {'name': 'left_knee', 'parent': 'left_hip'},
    {'name': 'right_knee', 'parent': 'right_hip'},
]


def main() -> None:
    """Declare the layout, put two seconds of keypoints into tracks, and through a model."""
    layout = pose_extract.register_layout('sofa9', POINTS)
    for region, members in layout.regions.items():
        print(f'{region:<6}', ', '.join(layout.keypoints[k] for k in members))

    rest = np.array([[0, -60], [15, -40], [-15, -40], [10, 0], [-10, 0], [25, -20], [-25, -20], [12, 40], [-12, 40]])
    keypoints = np.repeat(200.0 + rest[None, None], 60, axis=1)  # (M, T, K, 2) pixels: one person, two seconds
    keypoints[0, :, layout.index('right_fist'), 1] += 8 * np.sin(np.arange(60) / 3)  # who waves a little
    tracks = pose_extract.PoseTracks(
        keypoints=keypoints.astype(np.float32),
        scores=np.ones((1, 60, 9), np.float32),
        boxes=np.concatenate([keypoints.min(2), keypoints.max(2)], axis=-1).astype(np.float32),
        frame_times=np.arange(60) / 30,
        image_size=(400, 400),
        skeleton='sofa9',
    )
    torch.manual_seed(0)
    model = bmoe_skel.BMoE(num_classes=3, skeleton='sofa9').eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(tracks.keypoints)[None])  # (N, M, T, V, C)
    print('logits of three classes, untrained:', logits.numpy().round(2))


if __name__ == '__main__':
    main()
