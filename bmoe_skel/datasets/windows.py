"""Windows of long recordings: the keypoints of a recording are extracted and held once, however windows overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_skel.clip import Clip
from bmoe_skel.datasets.base import PoseDataset
from pose_extract.tracks import PoseTracks, load_tracks


class WindowDataset(PoseDataset):
    """Base of datasets whose clips are windows of recordings.

    Subclasses implement ``load_clips`` and build each clip by :meth:`window`.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.recordings: list[tuple[np.ndarray, np.ndarray]] = []
        self._number: dict[tuple[Path, tuple[int, ...]], int] = {}
        self._tracks: dict[Path, PoseTracks] = {}
        self.unseen: list[str] = []
        super().__init__(**kwargs)
        self._tracks.clear()  # what the windows need of them is in `recordings`

    def tracks_of(self, path: Path, where: str) -> PoseTracks:
        """Read a recording's tracks, once.

        Args:
            path: The track file.
            where: ``file:line`` of who asks, for the error.

        Raises:
            UserError: The file is missing or damaged, or has another skeleton than those before.
        """
        if path not in self._tracks:
            if not path.is_file():
                raise UserError(f'{where}: no track file {path}; extract the video, or correct the name pattern')
            tracks = load_tracks(path)
            self.skeleton_name = self.skeleton_name or tracks.skeleton
            if tracks.skeleton != self.skeleton_name:
                raise UserError(f'{path} has skeleton {tracks.skeleton}, expected {self.skeleton_name}')
            self._tracks[path] = tracks
        return self._tracks[path]

    def window(
        self, path: Path, persons: tuple[int, ...], first_frame: int, stop_frame: int, **facts: Any
    ) -> Clip | None:
        """Build the clip of one window.

        Args:
            path: The track file.
            persons: Which persons of it.
            first_frame: First frame.
            stop_frame: Frame after the last.
            **facts: Further keys, ``frame_dir`` and ``label`` among them.

        Returns:
            The clip, whose arrays are views; None, and its name is kept in ``unseen``, where nobody is seen in it.
        """
        key = (path, persons)
        if key not in self._number:
            tracks = self._tracks[path]
            chosen = list(persons)
            self._number[key] = len(self.recordings)
            whole = list(range(tracks.num_persons)) == chosen
            self.recordings.append(
                (tracks.keypoints, tracks.scores) if whole else (tracks.keypoints[chosen], tracks.scores[chosen])
            )
        number = self._number[key]
        keypoint, score = (array[:, first_frame:stop_frame] for array in self.recordings[number])
        if not (score > 0).any():
            self.unseen.append(facts['frame_dir'])
            return None
        clip: Clip = {
            'keypoint': keypoint,
            'keypoint_score': score,
            'total_frames': stop_frame - first_frame,
            'frame_times': self._tracks[path].frame_times[first_frame:stop_frame],
            'source_index': number,
            'first_frame': first_frame,
            'stop_frame': stop_frame,
        }
        return cast(Clip, {**clip, **facts})

    def _serialize_data(self) -> tuple[np.ndarray, np.ndarray]:
        for clip in self.data_list:
            del clip['keypoint'], clip['keypoint_score']
        return super()._serialize_data()

    def get_data_info(self, idx: int) -> Clip:
        """Take one window's clip, with a copy of its keypoints.

        Args:
            idx: The clip's position.
        """
        clip = super().get_data_info(idx)
        if 'keypoint' not in clip:
            keypoint, score = self.recordings[clip['source_index']]
            part = slice(clip['first_frame'], clip['stop_frame'])
            clip['keypoint'], clip['keypoint_score'] = keypoint[:, part].copy(), score[:, part].copy()
        return clip
