"""Images and videos in, one row for every face out, in real batches, with a status for every file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_ground.errors import UserError
from face_aux.checkpoint import FaceModel
from face_aux.detection.alignment import CropSettings
from face_aux.detection.detectors import FaceDetector
from face_aux.detection.source import FaceSource, Job, find_inputs
from face_aux.predictions import FAILED, OK, Prediction
from face_aux.registry import TRANSFORMS
from mm_runtime.registry import build_embedded


class FaceInferencer:
    """Predicts faces in images and videos.

    Args:
        model: From :func:`face_aux.checkpoint.load_face_model`.
        detector: From :func:`face_aux.detection.build_detector`.
        crop: Margin and alignment of the crops; None for what the checkpoint says.
        faces: 'surest' for one face an image or video ('largest' is its older name), 'all' for every one.
        batch_size: Crops (or clips) a batch.
        max_frames: Frames (or clips) taken from a video, evenly spaced; 0 for all frames.

    Raises:
        UserError: An option is out of range, or a weight of the model is NaN or infinite, as a diverged training
            leaves them.

    Example:
        >>> model = face_aux.load_face_model('face.pth')
        >>> inferencer = face_aux.FaceInferencer(model, face_aux.build_detector('none'))
        >>> [(row.file, row.labels) for row in inferencer.predict(['crops'])]
        [('crops/bright.png', {'light': 'bright'}), ('crops/dark.png', {'light': 'dark'})]
    """

    def __init__(
        self,
        model: FaceModel,
        detector: FaceDetector,
        crop: CropSettings | None = None,
        faces: str = 'surest',
        batch_size: int = 32,
        max_frames: int = 32,
    ) -> None:
        if batch_size < 1:
            raise UserError(f'batch_size must be at least 1, got {batch_size}')
        check_finite(model)
        self.model, self.batch_size = model, batch_size
        load = model.pipeline[0]
        is_clip = load['type'].endswith('LoadFaceClip')
        self.source = FaceSource(
            detector,
            crop or CropSettings.from_config(model.crop, model.source),
            faces,
            max_frames,
            clip_length=load.get('length', 16) if is_clip else 0,
            clip_interval=load.get('interval', 1),
            max_side=load.get('max_side'),
        )
        self.pipeline = [build_embedded(TRANSFORMS, step, model.source) for step in model.pipeline]
        self.device = next(model.model.parameters()).device

    def predict(self, inputs: Sequence[str | Path]) -> list[Prediction]:
        """Predict files and folders.

        Args:
            inputs: Images, videos, and folders that are searched for both.

        Returns:
            Rows in the order of the inputs; every file has at least one.
        """
        rows: list[Prediction] = []
        waiting: list[Job] = []
        for item in self.source.jobs(find_inputs(inputs)):
            rows.append(item.row if isinstance(item, Job) else item)
            waiting += [item] if isinstance(item, Job) else []
            while len(waiting) >= self.batch_size:
                self._run(waiting[: self.batch_size])
                del waiting[: self.batch_size]
        if waiting:
            self._run(waiting)
        return add_video_rows(rows, self.model)

    @torch.inference_mode()
    def _run(self, jobs: Sequence[Job]) -> None:
        """Score one batch and write the results into its rows."""
        packed = [self._prepare(job) for job in jobs]
        inputs = torch.stack(packed).to(self.device)
        samples = self.model.model(inputs, mode='predict')
        for job, sample in zip(jobs, samples, strict=True):
            for task, classes in self.model.tasks.items():
                values = sample.scores[task].double().cpu().tolist()
                if not all(map(math.isfinite, values)):
                    fail(job.row, f'{self.model.source}: gives scores for {task!r} that are NaN or infinite')
                    break
                job.row.scores[task] = dict(zip(classes, values, strict=True))
                job.row.labels[task] = choose(job.row.scores[task], task in self.model.multi_label)

    def _prepare(self, job: Job) -> torch.Tensor:
        results: dict[str, Any] = {'frames': job.frames, 'path': job.row.file, 'gt': {}, 'groups': {}}
        for transform in self.pipeline:
            results = transform(results)
        return results['inputs']


def check_finite(model: FaceModel) -> None:
    """Refuse a model that cannot predict anything.

    Raises:
        UserError: A weight is NaN or infinite; the message names it and the checkpoint.
    """
    for name, weight in model.model.state_dict().items():
        if weight.is_floating_point() and not torch.isfinite(weight).all():
            raise UserError(
                f'{model.source}: {name} holds NaN or infinite values, the training diverged; use an earlier '
                'checkpoint, or train with a lower learning rate'
            )


def fail(row: Prediction, reason: str) -> None:
    """Make a row say that the model gave nothing for it."""
    row.status, row.message = FAILED, reason
    row.scores.clear()
    row.labels.clear()


def choose(scores: dict[str, float], multi_label: bool) -> Any:
    """The most probable class, or for a multi-label task every class from 0.5 up."""
    if multi_label:
        return [name for name, value in scores.items() if value >= 0.5]
    return max(scores, key=scores.__getitem__)


def add_video_rows(rows: Sequence[Prediction], model: FaceModel) -> list[Prediction]:
    """Put a row with the mean scores after the frames or clips of each face of a video."""
    result: list[Prediction] = []
    for (file, level), group in groupby(rows, key=lambda row: (row.file, row.level)):
        same = list(group)
        result += same
        if level not in ('frame', 'clip'):
            continue
        for face in sorted({row.face for row in same if row.face is not None}):
            members = [row for row in same if row.face == face and row.status == OK]
            if not members:
                continue
            mean = Prediction(file, 'video', face=face, samples=len(members))
            for task, classes in model.tasks.items():
                mean.scores[task] = {c: float(np.mean([m.scores[task][c] for m in members])) for c in classes}
                mean.labels[task] = choose(mean.scores[task], task in model.multi_label)
            result.append(mean)
    return result
