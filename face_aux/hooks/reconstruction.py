"""Pictures of what the auxiliary task sees, hides and reconstructs, during training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from PIL import Image, ImageDraw

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write
from face_aux.models.joint import ReconstructionPictures, TextureJointModel
from face_aux.models.targets import Target, denormalize
from face_aux.registry import HOOKS

_TITLE = 14  # pixels of the line of titles
_GAP = 2


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Writes ``<work_dir>/reconstructions/epoch_<n>.png``: image, what is left of it, pattern, reconstruction.

    The same samples, from the first batch, and the same mask appear in each picture. Drawing them takes no random
    numbers from the training. Of a clip the middle frame is shown.

    Args:
        samples: Number of rows.
        interval: Epochs between pictures; one is written after the last epoch anyway.
        side: Enlarge smaller images to about this side in pixels.
    """

    priority = 'LOW'

    def __init__(self, samples: int = 6, interval: int = 1, side: int = 144) -> None:
        if samples < 1 or interval < 1:
            raise UserError(f'ReconstructionHook: samples and interval must be 1 or more, got {samples} and {interval}')
        self.samples, self.interval, self.side = samples, interval, side
        self._active = False
        self._batch: tuple[torch.Tensor, torch.Tensor] | None = None

    def before_train(self, runner: Runner) -> None:
        """Say so where the model reconstructs nothing, as the baseline of the same config."""
        self._active = getattr(_model_of(runner), 'auxiliary', None) is not None
        if not self._active:
            runner.logger.info('the model has no auxiliary task: no reconstruction pictures')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Keep the first samples there are."""
        if self._active and self._batch is None:
            inputs, source = (list(data_batch[key])[: self.samples] for key in ('inputs', 'texture_source'))
            self._batch = torch.stack(inputs).cpu(), torch.stack(source).cpu()

    def after_train_epoch(self, runner: Runner) -> None:
        """Write the picture of this epoch."""
        last = runner.epoch + 1 == runner.max_epochs
        if not is_main_process() or self._batch is None or not (last or self.every_n_epochs(runner, self.interval)):
            return
        picture = draw(_model_of(runner), *self._batch, self.side)
        with atomic_write(Path(runner.work_dir) / 'reconstructions' / f'epoch_{runner.epoch + 1:03d}.png') as file:
            picture.save(file, format='PNG')


def draw(
    model: TextureJointModel, inputs: torch.Tensor, source: torch.Tensor, side: int = 144, seed: int = 0
) -> Image.Image:
    """One picture of a batch, a row for each sample.

    Args:
        model: A model with an auxiliary task.
        inputs: (B, 3, [T,] H, W) normalised.
        source: uint8 of the same shape.
        side: Enlarge smaller images to about this side in pixels.
        seed: Of the mask.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    with torch.random.fork_rng(devices=[device] if device.type == 'cuda' else []):
        torch.manual_seed(seed)
        pictures = model.reconstruct(inputs.to(device), source.to(device))
    model.train(training)
    assert model.auxiliary is not None  # mypy: reconstruct has refused it
    columns = _columns(pictures, model.hidden_pixels(pictures.mask), model.auxiliary.targets)
    return _sheet(columns, max(1, round(side / source.shape[-2])))


def _columns(
    pictures: ReconstructionPictures, hidden: torch.Tensor, targets: dict[str, Target]
) -> dict[str, np.ndarray]:
    """Title to (B, H, W, 3) uint8."""
    columns = {'image': pictures.image, 'visible': torch.where(hidden, 127, pictures.image).to(torch.uint8)}
    for name, (truth, shown) in pictures.shown.items():
        columns[name] = _as_colours(truth, targets[name])
        columns[f'{name} filled in'] = _as_colours(shown, targets[name])
    middle = pictures.image.shape[2] // 2
    return {title: clip[:, :, middle].permute(0, 2, 3, 1).cpu().numpy() for title, clip in columns.items()}


def _as_colours(maps: torch.Tensor, target: Target) -> torch.Tensor:
    """A target's maps (B, C, T, H, W) as (B, 3, T, H, W) uint8."""
    if target.kind == 'rgb':
        return denormalize(maps, target.mean, target.std)
    if target.kind == 'planes':
        weights = 2.0 ** torch.arange(target.channels, device=maps.device)
        maps = torch.einsum('bcthw,c->bthw', maps, weights / weights.sum())[:, None]
    elif target.kind == 'kirsch':
        maps = maps.amax(dim=1, keepdim=True).clamp(min=0).sqrt()  # edges are rarely near the largest possible response
    return (maps.clamp(0, 1) * 255).round().to(torch.uint8).expand(-1, 3, -1, -1, -1)


def _sheet(columns: dict[str, np.ndarray], scale: int) -> Image.Image:
    rows, height, width = next(iter(columns.values())).shape[:3]
    height, width = height * scale + _GAP, width * scale + _GAP
    sheet = Image.new('RGB', (width * len(columns), _TITLE + height * rows), 'white')
    text = ImageDraw.Draw(sheet)
    for x, (title, images) in enumerate(columns.items()):
        text.text((x * width, 1), title, fill='black')
        for y, image in enumerate(images):
            enlarged = np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)
            sheet.paste(Image.fromarray(enlarged), (x * width, _TITLE + y * height))
    return sheet


def _model_of(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
