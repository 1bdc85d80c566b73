from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bmoe_ground.errors import UserError
from face_aux.hooks import ReconstructionHook
from face_aux.hooks.reconstruction import draw
from face_aux.models import TextureJointModel
from face_aux.textures import local_directional_pattern, to_gray


def model(auxiliary: dict | None, **options: Any) -> TextureJointModel:
    torch.manual_seed(0)
    encoder = {'name': 'vit_tiny_patch16_224', 'img_size': 24, 'patch_size': 6, 'embed_dim': 24, 'depth': 1}
    clip = {'frames': 4} if options.pop('clip', False) else {}
    return TextureJointModel({**encoder, 'num_heads': 2, **clip}, {'sex': {'num_classes': 2}}, auxiliary, **options)


def batch(*shape: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(0, 256, (3, 3, *shape), dtype=torch.uint8, generator=generator)
    return {'inputs': torch.randn(source.shape, generator=generator), 'texture_source': source}


@pytest.mark.parametrize('kind', ['codes', 'planes', 'kirsch'])
def test_picture_shows_image_pattern_and_both_reconstructions(kind: str) -> None:
    data = batch(24, 24)
    sheet = draw(model({'kind': kind}, variant='MRGB/RRGB+LDP/CRGB'), *data.values(), side=24)
    assert sheet.size == (6 * 26, 14 + 3 * 26)  # image, visible, and two for each target
    pixels = np.asarray(sheet)
    for row in range(3):
        top = 14 + row * 26
        np.testing.assert_array_equal(pixels[top : top + 24, :24], data['texture_source'][row].permute(1, 2, 0))
    if kind == 'codes':
        expected = local_directional_pattern(to_gray(data['texture_source']))
        np.testing.assert_array_equal(pixels[14 : 14 + 24, 4 * 26 : 4 * 26 + 24, 0], expected[0])


def test_three_quarters_of_the_image_are_hidden() -> None:
    data = batch(24, 24)
    pixels = np.asarray(draw(model({}), *data.values(), side=24))
    visible = pixels[14 : 14 + 24, 26 : 26 + 24]
    assert (visible == 127).all(axis=-1).mean() == pytest.approx(0.75, abs=0.01)


def test_a_clip_shows_its_middle_frame() -> None:
    data = batch(4, 24, 24)
    pixels = np.asarray(draw(model({}, clip=True), *data.values(), side=48))
    frame = data['texture_source'][0, :, 2].permute(1, 2, 0).repeat_interleave(2, 0).repeat_interleave(2, 1)
    np.testing.assert_array_equal(pixels[14 : 14 + 48, :48], frame)


def test_drawing_leaves_training_as_it_was() -> None:
    joint = model({}).train()
    state = torch.get_rng_state()
    first = draw(joint, *batch(24, 24).values())
    assert torch.equal(torch.get_rng_state(), state)
    assert joint.training
    assert np.array_equal(np.asarray(first), np.asarray(draw(joint, *batch(24, 24).values())))


def runner(folder: Path, joint: TextureJointModel, epochs: int) -> SimpleNamespace:
    return SimpleNamespace(model=joint, epoch=0, max_epochs=epochs, work_dir=str(folder), logger=logging.getLogger())


def test_pictures_at_the_interval_and_at_the_end(tmp_path: Path) -> None:
    running, hook = runner(tmp_path, model({}), 5), ReconstructionHook(samples=2, interval=2, side=24)
    hook.before_train(running)
    for running.epoch in range(5):
        hook.after_train_iter(running, 0, batch(24, 24))
        hook.after_train_epoch(running)
    files = sorted((tmp_path / 'reconstructions').iterdir())
    assert [file.name for file in files] == ['epoch_002.png', 'epoch_004.png', 'epoch_005.png']
    assert Image.open(files[0]).size == (4 * 26, 14 + 2 * 26)


def test_the_baseline_has_none_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    running, hook = runner(tmp_path, model(None), 1), ReconstructionHook()
    with caplog.at_level(logging.INFO):
        hook.before_train(running)
    assert 'no auxiliary task' in caplog.text
    hook.after_train_iter(running, 0, {'inputs': torch.zeros(1, 3, 24, 24)})
    hook.after_train_epoch(running)
    assert not (tmp_path / 'reconstructions').exists()
    with pytest.raises(UserError, match='1 or more'):
        ReconstructionHook(samples=0)
