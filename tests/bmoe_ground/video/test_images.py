from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from video_files import levels, picture

from bmoe_ground.media import IMAGE_SUFFIXES
from bmoe_ground.video import ImageFolderReader, VideoError, choose_sequence, image_sequences, open_video
from bmoe_ground.video.images import PHOTOGRAPHS


def fill(folder: Path, names: list[str]) -> Path:
    """Images of brightness 0, 1, 2, ... (:func:`level`) in the order of the names given."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, name in enumerate(names):
        coded = cv2.imencode('.png', picture(t))[1]
        (folder / name).write_bytes(coded.tobytes())
    return folder


def read(folder: Path, **options) -> tuple[ImageFolderReader, list]:
    with open_video(folder, **options) as video:
        assert isinstance(video, ImageFolderReader)
        return video, list(video)


@pytest.mark.parametrize(
    'names',
    [
        ['0001.png', '0002.png', '0003.png', '0010.png', '0011.png'],
        ['frame (1).png', 'frame (2).png', 'frame (3).png', 'frame (10).png', 'frame (11).png'],
        ['1_left.png', '2_left.png', '3_left.png', '10_left.png', '11_left.png'],
        [f'S01_take2_{t}_v3.PNG' for t in (7, 8, 9, 10, 11)],
        [f'frame_{t}_time_{0.04 * t:.3f}.png' for t in range(5)],
        [f'2024-05-01_cam1_{t:05d}.png' for t in (0, 5, 10, 15, 20)],
    ],
)
def test_the_number_may_stand_anywhere(tmp_path: Path, names: list[str]) -> None:
    folder = fill(tmp_path / 'v', names)
    assert levels(frame.image for frame in read(folder)[1]) == list(range(len(names)))
    assert len(image_sequences(folder)) == 1


def test_hidden_files_and_others_are_not_looked_at(tmp_path: Path) -> None:
    folder = fill(tmp_path / 'v', ['0001.png', '0002.png'])
    for name in ('._0001.png', '.0003.png', '.DS_Store', 'Thumbs.db', 'notes3.txt', 'cover.png', '0004.png.part'):
        (folder / name).write_bytes(b'junk')
    (folder / '0009.png').mkdir()
    video, frames = read(folder)
    assert len(frames) == 2
    assert (video.problem, video.notes) == (None, [])


def test_of_several_sequences_the_pictures_are_read_and_that_is_said(tmp_path: Path) -> None:
    names = [f'img_{t:05d}.png' for t in range(8)]
    folder = fill(tmp_path / 'v', names + [f'flow_{a}_{t:05d}.png' for a in 'xy' for t in range(7)])
    video, frames = read(folder)
    assert levels(frame.image for frame in frames) == list(range(8))
    assert video.notes == ["the images 'img_#.png' are read; left out: 'flow_x_#.png' (7), 'flow_y_#.png' (7)"]
    stray = fill(tmp_path / 'w', [*names, 'preview 3.png'])
    assert len(read(stray)[1]) == 8
    assert 'preview' in read(stray)[0].notes[0]


@pytest.mark.parametrize(
    'names',
    [
        [f'{side}_{t}.png' for side in ('left', 'right') for t in range(4)],
        [f'cam{c}_{t}.png' for c in (1, 2) for t in range(4)],
        [f'flow_{a}_{t}.png' for a in 'xy' for t in range(4)],
        ['anna1.png', 'ben2.png'],
        [f'{t}{suffix}' for t in range(4) for suffix in ('.png', '.jpg')],
    ],
)
def test_where_nobody_can_know_the_sequences_are_named(tmp_path: Path, names: list[str]) -> None:
    folder = fill(tmp_path / 'v', names)
    with pytest.raises(VideoError, match='2 sequences of images in one folder: .*a folder of its own') as caught:
        open_video(folder)
    assert all(sequence.label in str(caught.value) for sequence in image_sequences(folder))


def test_gaps_keep_their_time_and_are_noted(tmp_path: Path) -> None:
    folder = fill(tmp_path / 'v', [f'{n:04d}.png' for n in (1, 2, 5, 6, 7, 8)])
    video, frames = read(folder, image_fps=10)
    np.testing.assert_allclose([frame.time for frame in frames], [0, 0.1, 0.4, 0.5, 0.6, 0.7])
    assert [frame.index for frame in frames] == list(range(6))
    assert video.notes == ['2 of 8 numbers are missing (the first after 2); the others keep their time']
    even = fill(tmp_path / 'w', [f'{n:04d}.png' for n in (0, 5, 10, 20)])
    np.testing.assert_allclose([frame.time for frame in read(even, image_fps=10)[1]], [0, 0.1, 0.2, 0.4])


@pytest.mark.parametrize(('names', 'note'), [
    ([f'{n}.png' for n in (1000, 1033, 1067, 1100)], 'do not count frames'),
    (['1.png', '01.png', '2.png'], 'occur twice'),
])  # fmt: skip
def test_numbers_that_are_no_count_give_even_times(tmp_path: Path, names: list[str], note: str) -> None:
    video, frames = read(fill(tmp_path / 'v', names), image_fps=10)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(len(names)) / 10)
    assert note in video.notes[0]


@pytest.mark.parametrize('bad', [0, 2, 4])
@pytest.mark.parametrize('content', [b'', b'no picture', b'%!PS-Adobe-3.0 EPSF-3.0\n', b'GIF89a'])
def test_one_bad_image_is_an_empty_frame_with_its_name(tmp_path: Path, bad: int, content: bytes) -> None:
    folder = fill(tmp_path / 'v', [f'f{t}.png' for t in range(5)])
    (folder / f'f{bad}.png').write_bytes(content)
    video, frames = read(folder)
    assert [frame.index for frame in frames] == [t for t in range(5) if t != bad]
    assert video.problem == f'frame {bad} (f{bad}.png) of 5 cannot be decoded and is empty'


def test_an_image_that_would_fill_the_memory_is_a_bad_one(tmp_path: Path) -> None:
    from PIL import Image

    folder = fill(tmp_path / 'v', ['f0.png', 'f1.png'])
    Image.new('1', (30_000, 30_000)).save(folder / 'f1.png')
    assert [step.index for step in _lost(folder)] == [1]


def _lost(folder: Path) -> list:
    video, _ = read(folder)
    return video.lost


def test_a_folder_without_numbered_images_is_no_video(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'x')
    with pytest.raises(VideoError, match='no numbered images'):
        choose_sequence(tmp_path)


@pytest.mark.parametrize('suffix', sorted(IMAGE_SUFFIXES - PHOTOGRAPHS))
def test_every_kind_of_image_may_be_a_frame(tmp_path: Path, suffix: str) -> None:
    level = 255 if suffix == '.pbm' else 130  # one bit a pixel
    grey = Image.fromarray(np.full((16, 24), level, np.uint8))
    mode = {'.pbm': '1', '.pgm': 'L'}.get(suffix, 'RGB')
    grey.convert(mode).save(tmp_path / f'a1{suffix}', format={'.j2k': 'JPEG2000', '.jfif': 'JPEG'}.get(suffix))
    _, frames = read(tmp_path)
    assert frames[0].image.shape == (16, 24, 3)
    assert abs(int(frames[0].image[8, 12, 1]) - level) <= 2


def test_photographs_of_a_phone_are_no_frames(tmp_path: Path) -> None:
    (tmp_path / 'IMG_0001.HEIC').write_bytes(b'any')
    assert image_sequences(tmp_path) == []
