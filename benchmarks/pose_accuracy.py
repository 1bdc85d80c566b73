"""Whether ground truth comes back through every crop, batch and resize of the mmpose backend.

A small RTMPose learns a handful of annotated persons by heart, from their pictures in several sizes; then these are
extracted like any video, with the ground-truth boxes, and the keypoints are compared. It knows nothing but these crops:
one that is cut a little differently comes out wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bmoe_ground.native_output import library_warnings_silenced
from pose_extract.job import run_job
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import load_tracks

MODEL = 'rtmpose-t_8xb256-420e_coco-256x192'
SCALES = (0.6, 1.0, 1.7)
CROP_HEIGHT = 256
PADDING = 1.25  # of MMPose's crops around the box
Truth = dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py accuracy``."""
    parser.add_argument('annotations', type=Path, help='COCO person keypoints, with the images in the same folder')
    parser.add_argument('--iterations', type=int, default=1500, help='of training (default: %(default)s)')
    parser.add_argument('--weights', type=Path, help='keep the weights here; trained only if the file is missing')


def run(args: argparse.Namespace) -> int:
    """Train where need be, extract in every way, and print the errors."""
    library_warnings_silenced()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_footage(args.annotations, folder)
        weights = args.weights or folder / 'weights.pth'
        if not weights.is_file():
            start = time.perf_counter()
            loss = train(folder, weights, args.iterations)
            print(f'{args.iterations} iterations in {time.perf_counter() - start:.0f} s, last loss {loss:.4f}')
        print(f'{"":44}{"median":>8}{"95 %":>8}{"max":>8}   pixels of the {CROP_HEIGHT}-pixel crop')
        for name, errors in measure(truth, weights, folder):
            print(f'{name:44}{np.median(errors):8.2f}{np.percentile(errors, 95):8.2f}{errors.max():8.2f}', flush=True)
    return 0


def train(footage: Path, weights: Path, iterations: int, seed: int = 0) -> float:
    """Teach a small RTMPose all persons of the footage by heart.

    The backbone keeps its random weights, with its normalisation fitted to the pictures; the head is trained on its
    features, which takes a minute where the whole network would take an hour on a CPU.

    Args:
        footage: The folder that :func:`write_footage` filled.
        weights: Where the checkpoint goes.
        iterations: Steps, each over all persons in one size, mirrored or not.
        seed: Of the weights.

    Returns:
        The mean loss of the last ten steps.
    """
    from pose_extract.estimators.openmmlab import find_model, import_openmmlab, load_config

    import_openmmlab()
    import torch
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import init_default_scope
    from mmpose.models import build_pose_estimator

    init_default_scope('mmpose')
    torch.manual_seed(seed)
    config = load_config(find_model(MODEL)[0])
    config.model.backbone.init_cfg = None
    config.model.backbone.norm_cfg = {'type': 'BN'}
    model = build_pose_estimator(config.model)
    model.init_weights()
    batches = []
    dataset = _dataset(footage, config.codec)
    for first in range(len(SCALES)):
        samples = [dataset[i] for i in range(first, len(dataset), len(SCALES))]
        batches.append(model.data_preprocessor(pseudo_collate(samples), True))
    batches += [_mirrored(batch) for batch in batches]
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the plain mean over all pictures
    with torch.no_grad():
        model.train()
        for batch in batches:
            model.extract_feat(batch['inputs'])
        model.eval()
        features = [model.extract_feat(batch['inputs']) for batch in batches]
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=iterations, pct_start=0.1)
    losses = []
    for step in range(iterations):
        batch = batches[step % len(batches)]
        loss = model.head.loss(features[step % len(batches)], batch['data_samples'])['loss_kpt']
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.head.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, weights)
    return float(np.mean(losses[-10:]))


def _mirrored(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch as the flip test sees it, with the labels to go with it."""
    samples = deepcopy(batch['data_samples'])
    for sample in samples:
        labels, flip = sample.gt_instance_labels, sample.metainfo['flip_indices']
        labels.keypoint_x_labels = labels.keypoint_x_labels[:, flip].flip(-1)
        labels.keypoint_y_labels = labels.keypoint_y_labels[:, flip]
        labels.keypoint_weights = labels.keypoint_weights[:, flip]
    return {'inputs': batch['inputs'].flip(-1), 'data_samples': samples}


def _dataset(footage: Path, codec: dict[str, Any]) -> Any:
    from mmpose.registry import DATASETS

    pipeline = [
        {'type': 'LoadImage'},
        {'type': 'GetBBoxCenterScale'},
        {'type': 'TopdownAffine', 'input_size': codec['input_size']},
        {'type': 'GenerateTarget', 'encoder': codec},
        {'type': 'PackPoseInputs'},
    ]
    return DATASETS.build(
        {
            'type': 'CocoDataset',
            'data_root': str(footage),
            'ann_file': 'coco.json',
            'data_prefix': {'img': 'videos/'},
            'data_mode': 'topdown',
            'pipeline': pipeline,
        }
    )


def ways(weights: Path, boxes: Path) -> Iterator[tuple[str, ExtractSettings]]:
    """Every way through the network that must give the same keypoints, by name."""
    plain = ExtractSettings(model=MODEL, checkpoint=str(weights), boxes=str(boxes), accelerate=False)
    for flip in (True, False):
        flipped = f'flip test {"on" if flip else "off"}'
        for batch in (1, 5, 16):
            yield f'plain, {flipped}, batch {batch}', replace(plain, flip_test=flip, batch=batch)
        yield f'accelerated, {flipped}, batch 16', replace(plain, flip_test=flip, accelerate=True)
    yield 'bfloat16, flip test on, batch 16', replace(plain, precision='bfloat16')


def measure(truth: Truth, weights: Path, folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Extract the footage in every way.

    Args:
        truth: What :func:`write_footage` returned.
        weights: What :func:`train` wrote.
        folder: The folder of the footage.

    Yields:
        Name of the way and size, and the distances of all labelled keypoints from the truth, in pixels of the crop.
    """
    for number, (name, settings) in enumerate(ways(weights, folder / 'boxes.json')):
        out = folder / f'poses-{number}'
        run_job(folder / 'videos', out, settings, jobs=0, show_progress=False)
        for scale in SCALES:
            errors = []
            for video, persons in truth.items():
                if not video.startswith(f'{scale}/'):
                    continue
                tracks = load_tracks(out / f'{video}.npz')
                for box, keypoints, labelled in persons:
                    person = np.abs(tracks.boxes[:, 0] - box).sum(-1).argmin()
                    off = np.linalg.norm(tracks.keypoints[person, 0] - keypoints, axis=-1)[labelled]
                    width, height = box[2] - box[0], box[3] - box[1]
                    errors.append(off * CROP_HEIGHT / (PADDING * max(height, width * 4 / 3)))
            yield f'{name}, pictures x {scale}', np.concatenate(errors)


def write_footage(annotations: Path, folder: Path) -> Truth:
    """Write each annotated picture in each size as a video of one frame.

    Args:
        annotations: COCO person keypoints, the images beside the file.
        folder: Gets ``videos/``, ``boxes.json`` for the extraction and ``coco.json`` for the training.

    Returns:
        For each video its persons: box (4,) xyxy, keypoints (17, 2) and which of them are labelled, (17,).
    """
    content = json.loads(annotations.read_text())
    entries: list[dict[str, Any]] = []
    coco: dict[str, Any] = {'images': [], 'annotations': [], 'categories': content['categories']}
    truth: Truth = {}
    for picture in content['images']:
        image = cv2.imread(str(annotations.parent / picture['file_name']))
        persons = [one for one in content['annotations'] if one['image_id'] == picture['id'] and one['num_keypoints']]
        for scale in SCALES:
            video = f'{scale}/{Path(picture["file_name"]).stem}'
            (folder / 'videos' / video).mkdir(parents=True)
            scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            height, width = scaled.shape[:2]
            cv2.imwrite(str(folder / 'videos' / video / 'frame_0.png'), scaled)
            number = len(coco['images'])
            coco['images'].append({'id': number, 'file_name': f'{video}/frame_0.png', 'width': width, 'height': height})
            factor = np.array([width, height]) / image.shape[1::-1]
            for person in persons:
                x, y, w, h = person['bbox']
                # MMPose's dataset keeps boxes inside the picture; extraction takes them as they are.
                box = (np.array([x, y, x + w, y + h]) * np.tile(factor, 2)).clip(0, [width - 1, height - 1] * 2)
                marks = np.array(person['keypoints'], float).reshape(-1, 3)
                # Pixel centres stay pixel centres when a picture is resized.
                keypoints = (marks[:, :2] + 0.5) * factor - 0.5
                truth.setdefault(video, []).append((box, keypoints, marks[:, 2] > 0))
                entries.append(
                    {'video': video, 'frame': 0, **dict(zip(('x1', 'y1', 'x2', 'y2'), box.tolist(), strict=True))}
                )
                coco['annotations'].append(
                    {
                        **person,
                        'id': len(coco['annotations']),
                        'image_id': number,
                        'bbox': [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
                        'keypoints': np.hstack([keypoints, marks[:, 2:]]).ravel().tolist(),
                    }
                )
    (folder / 'boxes.json').write_text(json.dumps(entries))
    (folder / 'coco.json').write_text(json.dumps(coco))
    return truth
