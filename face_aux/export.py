"""Write a trained face model as an ONNX file: pixels of a face in, probabilities of each task out."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_ground.files import file_digest
from bmoe_ground.onnx_files import write_onnx
from bmoe_ground.version import __version__
from face_aux.checkpoint import FaceModel, load_face_model
from face_aux.models.descriptor import DescriptorModel
from face_aux.models.joint import TextureJointModel
from face_aux.registry import TRANSFORMS
from face_aux.transforms import CenterCrop, LoadFace, Normalize, PackFaceInputs, Resize
from mm_runtime.registry import build_embedded

FORMAT = 'bmoe-face 1'


class FaceGraph(nn.Module):
    """A face model with the normalisation of its pixels.

    Args:
        trained: The model and its test pipeline.

    Attributes:
        size: Side of the square crop that it takes, in pixels.

    Raises:
        UserError: The model takes clips, or its pipeline has a step that cannot be exported; it is named.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, trained: FaceModel) -> None:
        super().__init__()
        if not isinstance(trained.model, (TextureJointModel, DescriptorModel)):
            raise UserError(f'{trained.source}: its {type(trained.model).__name__} is no model that can be exported')
        if isinstance(trained.model, DescriptorModel) and (names := trained.model.descriptor.not_exportable()):
            raise UserError(
                f'{trained.source}: its descriptors {", ".join(names)} count codes of pixels, which ONNX has no '
                'operators for; HOG and RGB can be exported'
            )
        self.model = trained.model
        self.tasks = list(trained.tasks)
        size, mean, std = None, None, None
        for step in [build_embedded(TRANSFORMS, step, trained.source) for step in trained.pipeline]:
            if isinstance(step, Normalize):
                mean, std = step.mean, step.std
            elif isinstance(step, (Resize, CenterCrop)):
                size = step.size
            elif not isinstance(step, (LoadFace, PackFaceInputs)):
                raise UserError(f'{trained.source}: the step {type(step).__name__} cannot be exported')
        if size is None or mean is None:
            raise UserError(f'{trained.source}: its test pipeline says no size or no normalisation')
        self.size = size
        self.register_buffer('mean', torch.from_numpy(np.asarray(mean, np.float32)).view(3, 1, 1))
        self.register_buffer('std', torch.from_numpy(np.asarray(std, np.float32)).view(3, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Classify faces.

        Args:
            images: (N, 3, size, size) float32, red, green, blue in 0..255.

        Returns:
            For each task (N, classes) probabilities.
        """
        logits = self.model((images / 255 - self.mean) / self.std)
        return tuple(self.model.heads[task].probabilities(logits[task]) for task in self.tasks)


def export_face_model(checkpoint: str | os.PathLike[str], path: str | os.PathLike[str]) -> float:
    """Export a checkpoint of a face model that reads single images.

    Args:
        checkpoint: A checkpoint of ``bmoe train``.
        path: The ``.onnx`` file to write; ``<path>.json`` says tasks, classes and how faces are cropped.

    Returns:
        The largest difference from the model in torch, over batches of three sizes.

    Raises:
        UserError: The checkpoint is unfit, its model takes clips, or the file cannot be written.

    Example:
        >>> export_face_model('face.pth', 'face.onnx') < 1e-4
        True
    """
    trained = load_face_model(checkpoint)
    graph = FaceGraph(trained).eval()
    generator = torch.Generator().manual_seed(0)
    samples = [
        {'images': 255 * torch.rand(count, 3, graph.size, graph.size, generator=generator)} for count in (2, 1, 5)
    ]
    axes = {name: {0: 'faces'} for name in ['images', *graph.tasks]}
    return write_onnx(path, graph, samples, graph.tasks, axes, _facts(trained, file_digest(checkpoint), graph.size))


def _facts(trained: FaceModel, digest: str, size: int) -> dict[str, Any]:
    return {
        'format': FORMAT,
        'version': __version__,
        'checkpoint_sha256': digest,
        'tasks': {
            task: {'classes': list(classes), 'multi_label': task in trained.multi_label}
            for task, classes in trained.tasks.items()
        },
        'inputs': {'images': f'float32 (faces, 3, {size}, {size}), red, green, blue in 0..255'},
        'outputs': dict.fromkeys(trained.tasks, 'float32 (faces, classes), probabilities'),
        'crop': trained.crop,
        'pipeline': trained.pipeline,
    }
