"""A folder of numbered images as a video: which of its images are one sequence, in what order, and when each was."""

from __future__ import annotations

import math
import os
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bmoe_ground.media import media_of, suffix_of
from bmoe_ground.video.frames import MAX_PIXELS, VideoError, VideoReader

PHOTOGRAPHS = frozenset(('.heic', '.heif', '.hif'))  # of phones: nobody's frames, and OpenCV does not read them
FORMATS = ('AVIF', 'BMP', 'DIB', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TIFF', 'WEBP')  # Pillow's names of what is opened
RARE = ('AVIF', 'DIB', 'JPEG2000')  # not every OpenCV has them
DIGITS = re.compile(r'([0-9]+)')
OTHER_KINDS = frozenset((
    'flow', 'flowx', 'flowy', 'depth', 'mask', 'masks', 'seg', 'segmentation', 'ir', 'infrared', 'thermal', 'disparity',
    'disp', 'normal', 'normals', 'heatmap', 'label', 'labels', 'pose', 'skeleton', 'alpha', 'rgbd',
))  # fmt: skip
"""Words in names that say: these are not the pictures of a camera."""
MANY_GAPS = 10  # numbers this much sparser than the images count something else, milliseconds say
Key = tuple[str, ...]


@dataclass
class ImageSequence:
    """Images of one folder that belong together.

    Attributes:
        label: What their names have in common, with ``#`` for the number.
        files: The images in order.
        numbers: The number of each in the sequence's own steps, from 0; None when the names give no times.
        notes: What was guessed or left out.
    """

    label: str
    files: list[Path]
    numbers: list[int] | None
    notes: list[str] = field(default_factory=list)


def image_sequences(folder: Path) -> list[ImageSequence]:
    """Sort the numbered images of a folder into sequences: images whose names differ in one number only.

    Hidden files (``._0001.jpg``, ``.DS_Store``) and images without a number are not looked at. The number may stand
    anywhere in the name (``frame (1).jpg``, ``0001_left.png``); of several numbers that change, it is the one in which
    all names differ, or else the last one, and the others tell sequences apart.

    Args:
        folder: Any folder.

    Returns:
        Sequences, the longest first.
    """
    kinds: dict[Key, list[tuple[tuple[int, ...], Path]]] = defaultdict(list)
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if is_numbered_image(name) and path.is_file():
            parts = DIGITS.split(Path(name).stem)
            kinds[tuple(parts[::2])].append((tuple(map(int, parts[1::2])), path))
    found = [sequence for texts, entries in kinds.items() for sequence in _split(texts, entries)]
    return sorted(found, key=lambda sequence: (-len(sequence.files), sequence.label))


def is_numbered_image(name: str) -> bool:
    """Whether a file of this name may be a picture of a sequence.

    Example:
        >>> is_numbered_image('frame_0001.png'), is_numbered_image('cover.png'), is_numbered_image('._0001.png')
        (True, False, False)
    """
    if name.startswith('.') or media_of(name, gif='video') != 'image' or not DIGITS.search(Path(name).stem):
        return False
    return suffix_of(name) not in PHOTOGRAPHS


def choose_sequence(folder: Path) -> ImageSequence:
    """The one sequence of a folder that is the video.

    Images whose names say that they are optical flow, depth, masks or the like are left out, and so are single
    images beside a sequence; a note says so. Where more than one sequence remains, nobody can know which is meant.

    Raises:
        VideoError: There is none, or more than one.
    """
    found = image_sequences(folder)
    if not found:
        raise VideoError(f'{folder}: no numbered images in this folder')
    left = [one for one in found if not OTHER_KINDS & set(re.split('[^a-z]+', one.label.lower()))] or found
    if len(left[0].files) > 1:
        left = [one for one in left if len(one.files) > 1]
    if len(left) > 1:
        names = ', '.join(f"'{one.label}' ({len(one.files)})" for one in left[:6])
        raise VideoError(
            f'{folder}: {len(left)} sequences of images in one folder: {names}{", ..." if len(left) > 6 else ""}; '
            'give each a folder of its own'
        )
    chosen = left[0]
    if others := [one for one in found if one is not chosen]:
        names = ', '.join(f"'{one.label}' ({len(one.files)})" for one in others[:6])
        chosen.notes.append(f"the images '{chosen.label}' are read; left out: {names}{', ...' if others[6:] else ''}")
    return chosen


def numbered_images(folder: Path) -> list[Path]:
    """All numbered images of a folder, of whatever sequence, the longest sequence first."""
    return [file for sequence in image_sequences(folder) for file in sequence.files]


def _split(texts: Key, entries: list[tuple[tuple[int, ...], Path]]) -> list[ImageSequence]:
    """Sequences of images whose names differ in numbers only."""
    suffixes = {path.suffix.lower() for _, path in entries}
    if len({numbers for numbers, _ in entries}) < len(entries) and len(suffixes) > 1:
        parts = [[entry for entry in entries if entry[1].suffix.lower() == suffix] for suffix in sorted(suffixes)]
        return [sequence for part in parts for sequence in _split(texts, part)]
    count = len(texts) - 1
    distinct = [{numbers[place] for numbers, _ in entries} for place in range(count)]
    unique = [place for place in range(count) if len(distinct[place]) == len(entries)]
    changing = [place for place in range(count) if len(distinct[place]) > 1]
    # Of "frame_12_t0.400" both 12 and 400 differ everywhere; the one that counts without gaps is the frame's.
    if unique:
        counter = min(unique, key=lambda place: (max(distinct[place]) - min(distinct[place]), -place))
    else:
        counter = changing[-1] if changing else count - 1
    groups: dict[tuple[int, ...], list[tuple[int, str, Path]]] = defaultdict(list)
    for numbers, path in entries:
        rest = () if unique else tuple(n for place, n in enumerate(numbers) if place != counter)
        groups[rest].append((numbers[counter], path.name, path))
    return [_sequence(texts, counter, rest, group, distinct) for rest, group in groups.items()]


def _sequence(
    texts: Key,
    counter: int,
    rest: tuple[int, ...],
    group: list[tuple[int, str, Path]],
    distinct: list[set[int]],
) -> ImageSequence:
    group = sorted(group)
    fixed = list(rest)
    label = texts[0]
    for place, text in enumerate(texts[1:]):
        if place == counter:
            label += '#'
        elif rest:
            label += str(fixed[place - (place > counter)])
        else:
            label += str(next(iter(distinct[place]))) if len(distinct[place]) == 1 else '*'
        label += text
    files = [path for *_, path in group]
    label += files[0].suffix
    return ImageSequence(label, files, *_even_numbers([number for number, *_ in group]))


def _even_numbers(numbers: list[int]) -> tuple[list[int] | None, list[str]]:
    """Numbers from 0 in the step that all have in common, and a note where some are missing."""
    gaps = [after - before for before, after in zip(numbers, numbers[1:], strict=False)]
    if not gaps:
        return [0], []
    if min(gaps) == 0:
        return None, ['some numbers occur twice; the images are taken as evenly spaced']
    step = math.gcd(*gaps)
    even = [(number - numbers[0]) // step for number in numbers]
    missing = even[-1] + 1 - len(even)
    if not missing:
        return even, []
    if even[-1] > MANY_GAPS * len(even):
        return None, ['the numbers in the names do not count frames; the images are taken as evenly spaced']
    where = next(a for a, gap in zip(numbers, gaps, strict=False) if gap > step)
    return even, [
        f'{missing} of {even[-1] + 1} numbers are missing (the first after {where}); the others keep their time'
    ]


class ImageFolderReader(VideoReader):
    """A folder of numbered images as a video (see :func:`choose_sequence`).

    An image's time is its number's, so that missing ones leave a gap in time; one that cannot be decoded is a lost
    frame, named.

    Args:
        path: The folder.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every ``stride``-th image.
        fps: Images per second.
        only: Numbers of the frames to keep, None for all.

    Raises:
        VideoError: The folder holds no sequence of images, or several.
    """

    def __init__(
        self,
        path: Path,
        start: float = 0.0,
        end: float | None = None,
        stride: int = 1,
        fps: float = 30.0,
        only: Collection[int] | None = None,
    ) -> None:
        super().__init__(path, start, end, stride, only)
        if not fps > 0:
            raise ValueError(f'fps must be positive, got {fps}')
        sequence = choose_sequence(path)
        self._files, self._fps = sequence.files, fps
        self._numbers = sequence.numbers or list(range(len(self._files)))
        self.notes += sequence.notes
        self.library = f'OpenCV {cv2.__version__}'
        self.expected_frames = len(self._files)

    def count(self) -> int:
        """See :meth:`VideoReader.count`."""
        return len(self._files)

    def _advance(self) -> float | None:
        return self._numbers[self.frames_read] / self._fps if self.frames_read < len(self._files) else None

    def _name(self, index: int) -> str:
        return f'{index} ({self._files[index].name})'

    def _image(self) -> np.ndarray | None:
        return decode_image(self._files[self.frames_read - 1])


def decode_image(path: Path) -> np.ndarray | None:
    """Pixels of an image file, (height, width, 3) uint8 BGR; None when it is damaged, or too large to be a frame."""
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            if image.format in RARE:
                return np.asarray(image.convert('RGB'))[..., ::-1].copy()
        return cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, cv2.error):
        return None
