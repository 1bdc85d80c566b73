"""Person detection with an MMDetection model, several frames in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bmoe_ground.errors import UserError
from pose_extract.estimators.openmmlab import build_model, load_config, nms
from pose_extract.poses import PersonBoxes

NMS_THRESHOLD = 0.3


class PersonDetector:
    """An MMDetection detector, of which only the persons are wanted.

    Args:
        config: Its config file.
        checkpoint: Its weights.
        threshold: Least score of a person, 0..1.
        device: Where it runs.
    """

    def __init__(self, config: Path, checkpoint: Path, threshold: float, device: torch.device) -> None:
        from mmdet.registry import MODELS
        from mmdet.utils import get_test_pipeline_cfg
        from mmengine.dataset import Compose
        from mmengine.registry import init_default_scope

        loaded = load_config(config)
        model, meta = build_model(loaded, checkpoint, MODELS, 'mmdet')
        self.model: Any = model.to(device)
        classes = [str(name) for name in (meta.get('dataset_meta') or {}).get('classes', ())]
        if classes and 'person' not in classes:
            raise UserError(f'{checkpoint}: this detector knows no class "person", only {", ".join(classes[:10])}')
        self.person = classes.index('person') if classes else 0
        self.threshold = threshold
        init_default_scope('mmdet')
        steps = get_test_pipeline_cfg(loaded)
        steps[0].type = 'mmdet.LoadImageFromNDArray'
        self.transform = Compose(steps)

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray]) -> list[PersonBoxes]:
        """Find the persons.

        Args:
            images: Each (height, width, 3) uint8, BGR.

        Returns:
            The boxes of each image, best first.
        """
        from mmengine.dataset import pseudo_collate

        batch = pseudo_collate([self.transform({'img': image, 'img_id': 0}) for image in images])
        return [self._persons(sample.pred_instances) for sample in self.model.test_step(batch)]

    def _persons(self, found: Any) -> PersonBoxes:
        boxes, scores = found.bboxes.float().cpu(), found.scores.float().cpu()
        sure = (found.labels.cpu() == self.person) & (scores > self.threshold)
        boxes, scores = boxes[sure], scores[sure]
        kept = nms(boxes, scores, NMS_THRESHOLD)
        return PersonBoxes(boxes[kept].numpy(), scores[kept].numpy())
