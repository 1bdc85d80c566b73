from __future__ import annotations

import numpy as np
import pytest

from face_aux.detection import Face
from face_aux.detection.tiles import TILE_MIN, Tile, tile_sides, tiles


@pytest.mark.parametrize(('height', 'width'), [(810, 1070), (1080, 1920), (3000, 4000), (400, 300), (192, 6000)])
def test_every_small_face_lies_whole_in_a_tile(height: int, width: int) -> None:
    sides = tile_sides(height, width)
    assert sides
    assert min(sides) >= TILE_MIN
    rng = np.random.default_rng(0)
    for side in sides:
        grid = list(tiles(height, width, side))
        for face in rng.uniform(0, 1, (50, 3)):
            size = face[0] * min(side / 2 - 1, height, width)
            x, y = face[1] * (width - size), face[2] * (height - size)
            box = Face((x, y, x + size, y + size))
            assert any(t.x <= x and t.y <= y and x + size <= t.x + side and y + size <= t.y + side for t in grid), (
                side,
                box,
            )
            assert any(not t.cuts(box, height, width) for t in grid)


def test_tiles_stay_in_the_image_and_hold_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (500, 700, 3), dtype=np.uint8)
    seen = np.zeros((500, 700), bool)
    for tile in tiles(500, 700, 350):
        pixels = tile.of(image)
        assert pixels.shape == (350, 350, 3)
        np.testing.assert_array_equal(pixels, image[tile.y : tile.y + 350, tile.x : tile.x + 350])
        seen[tile.y : tile.y + 350, tile.x : tile.x + 350] = True
    assert seen.all()


def test_only_inner_borders_cut() -> None:
    corner = Tile(0, 0, 200)
    assert not corner.cuts(Face((-30, -30, 60, 60)), 400, 400)  # over the image's own border
    assert corner.cuts(Face((150, 50, 230, 130)), 400, 400)
    assert corner.cuts(Face((50, 150, 130, 230)), 400, 400)
    assert not corner.cuts(Face((150, 50, 203, 130)), 400, 400)  # 1.5 % of the tile
    assert Tile(200, 200, 200).cuts(Face((170, 250, 260, 340)), 400, 400)
    assert not Tile(200, 200, 200).cuts(Face((350, 350, 430, 430)), 400, 400)


def test_small_images_have_no_tiles() -> None:
    assert tile_sides(200, 383) == []
    assert tile_sides(100, 384) == [192]
