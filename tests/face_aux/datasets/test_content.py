from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from typing import Any

import face_trees as trees
import numpy as np
import pytest
from PIL import Image

from face_aux.datasets.content import content_of, find_held_back
from face_aux.datasets.unlabelled import UnlabelledFaces


def item(path: Path, media: str = 'image', **more: Any) -> dict[str, Any]:
    return {'path': str(path), 'media': media, **more}


@pytest.mark.parametrize('by', ['pixels', 'file'])
def test_copies_are_found_whatever_they_are_called(tmp_path: Path, by: str) -> None:
    held = trees.image(tmp_path / 'test' / 'a.bmp', seed=1)
    for i in range(4):
        trees.image(tmp_path / 'more' / f'{i}.png', seed=10 + i)
    copyfile(held, tmp_path / 'more' / 'other name.bmp')
    Image.open(held).save(tmp_path / 'more' / 'recoded.png')  # the same pixels in other bytes
    more = UnlabelledFaces(str(tmp_path / 'more'), pipeline=dict)
    found = find_held_back(more, [item(held), item(tmp_path / 'damaged.png')], by)
    names = [Path(path).name for _, path, _ in found]
    assert names == (['other name.bmp', 'recoded.png'] if by == 'pixels' else ['other name.bmp'])
    assert {same for _, _, same in found} == {str(held)}
    more.leave_out(i for i, _, _ in found)
    assert not find_held_back(more, [item(held)], by)


def test_arrays_frames_and_videos(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / 'grey.png')
    row = item(tmp_path / 'faces.csv:1', 'array', array=grey)
    assert content_of(row, 'pixels') == content_of(item(tmp_path / 'grey.png'), 'pixels')
    assert find_held_back(UnlabelledFaces(str(tmp_path), pipeline=dict), [row], 'pixels')
    (tmp_path / 'frames').mkdir()
    Image.fromarray(grey).save(tmp_path / 'frames' / '001.png')
    assert content_of(item(tmp_path / 'frames', 'frames'), 'pixels') == content_of(row, 'pixels')
    clip = trees.video(tmp_path / 'a.mp4')
    assert content_of(item(clip, 'video'), 'pixels') == content_of(item(clip, 'video'), 'file') is not None
    assert content_of(item(tmp_path / 'nothing', 'frames'), 'pixels') is None
