"""Whether ground truth comes back through every crop, batch and resize of the mmpose backend.

A small RTMPose is trained on a handful of annotated persons until it knows them by heart; then their pictures, in
several sizes, are extracted like any video with the ground-truth boxes, and the keypoints are compared.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_extract.job import run_job
from pose_extract.noise import library_warnings_silenced
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks

MODEL = 'rtmpose-t_8xb256-420e_coco-256x192'
SCALES = (0.6, 1.0, 1.7)
CROP_HEIGHT = 256
PADDING = 1.25  # of MMPose's crops around the box


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py accuracy``."""
    parser.add_argument('annotations', type=Path, help='COCO person keypoints, with the images in the same folder')
    parser.add_argument('--iterations', type=int, default=400, help='of training (default: %(default)s)')
    parser.add_argument('--weights', type=Path, help='keep the weights here; trained only if the file is missing')


def run(args: argparse.Namespace) -> int:
    """Train where need be, extract in every way, and print the errors."""
    library_warnings_silenced()
    with tempfile.TemporaryDirectory() as folder:
        weights = args.weights or Path(folder) / 'weights.pth'
        if not weights.is_file():
            start = time.perf_counter()
            loss = train(args.annotations, weights, args.iterations)
            print(f'{args.iterations} iterations in {time.perf_counter() - start:.0f} s, last loss {loss:.4f}')
        print(f'{"":44}{"median":>8}{"95 %":>8}{"max":>8}   pixels of the {CROP_HEIGHT}-pixel crop')
        for name, errors in measure(args.annotations, weights, Path(folder)):
            print(f'{name:44}{np.median(errors):8.2f}{np.percentile(errors, 95):8.2f}{errors.max():8.2f}', flush=True)
    return 0


def train(annotations: Path, weights: Path, iterations: int, seed: int = 0) -> float:
    """Train a small RTMPose on all persons of a COCO file, slightly shifted, scaled and mirrored each time.

    Args:
        annotations: The file; its images lie beside it.
        weights: Where the checkpoint goes.
        iterations: Steps, each over all persons.
        seed: Of the weights and the shifts.

    Returns:
        The mean loss of the last ten steps.
    """
    from pose_extract.estimators.openmmlab import find_model, import_openmmlab, load_config

    import_openmmlab()
    import torch
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import init_default_scope
    from mmpose.models import build_pose_estimator
    from mmpose.registry import DATASETS

    init_default_scope('mmpose')
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - MMPose's transforms draw from the global generator
    config = load_config(find_model(MODEL)[0])
    config.model.backbone.init_cfg = None
    config.model.backbone.norm_cfg = {'type': 'BN'}
    model = build_pose_estimator(config.model)
    model.init_weights()
    model.train()
    pipeline = [
        {'type': 'LoadImage'},
        {'type': 'GetBBoxCenterScale'},
        {'type': 'RandomFlip', 'direction': 'horizontal'},
        {'type': 'RandomBBoxTransform', 'shift_factor': 0.04, 'scale_factor': [0.9, 1.1], 'rotate_factor': 0},
        {'type': 'TopdownAffine', 'input_size': config.codec['input_size']},
        {'type': 'GenerateTarget', 'encoder': config.codec},
        {'type': 'PackPoseInputs'},
    ]
    dataset = DATASETS.build(
        {
            'type': 'CocoDataset',
            'data_root': str(annotations.parent),
            'ann_file': annotations.name,
            'data_prefix': {'img': ''},
            'data_mode': 'topdown',
            'pipeline': pipeline,
        }
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=iterations, pct_start=0.1)
    losses = []
    for _ in range(iterations):
        batch = model.data_preprocessor(pseudo_collate([dataset[i] for i in range(len(dataset))]), True)
        loss = model.loss(batch['inputs'], batch['data_samples'])['loss_kpt']
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, weights)
    return float(np.mean(losses[-10:]))


def ways(weights: Path, boxes: Path) -> Iterator[tuple[str, ExtractSettings]]:
    """Every way through the network that must give the same keypoints, by name."""
    plain = ExtractSettings(model=MODEL, checkpoint=str(weights), boxes=str(boxes), accelerate=False)
    for flip in (True, False):
        flipped = f'flip test {"on" if flip else "off"}'
        for batch in (1, 5, 16):
            yield f'plain, {flipped}, batch {batch}', replace(plain, flip_test=flip, batch=batch)
        yield f'accelerated, {flipped}, batch 16', replace(plain, flip_test=flip, accelerate=True)
    yield 'bfloat16, flip test on, batch 16', replace(plain, precision='bfloat16')


def measure(annotations: Path, weights: Path, folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Extract the annotated pictures in every way and size.

    Args:
        annotations: COCO person keypoints, the images beside the file.
        weights: What :func:`train` wrote.
        folder: Scratch space.

    Yields:
        Name of the way and size, and the distances of all labelled keypoints from the truth, in pixels of the crop.
    """
    truth = _write_footage(annotations, folder / 'videos', folder / 'boxes.json')
    for number, (name, settings) in enumerate(ways(weights, folder / 'boxes.json')):
        out = folder / f'poses-{number}'
        run_job(folder / 'videos', out, settings, jobs=0, show_progress=False)
        for scale in SCALES:
            errors = []
            for video, persons in truth.items():
                if not video.startswith(f'{scale}/'):
                    continue
                found = _by_box(load_tracks(out / f'{video}.npz'))
                for box, keypoints, labelled in persons:
                    off = np.linalg.norm(found[tuple(np.round(box).tolist())] - keypoints, axis=-1)[labelled]
                    width, height = box[2] - box[0], box[3] - box[1]
                    errors.append(off * CROP_HEIGHT / (PADDING * max(height, width * 4 / 3)))
            yield f'{name}, pictures x {scale}', np.concatenate(errors)


def _write_footage(
    annotations: Path, folder: Path, boxes: Path
) -> dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Each picture in each size as a one-frame video, all boxes in one file; returns box, keypoints, labelled."""
    content = json.loads(annotations.read_text())
    entries: list[dict[str, Any]] = []
    truth: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for picture in content['images']:
        image = cv2.imread(str(annotations.parent / picture['file_name']))
        for scale in SCALES:
            video = f'{scale}/{Path(picture["file_name"]).stem}'
            (folder / video).mkdir(parents=True)
            scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            factor = np.array(scaled.shape[1::-1]) / image.shape[1::-1]
            cv2.imwrite(str(folder / video / 'frame_0.png'), scaled)
            for person in content['annotations']:
                if person['image_id'] != picture['id'] or not person['num_keypoints']:
                    continue
                x, y, w, h = person['bbox']
                box = np.array([x, y, x + w, y + h]) * np.tile(factor, 2)
                marks = np.array(person['keypoints'], float).reshape(-1, 3)
                # Pixel centres stay pixel centres when a picture is resized.
                keypoints = (marks[:, :2] + 0.5) * factor - 0.5
                truth.setdefault(video, []).append((box, keypoints, marks[:, 2] > 0))
                corners = dict(zip(('x1', 'y1', 'x2', 'y2'), box.tolist(), strict=True))
                entries.append({'video': video, 'frame': 0, **corners})
    boxes.write_text(json.dumps(entries))
    return truth


def _by_box(tracks: Any) -> dict[tuple[float, ...], np.ndarray]:
    return {
        tuple(np.round(box[0]).tolist()): keypoints[0]
        for box, keypoints in zip(tracks.boxes, tracks.keypoints, strict=True)
    }
