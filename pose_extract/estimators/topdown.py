"""Batched top-down inference: the crops of many frames and persons in one forward pass of an MMPose model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pose_extract.estimators.execution import RawOutput, choose_execution
from pose_extract.settings import ExtractSettings


class TopdownModel:
    """Runs a top-down MMPose model on crops, with the numbers of MMPose's ``inference_topdown``.

    MMPose's own transforms cut the crops and its own head decodes, so that any of its top-down configs works. Between
    them the network runs once: all crops together, and with flip test their mirror images in the same batch.

    Args:
        model: An MMPose ``TopdownPoseEstimator`` in eval mode.
        pipeline: The config's test pipeline.
        dataset_meta: The parsed dataset metainfo (keypoint names, flip indices).
        settings: ``flip_test``, ``batch``, ``precision`` and ``accelerate``.
        device: Where the model is.

    Attributes:
        execution: How the network is run.
    """

    def __init__(
        self,
        model: Any,
        pipeline: list[dict[str, Any]],
        dataset_meta: dict[str, Any],
        settings: ExtractSettings,
        device: torch.device,
    ) -> None:
        from mmengine.dataset import Compose

        self.model, self.flip_test, self.batch = model, settings.flip_test, settings.batch
        self.transform = Compose([step for step in pipeline if step['type'] != 'LoadImage'])
        self.dataset_meta = dataset_meta
        input_size = next(step['input_size'] for step in pipeline if 'input_size' in step)
        with torch.no_grad():
            self.network, self.execution = choose_execution(
                _Network(model), input_size, device, settings.precision, settings.accelerate
            )
        self._head_forward = model.head.forward
        self.test_cfg = {**(model.test_cfg or {}), 'flip_test': settings.flip_test}

    def crop(self, image: np.ndarray, box: np.ndarray) -> dict[str, Any]:
        """Cut one person out.

        Args:
            image: (height, width, 3) uint8, BGR.
            box: (4,) xyxy pixels.

        Returns:
            What MMPose's pipeline makes of it: ``inputs`` (3, h, w) uint8 and ``data_samples``.
        """
        box = np.asarray(box, np.float32)[None]
        data = {'img': image, 'img_shape': image.shape[:2], 'bbox': box, 'bbox_score': np.ones(1, np.float32)}
        return self.transform({**data, **self.dataset_meta})

    @torch.inference_mode()
    def predict(self, crops: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of all crops, in image coordinates.

        Args:
            crops: What :meth:`crop` returned, N of them.

        Returns:
            Keypoints (N, K, 2) float32 in pixels of the image and scores (N, K) float32, as MMPose gives them.
        """
        keypoints, scores = [], []
        for first in range(0, len(crops), self.batch):
            for sample in self._predict_batch(crops[first : first + self.batch]):
                keypoints.append(sample.pred_instances.keypoints[0, :, :2])
                scores.append(sample.pred_instances.keypoint_scores[0])
        return np.asarray(keypoints, np.float32), np.asarray(scores, np.float32)

    def _predict_batch(self, crops: Sequence[dict[str, Any]]) -> list[Any]:
        from mmengine.dataset import pseudo_collate

        data = self.model.data_preprocessor(pseudo_collate(list(crops)), False)
        inputs, samples = data['inputs'], data['data_samples']
        count = len(inputs)
        if self.flip_test:
            inputs = torch.cat([inputs, inputs.flip(-1)])
        outputs = self.network(inputs)
        features: Any = [_part(outputs, 0, count), _part(outputs, count, None)] if self.flip_test else outputs
        # The network has run already: for the decoding, the head's own forward hands its outputs through.
        self.model.head.forward = _identity
        try:
            predictions = self.model.head.predict(features, samples, test_cfg=self.test_cfg)
        finally:
            self.model.head.forward = self._head_forward
        if isinstance(predictions, tuple):
            predictions = predictions[0]
        return self.model.add_pred_to_datasample(predictions, None, samples)


class _Network(nn.Module):
    """Backbone, neck and head of a pose estimator, from normalised crops to raw outputs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.eval()  # else the ONNX exporter would put the whole model back into training mode

    def forward(self, inputs: Tensor) -> RawOutput:
        return self.model.head(self.model.extract_feat(inputs))


def _identity(features: Any) -> Any:
    return features


def _part(outputs: RawOutput, first: int, last: int | None) -> RawOutput:
    if isinstance(outputs, Tensor):
        return outputs[first:last]
    return tuple(output[first:last] for output in outputs)
