from __future__ import annotations

import pytest
import torch

from face_aux.textures.tiles import cut_tiles

SHAPES = [(50, 40, 40), (3, 536, 120), (1, 4, 8192), (2, 3, 40_000), (7, 181, 181), (1, 1, 1)]


@pytest.mark.parametrize('margin', [0, 1, 2])
@pytest.mark.parametrize('shape', SHAPES)
def test_tiles_hold_each_pixel_once_and_are_too_small_to_be_shared_out(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], margin: int
) -> None:
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 1)
    images = torch.zeros(shape, dtype=torch.uint8)
    tiles = cut_tiles(images, margin)
    for part, rows in tiles:
        images[part, rows] += 1
        height = rows.stop - rows.start
        pixels = (part.stop - part.start) * (height + 2 * margin) * (shape[2] + 2 * margin)
        assert pixels < 32768 or (part.stop - part.start, height) == (1, 1)  # a row is not cut
    assert (images == 1).all()


def test_many_small_images_share_a_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 1)
    assert cut_tiles(torch.zeros(50, 40, 40), 1)[0] == (slice(0, 18), slice(0, 40))  # 18 * 42 * 42 = 31,752
    assert cut_tiles(torch.zeros(0, 40, 40), 1) == []
