"""Windows of long recordings: the keypoints of a recording are extracted and held once, however windows overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
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
        self, path: Path, persons: tuple[int, ...], start: int, stop: int, **facts: Any
    ) -> dict[str, Any] | None:
        """Build the clip of one window.

        Args:
            path: The track file.
            persons: Which persons of it.
            start: First frame.
            stop: Frame after the last.
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
        keypoint, score = (array[:, start:stop] for array in self.recordings[number])
        if not (score > 0).any():
            self.unseen.append(facts['frame_dir'])
            return None
        clip = {'keypoint': keypoint, 'keypoint_score': score, 'total_frames': stop - start, 'recording': number}
        times = self._tracks[path].frame_times[start:stop]
        return {**clip, 'start': start, 'stop': stop, 'frame_times': times, **facts}

    def _serialize_data(self) -> tuple[np.ndarray, np.ndarray]:
        for clip in self.data_list:
            del clip['keypoint'], clip['keypoint_score']
        return super()._serialize_data()

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Take one window's clip, with a copy of its keypoints.

        Args:
            idx: The clip's position.
        """
        clip = super().get_data_info(idx)
        if 'keypoint' not in clip:
            arrays = self.recordings[clip['recording']]
            clip['keypoint'], clip['keypoint_score'] = (
                array[:, clip['start'] : clip['stop']].copy() for array in arrays
            )
        return clip
