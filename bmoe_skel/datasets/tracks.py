"""Clips from the track files that extraction wrote, labelled by folder or by an annotation file."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.splits import stratified_split
from bmoe_ground.tables import MOST_DIGITS, read_labels
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.base import PoseDataset, duplicates
from bmoe_skel.datasets.subjects import PARTS, part_name, split_by_subject
from bmoe_skel.registry import DATASETS
from pose_extract.tracks import PoseTracks, crops_path, load_tracks

_NAMED = 5
_HEADERS = ('video', 'videos', 'clip', 'file', 'filename', 'file_name', 'path', 'name', 'id', 'video_id')


@DATASETS.register_module()
class TrackDataset(PoseDataset):
    """Clips of a folder of track files, ``<tracks>/<class>/<clip>.mp4.npz``.

    Without an annotation file a clip's label is the folder it lies in. With one, its lines are ``video label`` or
    ``video,label[,split]`` (a header is skipped), ``video`` being the path below the video folder; a label is a class
    name or a number. Where no split is given, the clips are split by a seed, class by class.

    Args:
        tracks: The folder that extraction wrote.
        split: 'train', 'val', 'test', several joined by ``+``, or None for all clips.
        ann_file: Annotation file, or None to take labels from folders.
        split_ratio: Shares of train, val and test where the annotation file gives no split.
        split_seed: Seed of that split.
        split_by: 'subject' keeps every person in one part, by the column ``subject`` of the annotation file.
        max_persons: Persons kept a clip, the longest seen first.
        crops: Whether clips point at the RGB crops that extraction stored beside their tracks, where every clip of
            the folder or annotation file has them. ``metainfo['rgb_crops']`` counts them.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: The folder, a track file or an annotation is missing or wrong; the message names it.

    Example:
        >>> clips = bmoe_skel.TrackDataset('poses')
        >>> clips.metainfo['classes'], len(clips)
        (['arms', 'head', 'legs'], 6)
    """

    def __init__(
        self,
        tracks: str,
        split: str | None = None,
        ann_file: str | None = None,
        split_ratio: Sequence[float] = (0.6, 0.15, 0.25),
        split_seed: int = 0,
        split_by: str | None = None,
        max_persons: int = 1,
        crops: bool = True,
        **kwargs: Any,
    ) -> None:
        self.tracks = os.fspath(tracks)
        self.split = split
        self.ann_path = ann_file
        self.split_ratio = tuple(split_ratio)
        self.split_seed = split_seed
        if split_by not in (None, 'subject') or (split_by and ann_file is None):
            raise UserError(
                f"split_by={split_by!r}: expected None, or 'subject' with an ann_file that has a column subject"
            )
        self.split_by = split_by
        self.max_persons = max_persons
        self.crops = crops
        self.unseen: list[str] = []
        super().__init__(**kwargs)

    @property
    def source(self) -> str:
        """The folder and the split."""
        return self.tracks + (f' (split {self.split})' if self.split else '')

    def load_clips(self) -> list[Clip]:
        """Read the track files of the split; clips in which nobody was seen are left out and counted.

        Returns:
            The clips, unchecked.
        """
        folder = Path(self.tracks)
        if not folder.is_dir():
            raise UserError(
                f'no folder of tracks: {folder}. Extract them first: python tools/extract_pose.py VIDEOS --out {folder}'
            )
        rows = self._rows(folder)
        if self.class_names is None:
            self.class_names = sorted({label for _, label, _ in rows})
        index = {name: i for i, name in enumerate(self.class_names)}
        with_crops = self._count_crops(folder, [path for path, _, _ in rows])
        clips = []
        for path, label, part in rows:
            if self.split is not None and part not in self.split.split('+'):
                continue
            if label not in index:
                raise UserError(f'{self.source}: clip {path}: unknown class {label!r}; classes: {self.class_names}')
            tracks = load_tracks(folder / path)
            if not (tracks.scores > 0).any():
                self.unseen.append(path)
                continue
            clip = _clip(path, tracks, index[label], self.max_persons)
            clip['track'] = str(folder / path)
            if with_crops:
                clip['crops'] = str(crops_path(folder / path))
            clips.append(clip)
            self._same_skeleton(path, tracks.skeleton)
        return clips

    def _count_crops(self, folder: Path, paths: Sequence[str]) -> bool:
        """Count the stored crops over all splits; whether they are to be used."""
        if not self.crops:
            return False
        lacking = [path.removesuffix('.npz') for path in paths if not crops_path(folder / path).is_file()]
        self._metainfo['rgb_crops'] = {
            'clips': len(paths),
            'stored': len(paths) - len(lacking),
            'lacking': lacking[:_NAMED],
        }
        return not lacking

    def _same_skeleton(self, path: str, skeleton: str) -> None:
        if self.skeleton_name is None:
            self.skeleton_name = skeleton
        if skeleton != self.skeleton_name:
            raise UserError(f'{self.source}: {path} has skeleton {skeleton}, expected {self.skeleton_name}')

    def _rows(self, folder: Path) -> list[tuple[str, str, str]]:
        if self.split is not None and not set(self.split.split('+')) <= set(PARTS):
            raise UserError(f'{self.tracks}: unknown split {self.split!r}; choose of {", ".join(PARTS)}')
        if self.ann_path is None:
            rows = [(path, PurePosixPath(path).parent.name, '') for path in _track_files(folder)]
            loose = [path for path, label, _ in rows if not label]
            if loose:
                raise UserError(
                    f'{folder / loose[0]} lies in no class folder: '
                    f'expected {folder}/<class>/<clip>.npz, or give ann_file'
                )
        else:
            rows = read_annotations(self.ann_path, self.class_names)
            rows = [(_existing_track(folder, name, self.ann_path), label, part) for name, label, part in rows]
        if not rows:
            raise UserError(f'{folder} holds no track files (.npz)')
        if self.split_by and self.ann_path is not None:
            subjects = [line.subject for line in read_labels(self.ann_path)]
            paths, labels, given = ([row[i] for row in rows] for i in range(3))
            shares = dict(zip(PARTS, self.split_ratio, strict=True))
            found = split_by_subject(paths, labels, subjects, given, shares, self.split_seed, self.ann_path)
            rows = list(zip(paths, labels, found, strict=True))
        if not all(part for _, _, part in rows):
            parts = stratified_split([label for _, label, _ in rows], self.split_ratio, self.split_seed)
            rows = [(path, label, PARTS[k]) for (path, label, _), k in zip(rows, parts, strict=True)]
        return rows


def _track_files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in walk_files(folder) if path.suffix == '.npz']


def _existing_track(folder: Path, name: str, ann_path: str) -> str:
    """A listed clip's track file below the folder; the list may leave the video's ending out, or be of Windows."""
    spelled = name.replace('\\', '/') if '/' not in name else name
    relative = PurePosixPath(spelled if spelled.endswith('.npz') else spelled + '.npz')
    if relative.is_absolute() or '..' in relative.parts:
        raise UserError(f'{ann_path}: {name!r} leaves the folder of tracks')
    if (folder / relative).is_file():
        return relative.as_posix()
    found = [path for path in (folder / relative).parent.glob(f'{glob.escape(relative.stem)}.*.npz') if path.is_file()]
    if len(found) == 1:
        return found[0].relative_to(folder).as_posix()
    if found:
        raise UserError(f'{ann_path}: clip {name!r} may be {" or ".join(sorted(path.stem for path in found))}')
    hint = '; if this line is a header, call its columns video and label' if name.lower() in _HEADERS else ''
    raise UserError(f'{ann_path}: clip {name!r} has no track file {folder / relative}{hint}')


def _clip(path: str, tracks: PoseTracks, label: int, max_persons: int) -> Clip:
    keep = slice(None, max_persons)  # extraction orders persons by how long and how sure they are
    return {
        'frame_dir': path.removesuffix('.npz'),
        'label': label,
        'total_frames': tracks.keypoints.shape[1],
        'keypoint': tracks.keypoints[keep],
        'keypoint_score': tracks.scores[keep],
        'frame_times': tracks.frame_times,
        'img_shape': tracks.image_size,
    }


def read_annotations(path: str | os.PathLike[str], classes: Sequence[str] | None = None) -> list[tuple[str, str, str]]:
    """Read a list of labelled clips.

    Lines are ``video label`` (the label is what follows the last blank) or CSV ``video,label[,split]``; blank lines,
    a byte-order mark, Windows line ends and a header ``video,label,...`` are allowed.

    Args:
        path: The text file.
        classes: Class names, to translate labels that are numbers.

    Returns:
        (video, class name, split or '') for each line. Numbers stay numbers as text where ``classes`` is None.

    Raises:
        UserError: The file is missing, or a line is wrong; the message has file and line.
    """
    rows: list[tuple[str, str, str]] = []
    for line in read_labels(path):
        if not line.label:
            raise UserError(f'{line.where}: clip {line.video!r} has no label')
        part = part_name(line.split, line.where)
        rows.append((line.video, _class_name(line.label, classes, line.where), part))
    repeated = duplicates([name for name, _, _ in rows])
    if repeated:
        raise UserError(f'{path}: clip {repeated[0]!r} is listed more than once ({len(repeated)} such clips)')
    with_split = sum(bool(part) for _, _, part in rows)
    if with_split not in (0, len(rows)):
        raise UserError(f'{path}: {with_split} of {len(rows)} lines give a split; expected all or none')
    return rows


def _class_name(label: str, classes: Sequence[str] | None, where: str) -> str:
    if classes is None or label in classes:
        return label
    if label.isdecimal():
        if len(label) > MOST_DIGITS or int(label) >= len(classes):
            raise UserError(f'{where}: label {label:.80} is not in 0..{len(classes) - 1} ({len(classes)} classes)')
        return classes[int(label)]
    raise UserError(f'{where}: unknown class {label!r}; classes: {list(classes)}')
