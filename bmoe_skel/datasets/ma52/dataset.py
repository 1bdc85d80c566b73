"""MA-52 (Guo et al. 2024): the official lists with keypoints from our tracks, PCAN's or MMN's pickles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.memory import release_heap
from bmoe_ground.safe_pickle import load_pickle
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.base import PoseDataset
from bmoe_skel.datasets.ma52.classes import ACTIONS, BODY_OF_ACTION, BODY_PARTS
from bmoe_skel.datasets.ma52.lists import Entry, check_disjoint, clip_name, read_list
from bmoe_skel.registry import DATASETS
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import crops_path, load_tracks

HIDDEN = -1
"""Label of a clip whose label is not published."""

_LAYOUT_OF_COUNT = {28: 'openpose28', 44: 'halpe44'}  # PCAN's files, MMN's files
MISSING = ('error', 'skip')
SPLITS = ('train', 'val', 'test')


@DATASETS.register_module()
class MA52Dataset(PoseDataset):
    """Clips of one split of MA-52 by its official list, with their keypoints.

    ``poses`` is one of three: PCAN's pickle ``MA52_<split>.pkl`` (a list of annotations, 28 keypoints with scores);
    MMN's ``<split>_data.pkl`` (``{'annotations': [...]}``, 44 keypoints without scores); or a folder of track files
    (``<poses>/[.../]NAME.mp4.npz``), with their RGB crops where every clip has them. In the pickles a keypoint at
    (0, 0), or one that is NaN, is absent. Clips in which nobody is seen are left out and listed in ``unseen``; clips
    stored as float16, whose pixels are coarse, are read and listed in ``half_precision``.

    The action classes and their body parts are part of the dataset's metainfo.

    Args:
        data_root: Folder of the lists and the keypoints.
        split: 'train', 'val' or 'test'. A clip that is in another split's list too is an error.
        poses: Pickle or folder, below ``data_root`` unless absolute; ``{split}`` stands for the split.
        ann_file: The list, likewise.
        labels_hidden: Whether the list's labels are placeholders, as in the official test list; None: in the test
            split. There is no score without labels.
        missing: 'error' for clips of the list that have no keypoints, or 'skip' to leave them out.
        max_persons: Persons kept a clip.
        crops: Whether clips point at the RGB crops beside their tracks.
        **kwargs: For :class:`PoseDataset`.

    Raises:
        UserError: A list or the keypoints are missing or wrong; the message names file and line, or file and clip.
    """

    def __init__(
        self,
        data_root: str,
        split: str,
        poses: str = 'MA52_{split}.pkl',
        ann_file: str = '{split}_list_videos.txt',
        labels_hidden: bool | None = None,
        missing: str = 'error',
        max_persons: int = 1,
        crops: bool = True,
        **kwargs: Any,
    ) -> None:
        if missing not in MISSING:
            raise UserError(f'missing={missing!r}: choose one of {MISSING}')
        if split not in SPLITS:
            raise UserError(f'unknown split {split!r}; choose one of {SPLITS}')
        self.split = split
        self.ann_path, self.poses = (Path(data_root, name.replace('{split}', split)) for name in (ann_file, poses))
        others = (Path(data_root, ann_file.replace('{split}', other)) for other in SPLITS if other != split)
        self.other_lists = [path for path in others if path != self.ann_path and path.is_file()]
        self.labels_hidden = split == 'test' if labels_hidden is None else labels_hidden
        self.missing, self.max_persons, self.crops = missing, max_persons, crops
        self.unseen: list[str] = []
        self.without_poses: list[str] = []
        self.half_precision: list[str] = []
        facts = {'body_parts': list(BODY_OF_ACTION), 'body_part_names': list(BODY_PARTS)}
        super().__init__(classes=ACTIONS, metainfo=facts, **kwargs)

    @property
    def source(self) -> str:
        """The list and the keypoints."""
        return f'{self.ann_path} with {self.poses}'

    def load_clips(self) -> list[Clip]:
        """Read the list and the keypoints of its clips, in the list's order.

        Returns:
            The clips, unchecked.
        """
        entries = read_list(self.ann_path)
        check_disjoint([*(read_list(path) for path in self.other_lists), entries])
        self._check_hidden(entries)
        clips: dict[str, Clip] = {}
        for name, clip in self._poses(entries):
            if np.isfinite(clip['keypoint']).all(-1).any():
                clips[name] = clip
            else:
                self.unseen.append(name)
        gone = set(self.unseen)
        lacking = [entry for entry in entries if entry.name not in clips and entry.name not in gone]
        if lacking and self.missing == 'error':
            raise UserError(
                f'{lacking[0].where}: clip {lacking[0].name!r} has no keypoints in {self.poses} '
                f'({len(lacking)} of {len(entries)} clips have none; missing="skip" leaves them out)'
            )
        self.without_poses = [entry.name for entry in lacking]
        kept = [entry for entry in entries if entry.name in clips]
        for entry in kept:
            clip = clips[entry.name]
            clip['frame_dir'], clip['subject'] = entry.name, entry.subject
            clip['label'] = HIDDEN if self.labels_hidden else entry.label
        return [clips[entry.name] for entry in kept]

    def _check_hidden(self, entries: Sequence[Entry]) -> None:
        if self.labels_hidden == any(entry.label for entry in entries):
            if self.labels_hidden:
                raise UserError(f'{self.ann_path}: labels_hidden=True, but its labels are not all 0')
            if len(entries) > 1:
                raise UserError(
                    f'{self.ann_path}: all {len(entries)} labels are 0, as in the list whose labels are hidden; '
                    'set labels_hidden=True'
                )

    def _poses(self, entries: Sequence[Entry]) -> Iterator[tuple[str, Clip]]:
        wanted = {entry.name: entry for entry in entries}
        return (self._tracks if self.poses.is_dir() else self._pickle)(self.poses, wanted)

    def _pickle(self, path: Path, wanted: dict[str, Entry]) -> Iterator[tuple[str, Clip]]:
        content = load_pickle(path)
        annotations = content.get('annotations') if isinstance(content, dict) else content
        if not isinstance(annotations, list):
            raise UserError(f'{path}: expected a list of annotations (PCAN) or a dict with "annotations" (MMN)')
        del content
        release_heap()
        seen: set[str] = set()
        annotations.reverse()
        number = 0
        while annotations:  # taken off one by one, so that no clip is held twice
            annotation = annotations.pop()
            name = annotation_name(annotation, f'{path}: annotation {number}')
            number += 1
            if name in seen:
                raise UserError(f'{path}: annotation {number - 1}: a second annotation of clip {name!r}')
            seen.add(name)
            if name in wanted:
                yield name, self._annotation(annotation, f'{path}: clip {name!r} ({wanted[name].where})')

    def _annotation(self, annotation: dict[str, Any], where: str) -> Clip:
        keypoint = read_keypoints(annotation, where)[: self.max_persons]
        if annotation['keypoint'].dtype == np.float16:
            self.half_precision.append(annotation_name(annotation, where))
        self._same_skeleton(_LAYOUT_OF_COUNT.get(keypoint.shape[2], ''), keypoint.shape[2], where)
        clip: Clip = {'keypoint': keypoint, 'total_frames': keypoint.shape[1]}
        if annotation.get('keypoint_score') is not None:
            clip['keypoint_score'] = read_scores(annotation['keypoint_score'], keypoint, self.max_persons, where)
        return clip

    def _tracks(self, folder: Path, wanted: dict[str, Entry]) -> Iterator[tuple[str, Clip]]:
        seen: dict[str, Path] = {}
        for path in (file for file in walk_files(folder) if file.name.endswith('.mp4.npz')):
            name = clip_name(path.name)
            if name in seen:
                raise UserError(f'{path}: clip {name!r} has another track file, {seen[name]}')
            seen[name] = path
        found = [name for name in wanted if name in seen]
        lacking = [name for name in found if not crops_path(seen[name]).is_file()]
        with_crops = self.crops and not lacking
        if self.crops:
            stored = len(found) - len(lacking)
            self._metainfo['rgb_crops'] = {'clips': len(found), 'stored': stored, 'lacking': lacking[:5]}
        for name in found:
            tracks = load_tracks(seen[name])
            self._same_skeleton(tracks.skeleton, tracks.num_keypoints, str(seen[name]))
            clip: Clip = {
                'keypoint': tracks.keypoints[: self.max_persons],
                'keypoint_score': tracks.scores[: self.max_persons],
                'frame_times': tracks.frame_times,
                'total_frames': tracks.num_frames,
                'track': str(seen[name]),
            }
            if with_crops:
                clip['crops'] = str(crops_path(seen[name]))
            yield name, clip

    def _same_skeleton(self, name: str, count: int, where: str) -> None:
        if self.skeleton_name is None:
            if not name:
                raise UserError(f'{where}: {count} keypoints; expected 28 (PCAN) or 44 (MMN), or give skeleton=NAME')
            self.skeleton_name = name
        expected = get_skeleton(self.skeleton_name).num_keypoints
        if count != expected or (name and name != self.skeleton_name):
            raise UserError(f'{where}: {count} keypoints, expected {expected} ({self.skeleton_name})')


def annotation_name(annotation: Any, where: str) -> str:
    """The clip that an annotation is of, as the lists name it.

    Args:
        annotation: A dict with ``frame_dir`` or ``filename``.
        where: For the error.

    Raises:
        UserError: It is no dict, or has neither key.
    """
    if not isinstance(annotation, dict):
        raise UserError(f'{where}: expected a dict, got {type(annotation).__name__}')
    name = annotation.get('frame_dir', annotation.get('filename'))
    if not name:
        raise UserError(f'{where}: has neither "frame_dir" nor "filename"; its keys: {sorted(map(str, annotation))}')
    return clip_name(str(name))


def read_keypoints(annotation: dict[str, Any], where: str) -> np.ndarray:
    """Take an annotation's keypoints.

    Args:
        annotation: With ``keypoint`` (M, T, K, 2) and perhaps ``total_frames``.
        where: For the error.

    Returns:
        (M, T, K, 2) float32, NaN where absent.

    Raises:
        UserError: The key is missing, or the array is not of numbers, infinite, or of another shape.
    """
    if 'keypoint' not in annotation:
        raise UserError(f'{where}: has no key "keypoint"; its keys: {sorted(map(str, annotation))}')
    raw = annotation['keypoint']
    if not isinstance(raw, np.ndarray) or raw.dtype.kind not in 'fiu':
        raise UserError(f'{where}: keypoint: expected an array of numbers, got {getattr(raw, "dtype", type(raw))}')
    if raw.ndim != 4 or raw.shape[3] != 2:
        raise UserError(f'{where}: keypoint: expected shape (persons, frames, keypoints, 2), got {raw.shape}')
    if 0 in raw.shape:
        raise UserError(f'{where}: keypoint has shape {raw.shape}: no person or no frame')
    frames = annotation.get('total_frames', raw.shape[1])
    if frames != raw.shape[1]:
        raise UserError(f'{where}: total_frames is {frames}, but keypoint has {raw.shape[1]} frames')
    keypoint = raw.astype(np.float32, copy=False)
    if np.isinf(keypoint).any():
        raise UserError(f'{where}: keypoint: infinite coordinates')
    absent = (keypoint == 0).all(-1) | np.isnan(keypoint).any(-1)
    if absent.any():
        keypoint = np.where(absent[..., None], np.float32(np.nan), keypoint)
    return keypoint


def read_scores(raw: Any, keypoint: np.ndarray, max_persons: int, where: str) -> np.ndarray:
    """Take an annotation's keypoint scores.

    Args:
        raw: (M, T, K).
        keypoint: (M', T, K, 2), NaN where absent, of the persons that are kept.
        max_persons: How many are kept.
        where: For the error.

    Returns:
        (M', T, K) float32, 0 where absent.

    Raises:
        UserError: The shape does not fit, or a present keypoint's score is no finite number from 0.
    """
    score = np.asarray(raw)
    if score.dtype.kind not in 'fiu' or score.ndim != 3 or score[:max_persons].shape != keypoint.shape[:3]:
        raise UserError(f'{where}: keypoint_score: expected shape {keypoint.shape[:3]}, got {score.shape}')
    score = np.where(np.isnan(keypoint[..., 0]), np.float32(0), score[:max_persons].astype(np.float32, copy=False))
    if not np.isfinite(score).all() or score.min() < 0:
        raise UserError(f'{where}: keypoint_score: expected finite numbers from 0 for keypoints that are there')
    return score
