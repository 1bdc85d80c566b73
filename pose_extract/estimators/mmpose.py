"""Top-down pose estimation with any MMPose model, persons found by RTMDet.

References: Jiang et al., "RTMPose", 2023, arXiv:2303.07399; Lyu et al., "RTMDet", 2022, arXiv:2212.07784.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bmoe_ground.device import choose_device
from bmoe_ground.errors import UserError
from pose_extract.estimators import PoseEstimator
from pose_extract.estimators.detector import PersonDetector
from pose_extract.estimators.openmmlab import (
    DETECTOR_CONFIG,
    DETECTOR_WEIGHTS,
    build_model,
    fetch_weights,
    find_model,
    import_openmmlab,
    load_config,
    packaged_files,
)
from pose_extract.estimators.topdown import TopdownModel
from pose_extract.pipeline import chunks, prefetch
from pose_extract.poses import BoxSource, FramePoses, PersonBoxes, Poses
from pose_extract.settings import ExtractSettings, file_digest
from pose_extract.skeletons import OF_MMPOSE
from pose_extract.video import Frame

MIN_SCORE = 0.3
DETECT_TOGETHER = 4  # frames per forward pass of the detector
BOX_MARGIN = 1.25


class ModelFiles(NamedTuple):
    """Config and weights of one model."""

    config: Path
    checkpoint: Path


class MMPoseEstimator(PoseEstimator):
    """Any top-down MMPose model.

    Persons come from boxes that are given, from the whole frame, or from the detector. The detector may run on every
    N-th frame only; between, each person is looked for where its keypoints were in the frame before.

    Args:
        settings: Model, detector, device and batch size.
    """

    packages = ('mmpose', 'mmdet', 'mmengine', 'torch', 'onnxruntime')

    @staticmethod
    def identify(settings: ExtractSettings) -> dict[str, Any]:
        """See :meth:`PoseEstimator.identify`."""
        pose = resolve_pose(settings)
        identity = {'model': pose.config.stem, 'checkpoint': file_digest(pose.checkpoint)}
        detector = resolve_detector(settings)
        if detector is not None:
            identity['detector'] = detector.config.stem
            identity['detector_checkpoint'] = file_digest(detector.checkpoint)
        return identity

    def __init__(self, settings: ExtractSettings) -> None:
        from mmpose.registry import MODELS

        files, detector = resolve_pose(settings), resolve_detector(settings)
        device = choose_device(settings.device)
        config = load_config(files.config)
        model, meta = build_model(config, files.checkpoint, MODELS, 'mmpose')
        if not hasattr(model, 'head') or config.get('model', {}).get('type') != 'TopdownPoseEstimator':
            raise UserError(f'{files.config}: only top-down models are supported, this is {config.model.type}')
        dataset_meta = _dataset_meta(config, meta)
        self.skeleton = layout_of(dataset_meta, files.config)
        pipeline = config.test_dataloader.dataset.pipeline
        self.pose = TopdownModel(model.to(device), pipeline, dataset_meta, settings, device)
        self.execution, self.one_person = self.pose.execution, settings.whole_frame
        self.detector = None if detector is None else PersonDetector(*detector, settings.box_threshold, device)
        self.settings = settings
        self._num_keypoints = int(dataset_meta['num_keypoints'])

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        """See :meth:`PoseEstimator.run`."""
        if boxes is None and self.detector is not None and self.settings.detect_every > 1:
            yield from self._run_following(frames)
            return
        # Finding the persons and cutting them out goes on while the network runs.
        with closing(prefetch(self._cropped(frames, boxes), self.settings.batch)) as cropped:
            for group in chunks(cropped, self.settings.batch):
                poses = self._estimate([(found, crops) for _, found, crops in group])
                yield from zip([frame for frame, *_ in group], poses, strict=True)

    def _cropped(
        self, frames: Iterable[Frame], boxes: BoxSource | None
    ) -> Iterator[tuple[Frame, PersonBoxes, list[dict[str, Any]]]]:
        """Each frame with its persons' boxes and crops."""
        for group in chunks(frames, DETECT_TOGETHER if boxes is None and self.detector else 1):
            if boxes is not None:
                persons = [boxes(frame.index) for frame in group]
            elif self.detector is not None:
                persons = self.detector.detect([frame.image for frame in group])
            else:
                persons = [_whole_frame(frame) for frame in group]
            for frame, found in zip(group, persons, strict=True):
                yield frame, found, self._crops(frame, found)

    def _crops(self, frame: Frame, found: PersonBoxes) -> list[dict[str, Any]]:
        return [self.pose.crop(frame.image, box) for box in found.boxes]

    def _run_following(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, FramePoses]]:
        poses = FramePoses.nobody(self._num_keypoints)
        for number, frame in enumerate(frames):
            if number % self.settings.detect_every == 0:
                found = self.detector.detect([frame.image])[0]  # type: ignore[union-attr]
            else:
                found = boxes_around(poses, frame.image.shape)
            poses = self._estimate([(found, self._crops(frame, found))])[0]
            yield frame, poses

    def _estimate(self, persons: list[tuple[PersonBoxes, list[dict[str, Any]]]]) -> list[FramePoses]:
        """The poses of several frames, all crops in as few batches as can be."""
        crops = [crop for _, cut in persons for crop in cut]
        if not crops:
            return [FramePoses.nobody(self._num_keypoints) for _ in persons]
        keypoints, scores = self.pose.predict(crops)
        absent = ~(scores > 0)  # MMPose places a keypoint it finds no trace of at -1
        keypoints[absent] = np.nan
        scores = np.where(absent, 0, scores).clip(0, 1)
        results, first = [], 0
        for one, _ in persons:
            last = first + len(one)
            results.append(FramePoses(keypoints[first:last], scores[first:last], one.boxes, one.ids))
            first = last
        return results


def resolve_pose(settings: ExtractSettings) -> ModelFiles:
    """The pose model's config and weights, downloaded where need be.

    Raises:
        UserError: There is no such model, or its weights cannot be had.
    """
    import_openmmlab()
    ways_out = 'give --checkpoint FILE, or use --backend mediapipe, which brings its weights along'
    if settings.config is not None:
        if settings.checkpoint is None:
            raise UserError(f'--config {settings.config} needs its weights: --checkpoint FILE')
        return ModelFiles(Path(settings.config), Path(settings.checkpoint))
    config, url = find_model(settings.model)
    if settings.checkpoint is not None:
        return ModelFiles(config, Path(settings.checkpoint))
    if url is None:
        raise UserError(f"MMPose names no weights for '{settings.model}'; {ways_out}")
    return ModelFiles(config, fetch_weights(url, f"the MMPose model '{settings.model}'", ways_out))


def resolve_detector(settings: ExtractSettings) -> ModelFiles | None:
    """The detector's config and weights, None where boxes come from elsewhere.

    Raises:
        UserError: Its weights cannot be had.
    """
    if settings.boxes is not None or settings.whole_frame:
        return None
    ways_out = 'give --detector-checkpoint FILE, or --boxes FILE, or --whole-frame, or use --backend mediapipe'
    if settings.detector_config is not None and settings.detector_checkpoint is None:
        raise UserError(f'--detector-config {settings.detector_config} needs its weights: --detector-checkpoint FILE')
    config = settings.detector_config or packaged_files('mmpose') / DETECTOR_CONFIG
    checkpoint = settings.detector_checkpoint or fetch_weights(DETECTOR_WEIGHTS, 'the person detector', ways_out)
    return ModelFiles(Path(config), Path(checkpoint))


def layout_of(dataset_meta: dict[str, Any], config: Path) -> str:
    """The keypoint layout of a dataset.

    Raises:
        UserError: It is none that this project knows.
    """
    name = dataset_meta['dataset_name']
    if name not in OF_MMPOSE:
        raise UserError(
            f"{config}: keypoints of '{name}' ({dataset_meta['num_keypoints']}) have no layout here; models trained on "
            f'these have one: {", ".join(OF_MMPOSE)}'
        )
    return OF_MMPOSE[name]


def _dataset_meta(config: Any, meta: dict[str, Any]) -> dict[str, Any]:
    from mmpose.apis.inference import dataset_meta_from_config

    found = meta.get('dataset_meta')
    if isinstance(found, dict) and 'flip_indices' in found and 'dataset_name' in found:
        return found
    parsed = dataset_meta_from_config(config, 'train') or dataset_meta_from_config(config, 'test')
    if parsed is None:
        raise UserError(f'{config.filename}: neither the checkpoint nor the config says which keypoints these are')
    return parsed


def _whole_frame(frame: Frame) -> PersonBoxes:
    height, width = frame.image.shape[:2]
    return PersonBoxes(np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))


def boxes_around(poses: FramePoses, shape: tuple[int, ...]) -> PersonBoxes:
    """Where to look for each person in the next frame: around its sure keypoints, with a margin.

    A person with fewer than two sure keypoints keeps its box.

    Args:
        poses: The persons of the last frame.
        shape: (height, width, ...) of the frame, which bounds the boxes.
    """
    limit = np.array([shape[1], shape[0]], np.float32)
    boxes = []
    for keypoints, scores, box in zip(poses.keypoints, poses.scores, poses.boxes, strict=True):
        sure = keypoints[scores > MIN_SCORE]
        if len(sure) < 2:
            boxes.append(box)
            continue
        center, half = (sure.min(0) + sure.max(0)) / 2, (sure.max(0) - sure.min(0)) / 2 * BOX_MARGIN
        boxes.append(np.concatenate([(center - half).clip(0, limit), (center + half).clip(0, limit)]))
    return PersonBoxes(np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))
