"""The same face through a video, and crops that do not tremble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from face_aux.detection.alignment import Crop, CropSettings
from face_aux.detection.faces import Face

POSITION_SECONDS = 0.1
SIZE_SECONDS = 0.5
"""Standard deviations of the smoothing in time: a head moves fast, but its size and tilt change slowly."""


AS_SURE = 0.7
"""Share of the surest track's confidence from which a larger face is the one meant: 0.5 all along is a texture."""


@dataclass
class FaceTrack:
    """One face at some of the sampled frames.

    Args:
        faces: Index of the sampled frame to the face found there.
    """

    faces: dict[int, Face] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last sampled frame it was seen in."""
        return max(self.faces)

    @property
    def weight(self) -> float:
        """Sum of the box areas: long and large tracks matter most."""
        return sum(face.side**2 for face in self.faces.values())

    @property
    def confidence(self) -> float:
        """Sum of the confidences (1 where the detector has none): a face seen for long, and surely."""
        return sum(1.0 if face.score is None else face.score for face in self.faces.values())


def link_faces(frames: Sequence[Sequence[Face]], times: Sequence[float], max_gap: float = 1.0) -> list[FaceTrack]:
    """Join the faces of successive frames into tracks.

    Faces are matched at least total distance; the distance allowed grows with the time between frames, so that videos
    sampled sparsely link too.

    Args:
        frames: Faces of each sampled frame.
        times: Time of each sampled frame in seconds.
        max_gap: A track not seen for longer ends, unless the frames themselves are further apart.

    Returns:
        Tracks: first the weightiest of those that are about as sure as the surest, then the others by weight.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, and needed for videos only

    tracks: list[FaceTrack] = []
    for t, faces in enumerate(frames):
        step = times[t] - times[t - 1] if t else 0.0
        alive = [track for track in tracks if times[t] - times[track.last] <= max(max_gap, 1.5 * step)]
        taken = set()
        if alive and faces:
            cost = np.array([[_distance(track, face, t, times) for face in faces] for track in alive])
            for i, j in zip(*linear_sum_assignment(np.minimum(cost, 10.0)), strict=True):
                if cost[i, j] < 1:
                    alive[i].faces[t] = faces[j]
                    taken.add(j)
        tracks += [FaceTrack({t: face}) for j, face in enumerate(faces) if j not in taken]
    least = AS_SURE * max((track.confidence for track in tracks), default=0.0)
    return sorted(tracks, key=lambda track: (track.confidence < least, -track.weight))


def _distance(track: FaceTrack, face: Face, t: int, times: Sequence[float]) -> float:
    """Distance of a face to a track's last one in units of what may be: below 1 they can be the same."""
    before = track.faces[track.last]
    seconds = times[t] - times[track.last]
    side = (before.side + face.side) / 2
    moved = np.hypot(*np.subtract(before.center, face.center)) / side
    grown = abs(np.log(face.side / before.side))
    return float(moved / (0.8 + 2 * seconds) + grown / (1.4 + seconds))


def smooth_crops(
    track: FaceTrack, times: Sequence[float], settings: CropSettings, max_gap: float = 1.0
) -> dict[int, Crop]:
    """Crops of a track, without tremble and all of one size, so that they stack into a clip.

    Short gaps between detections are bridged; each frame's neighbours weigh in by their distance in time, so sparsely
    sampled frames stay as they are.

    Args:
        track: The faces.
        times: Time of each sampled frame in seconds.
        settings: Margin and alignment.
        max_gap: Longest gap that is bridged, in seconds.

    Returns:
        Index of the sampled frame to crop.
    """
    from scipy.ndimage import gaussian_filter1d, median_filter  # as above

    seen = sorted(track.faces)
    crops = [Crop.of(track.faces[t], settings) for t in seen]
    values = np.array([[c.x, c.y, c.side, c.angle] for c in crops])
    values[:, 3] = np.unwrap(values[:, 3], period=360)
    wanted = [seen[0]]
    for a, b in zip(seen, seen[1:], strict=False):
        bridge = range(a + 1, b) if times[b] - times[a] <= max_gap else range(0)
        wanted += [*bridge, b]
    filled = np.stack([np.interp(wanted, seen, column) for column in values.T], axis=1)
    step = float(np.median(np.diff([times[t] for t in wanted]))) if len(wanted) > 1 else 0.0
    if step > 0:
        if step < POSITION_SECONDS and len(wanted) > 2:
            filled = median_filter(filled, size=(3, 1), mode='nearest')
        for columns, seconds in ((slice(0, 2), POSITION_SECONDS), (slice(2, 4), SIZE_SECONDS)):
            filled[:, columns] = gaussian_filter1d(filled[:, columns], seconds / step, axis=0, mode='nearest')
    return {t: Crop(*row) for t, row in zip(wanted, filled.tolist(), strict=True)}
