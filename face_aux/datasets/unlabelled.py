"""Faces without labels, which the auxiliary task sees beside the labelled ones."""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmengine.logging import print_log

from bmoe_ground.errors import UserError
from bmoe_ground.folders import iter_files
from bmoe_ground.media import media_of
from bmoe_ground.tables import iter_table
from face_aux.registry import DATASETS
from face_aux.transforms.chance import integer
from face_aux.transforms.loading import LoadFaceClip

HELD_BACK = ('error', 'skip')
CHECKS = ('pixels', 'file')
_TRIES = 100


class Source(Protocol):
    """Where items come from."""

    name: str
    has_groups: bool

    def __len__(self) -> int: ...

    def item(self, index: int) -> dict[str, Any]:
        """The ``index``-th item, as a pipeline takes it."""


class FolderSource:
    """Every image below a folder or, for clips, every video and every folder of frames; read when it is wanted.

    Names are kept as bytes, some forty a file, so that millions fit; nothing is decoded before it is drawn.

    Args:
        folder: The folder.
        clips: Whether clips are wanted.
        groups: Groups of the faces: ``dict(file=..., key='path', columns=[...])``, a CSV below the folder whose key
            column holds paths below it.

    Raises:
        UserError: There is no such folder, or nothing in it that can be used.

    Example:
        >>> FolderSource('/nowhere')
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: /nowhere: no such folder
    """

    def __init__(self, folder: str | Path, clips: bool = False, groups: Mapping[str, Any] | None = None) -> None:
        self.folder, self.name = Path(folder), str(folder)
        self._names, self._ends = bytearray(), array('q')
        for name in _clips(self.folder) if clips else _pictures(self.folder):
            self._names += name.encode('utf-8', 'surrogateescape')
            self._ends.append(len(self._names))
        if not self._ends:
            wanted = 'video or folder of frames' if clips else 'image or video'
            raise UserError(f'unlabelled: no {wanted} below {self.folder}')
        self._groups = _read_groups(self.folder, **groups) if groups else {}
        self.has_groups = bool(self._groups)

    def __len__(self) -> int:
        return len(self._ends)

    def item(self, index: int) -> dict[str, Any]:
        """The ``index``-th item, as a pipeline takes it."""
        start = self._ends[index - 1] if index else 0
        name = self._names[start : self._ends[index]].decode('utf-8', 'surrogateescape')
        path = self.folder / name
        media = 'frames' if name.endswith('/') else media_of(path)
        return {
            'path': str(path), 'media': media, 'gt': {}, 'groups': self._groups.get(name.rstrip('/'), {}),
            'video_id': None, 'position': 0.5, 'segment': 1.0,
        }  # fmt: skip


class ReaderSource:
    """The faces of a labelled set, without their labels; their groups stay known.

    Args:
        config: A dataset of :mod:`face_aux.datasets`.
    """

    has_groups = True

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.dataset = DATASETS.build({**config, 'pipeline': []})
        self.name = f'{config["type"]} in {self.dataset.data_root}'

    def __len__(self) -> int:
        return len(self.dataset)

    def item(self, index: int) -> dict[str, Any]:
        """The ``index``-th item, as a pipeline takes it."""
        return {**self.dataset.get_data_info(index), 'gt': {}}


class UnlabelledFaces:
    """A stream of faces without labels, some for each labelled sample.

    Every face is drawn once before one is drawn again, in an order that depends on the seed alone: neither the number
    of workers nor a stop and resume changes it.

    Args:
        source: A folder; or ``dict(folder=..., groups=...)``, see :class:`FolderSource`; or a labelled set whose labels
            are left alone, ``dict(type='UTKFace', data_root=..., ...)``.
        pipeline: Transforms of an item, those of the labelled samples; it keeps the texture source.
        ratio: Unlabelled faces for each labelled one, at least 1.
        bad_images: A file that cannot be read: 'error', or 'skip', which logs it and draws another.
        held_back: Faces of the validation or test part among them: 'error', or 'skip' to leave them out; see
            :class:`face_aux.hooks.HeldBackHook`.
        check: How these are found: by decoded 'pixels', or as byte for byte the same 'file', which is faster.

    Raises:
        UserError: An argument is wrong, or there is nothing to draw.
    """

    def __init__(
        self,
        source: str | Mapping[str, Any],
        pipeline: Callable[[dict], dict | None],
        ratio: int = 1,
        bad_images: str = 'error',
        held_back: str = 'error',
        check: str = 'pixels',
    ) -> None:
        if not isinstance(ratio, int) or ratio < 1:
            raise UserError(f'unlabelled_ratio must be a whole number of at least 1, but got {ratio!r}')
        if held_back not in HELD_BACK or check not in CHECKS:
            raise UserError(
                f'unlabelled: held_back is one of {HELD_BACK} and check one of {CHECKS}, got {held_back!r}, {check!r}'
            )
        self.pipeline, self.ratio, self.bad_images = pipeline, ratio, bad_images
        self.held_back, self.check = held_back, check
        clips = any(isinstance(step, LoadFaceClip) for step in getattr(pipeline, 'transforms', ()))
        self.source = _open_source(source, clips)
        self._kept: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.source) if self._kept is None else len(self._kept)

    def item(self, index: int) -> dict[str, Any]:
        """The ``index``-th item that is not left out, as a pipeline takes it."""
        return self.source.item(index if self._kept is None else int(self._kept[index]))

    def leave_out(self, indices: Iterable[int]) -> None:
        """Draw these no more.

        Raises:
            UserError: None would be left.
        """
        left = np.delete(np.arange(len(self.source)) if self._kept is None else self._kept, list(indices))
        if not len(left):
            raise UserError(f'unlabelled: every face of {self.source.name} belongs to the validation or test part')
        self._kept = left

    def companions(self, index: int, samples: int, epoch: int, seed: int) -> dict[str, torch.Tensor]:
        """What goes beside a labelled sample.

        Args:
            index: The labelled sample.
            samples: How many labelled ones there are.
            epoch: Running epoch; -1 where no hook has set it, and the faces are drawn at random.
            seed: The run's.

        Returns:
            ``unlabelled_inputs`` float32 and ``unlabelled_source`` uint8, (ratio, 3, H, W) or (ratio, 3, T, H, W).
        """
        first = (epoch * samples + index) * self.ratio
        packed = [
            self._packed(shuffled_place(first + i, len(self), seed) if epoch >= 0 else integer(0, len(self) - 1))
            for i in range(self.ratio)
        ]
        return {
            'unlabelled_inputs': torch.stack([each['inputs'] for each in packed]),
            'unlabelled_source': torch.stack([each['texture_source'] for each in packed]),
        }

    def _packed(self, index: int) -> dict[str, Any]:
        for _ in range(_TRIES):
            try:
                packed = self.pipeline(self.item(index))
            except UserError as error:
                if self.bad_images == 'error':
                    raise
                message = f'left out, another unlabelled face is drawn: {error}'
                print_log(message, logger='current', level=logging.WARNING)
                index = integer(0, len(self) - 1)
                continue
            if packed is None or 'texture_source' not in packed:
                raise UserError('unlabelled faces need KeepTextureSource in train_pipeline, as in configs/face_aux')
            return packed
        raise UserError(f'unlabelled: {_TRIES} faces of {self.source.name} in a row cannot be read; see the log')

    def group_counts(self) -> dict[str, Counter[str]]:
        """Faces of each group by column, among those whose groups are known."""
        counts: dict[str, Counter[str]] = {}
        for i in range(len(self) if self.source.has_groups else 0):
            for column, value in self.item(i)['groups'].items():
                counts.setdefault(column, Counter())[value] += 1
        return counts


def make_unlabelled(
    source: str | Mapping[str, Any], pipeline: Callable[[dict], dict | None], ratio: int, bad_images: str
) -> UnlabelledFaces:
    """Faces without labels as a config has them: a folder, or a dict that may hold ``held_back`` and ``check``.

    Args:
        source: See :class:`UnlabelledFaces`.
        pipeline: See :class:`UnlabelledFaces`.
        ratio: See :class:`UnlabelledFaces`.
        bad_images: See :class:`UnlabelledFaces`.
    """
    options: dict[str, Any] = {}
    if isinstance(source, Mapping):
        options = {key: source[key] for key in ('held_back', 'check') if key in source}
        source = {key: value for key, value in source.items() if key not in options}
    return UnlabelledFaces(source, pipeline, ratio, bad_images, **options)


def _open_source(source: str | Mapping[str, Any], clips: bool) -> Source:
    if isinstance(source, (str, Path)):
        return FolderSource(source, clips)
    if 'type' in source:
        return ReaderSource(source)
    try:
        return FolderSource(**{'clips': clips, **source})
    except TypeError as error:
        raise UserError(
            f"unlabelled={dict(source)}: expected a folder, dict(folder=..., groups=...) or dict(type='UTKFace', ...): "
            f'{error}'
        ) from error


def _pictures(folder: Path) -> Iterator[str]:
    for path in iter_files(folder):
        if media_of(path):
            yield path.relative_to(folder).as_posix()


def _clips(folder: Path) -> Iterator[str]:
    """Videos, and folders of frames with a slash behind their names."""
    for parent, paths in groupby(iter_files(folder), key=lambda path: path.parent):
        kinds = [(path, media_of(path)) for path in paths]
        if any(kind == 'image' for _, kind in kinds):
            yield parent.relative_to(folder).as_posix() + '/'
        yield from (path.relative_to(folder).as_posix() for path, kind in kinds if kind == 'video')


def _read_groups(folder: Path, file: str, columns: Sequence[str], key: str = 'path') -> dict[str, dict[str, str]]:
    rows = iter_table(folder / file, [key, *columns])
    return {row[key].replace('\\', '/'): {c: row[c] for c in columns if row[c]} for row in rows}


def shuffled_place(position: int, size: int, seed: int) -> int:
    """The ``position``-th number of an endless sequence of shuffles of 0 to ``size`` - 1, without a list of them.

    A Feistel network permutes the next power of four; what falls outside is permuted again until it does not (Black &
    Rogaway 2002, cycle walking).

    Args:
        position: At least 0.
        size: At least 1.
        seed: Of the shuffles.

    Example:
        >>> sorted(shuffled_place(i, 5, seed=0) for i in range(5, 10))
        [0, 1, 2, 3, 4]
    """
    turn, place = divmod(position, size)
    bits = max(1, ((size - 1).bit_length() + 1) // 2)
    low = (1 << bits) - 1
    keys = [int(k) for k in np.random.SeedSequence((seed, turn)).generate_state(4)]
    while True:
        left, right = place >> bits, place & low
        for key in keys:
            mixed = ((right + key) * 0x9E3779B1 & 0xFFFFFFFF) ^ key
            left, right = right, left ^ ((mixed ^ (mixed >> 15)) * 0x85EBCA6B >> 13 & low)
        place = left << bits | right
        if place < size:
            return place
