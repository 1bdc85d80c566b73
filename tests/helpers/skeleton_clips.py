"""Small clips and models that several tests use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_skel.clip import Clip
from bmoe_skel.models import BMoE
from bmoe_skel.models.streams.base import StreamBatch
from bmoe_skel.structures import ActionSample
from bmoe_skel.transforms import NormalizePose
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks, save_tracks

SMALL: dict[str, Any] = {
    'dims': 32,
    'expert': {'dims': (16, 16), 'depths': (1, 1)},
    'global_stream': {'type': 'SkeletonStream', 'dims': (16, 16), 'depths': (1, 1)},
    'drop_path': 0.0,
}


def small_model(skeleton: str = 'coco17', coordinates: int = 2, num_classes: int = 3, **kwargs: Any) -> BMoE:
    """A mixture small enough for tests, with every parameter away from its start so that no path is silent."""
    torch.manual_seed(0)
    model = BMoE(num_classes=num_classes, skeleton=skeleton, coordinates=coordinates, **{**SMALL, **kwargs})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def samples(labels: list[int]) -> list[ActionSample]:
    """Samples of one label each."""
    result = []
    for label in labels:
        sample = ActionSample()
        sample.gt_label = torch.tensor(label)
        result.append(sample)
    return result


def random_inputs(
    batch: int = 2, cuts: int = 1, persons: int = 1, frames: int = 16, skeleton: str = 'coco17', coordinates: int = 2
) -> dict[str, torch.Tensor]:
    """A batch as the preprocessor builds it."""
    joints = get_skeleton(skeleton).num_keypoints
    generator = torch.Generator().manual_seed(1)
    shape = (batch, cuts, persons, frames, joints)
    return {
        'keypoint': torch.randn(*shape, coordinates, generator=generator),
        'visible': torch.ones(shape, dtype=torch.bool),
        'pace': 0.5 + torch.rand(batch, cuts, frames, generator=generator),
    }


def stream_batch(bodies: int = 1, clips: int = 2, **kwargs: Any) -> StreamBatch:
    """What a global stream of coco17 is given: random joint channels, all visible."""
    n = clips * bodies
    return StreamBatch(torch.randn(n, 6, 17, 36), torch.ones(n, 6, 17, dtype=torch.bool), bodies, **kwargs)


def pose_clip(
    skeleton: str = 'coco17', frames: int = 12, dims: int = 2, persons: int = 1, label: int = 0, seed: int = 0
) -> Clip:
    """A clip as a data set hands it to its transforms."""
    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).num_keypoints
    keypoint = rng.normal(100, 30, (persons, 1, joints, dims)) + rng.normal(0, 1, (persons, frames, joints, dims))
    return {
        'keypoint': keypoint.astype(np.float32),
        'skeleton': skeleton,
        'label': label,
        'frame_dir': 'clip',
        'rng': np.random.default_rng(seed),
    }


def normalized_clip(**kwargs: Any) -> Clip:
    """The same after NormalizePose."""
    return NormalizePose()(pose_clip(**kwargs))


def moving_clip(label: int, rng: np.random.Generator, frames: int = 24, skeleton: str = 'coco17') -> np.ndarray:
    """A person of whom one region moves: 0 the head, 1 the arms, 2 the legs. (1, T, V, 2) pixels."""
    layout = get_skeleton(skeleton)
    base = np.random.default_rng(5).uniform(0, 100, (layout.num_keypoints, 2))
    points = np.repeat(base[None], frames, 0) + rng.normal(0, 0.3, (frames, layout.num_keypoints, 2))
    wave = np.sin(np.arange(frames) * rng.uniform(0.5, 0.9) + rng.uniform(0, 6)) * rng.uniform(5, 9)
    joints = list(layout.regions[('head', 'upper', 'lower')[label]])
    points[:, joints, 1] += wave[:, None]
    return (points * rng.uniform(0.8, 1.2) + rng.uniform(0, 50, 2))[None].astype(np.float32)


def write_tracks(folder: Path, clips_per_class: int = 8, classes: tuple[str, ...] = ('head', 'arms', 'legs')) -> Path:
    """A folder of track files ``<class>/<clip>.mp4.npz`` as extraction writes it."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(classes):
        for i in range(clips_per_class):
            keypoints = moving_clip(label, rng)
            frames = keypoints.shape[1]
            tracks = PoseTracks(
                keypoints=keypoints,
                scores=np.ones(keypoints.shape[:3], np.float32),
                boxes=np.zeros((1, frames, 4), np.float32),
                frame_times=np.arange(frames) / 25,
                image_size=(200, 200),
                skeleton='coco17',
            )
            save_tracks(folder / name / f'{name}_{i:02d}.mp4.npz', tracks)
    return folder


def write_recording(path: Path, frames: int = 300, persons: int = 1, fps: float = 25, seed: int = 0) -> np.ndarray:
    """Write a track file of people standing side by side, and return its keypoints (M, T, 17, 2)."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 90, (persons, frames, 17, 2)).astype(np.float32)
    keypoints[..., 0] += 100 * np.arange(persons)[:, None, None]
    corners = np.array([[100.0 * m, 0, 100 * m + 90, 90] for m in range(persons)], np.float32)
    tracks = PoseTracks(
        keypoints=keypoints,
        scores=np.ones(keypoints.shape[:3], np.float32),
        boxes=np.repeat(corners[:, None], frames, 1),
        frame_times=np.arange(frames) / fps,
        image_size=(200, 400),
        skeleton='coco17',
    )
    save_tracks(path, tracks)
    return keypoints


def config_text(model: dict[str, Any], steps: list[dict[str, Any]]) -> str:
    """A config as a checkpoint carries it."""
    return f"model = {model!r}\ntest_dataloader = {{'dataset': {{'pipeline': {steps!r}}}}}\n"


def write_checkpoint(path: Path, skeleton: str = 'coco17', **described: Any) -> Path:
    """A checkpoint of :func:`small_model` as training writes it; ``described`` joins what it says of its data."""
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': skeleton, 'coordinates': 2, **SMALL}
    steps = [
        {'type': 'NormalizePose'},
        {'type': 'SampleFrames', 'num_frames': 16, 'random': False},
        {'type': 'PackPose'},
    ]
    facts = {'classes': ['arms', 'head', 'legs'], 'skeleton': skeleton, 'coordinates': 2, **described}
    meta = {'cfg': config_text(model, steps), 'dataset_meta': facts}
    torch.save({'state_dict': small_model(skeleton).state_dict(), 'meta': meta}, path)
    return path


def clip_with_holes(persons: int, frames: int, skeleton: str, coordinates: int, seed: int) -> dict[str, np.ndarray]:
    """Raw keypoints, scores and uneven times of one clip; a fifth of the keypoints is absent."""
    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).num_keypoints
    keypoint = rng.uniform(0, 500, (persons, frames, joints, coordinates)).astype(np.float32)
    score = rng.uniform(0, 1, (persons, frames, joints)).astype(np.float32)
    hidden = rng.random(score.shape) < 0.2
    keypoint[hidden], score[hidden] = np.nan, 0
    return {'keypoint': keypoint, 'score': score, 'frame_times': rng.uniform(0.02, 0.06, frames).cumsum()}
