"""Train the mixture on track files in a loop of your own: plain torch, no config, no runner.

    bmoe extract videos/ --backend mediapipe         # videos/<class>/<clip>.mp4 -> poses/<class>/<clip>.mp4.npz
    python examples/train_loop.py poses/

The recipe that the project's own figures come from is in configs/; this is what it is made of.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

import bmoe_skel
import pose_extract

FRAMES = 32


def read_clips(folder: Path) -> tuple[torch.Tensor, torch.Tensor, list[str], str]:
    """Clips (N, 1, FRAMES, V, 2) of the first person, NaN where absent; labels (N,); class names; layout."""
    files = sorted(folder.glob('*/*.npz'))
    classes = sorted({file.parent.name for file in files})
    clips, labels = [], []
    for file in files:
        tracks = pose_extract.load_tracks(file)
        if len(tracks.keypoints) == 0:
            continue  # nobody was seen
        frames = np.linspace(0, tracks.num_frames - 1, FRAMES).round().astype(int)
        clips.append(tracks.keypoints[:1, frames])
        labels.append(classes.index(file.parent.name))
    return torch.from_numpy(np.stack(clips)), torch.tensor(labels), classes, tracks.skeleton


def main() -> None:
    """Train on three quarters of the clips, and say how many of the others are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('poses', type=Path, help='folder of track files, one folder a class')
    parser.add_argument('--epochs', type=int, default=20)
    args = parser.parse_args()
    torch.manual_seed(0)
    clips, labels, classes, skeleton = read_clips(args.poses)
    order = torch.randperm(len(clips))
    held_out, train = order[: len(order) // 4], order[len(order) // 4 :]

    model = bmoe_skel.BMoE(num_classes=len(classes), skeleton=skeleton, dims=48, drop_path=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, args.epochs * (len(train) // 8 + 1))
    for epoch in range(args.epochs):
        model.train()
        for batch in train[torch.randperm(len(train))].split(8):
            jitter = 0.5 * torch.randn_like(clips[batch])  # half a pixel: what a pose estimator is off by anyway
            loss = F.cross_entropy(model(clips[batch] + jitter), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            right = (model(clips[held_out]).argmax(1) == labels[held_out]).sum().item()
        print(f'epoch {epoch + 1}: loss {loss.item():.2f}, {right} of {len(held_out)} held-out clips right')


if __name__ == '__main__':
    main()
