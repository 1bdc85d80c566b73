"""One video to one :class:`PoseTracks`: decoding, pose estimation and tracking in a single pass."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.media import VideoError
from bmoe_ground.native_output import native_stderr_silenced
from pose_extract.boxes import read_boxes
from pose_extract.crops import CropRecorder, spread
from pose_extract.estimators import PoseEstimator, backend_class
from pose_extract.pipeline import prefetch
from pose_extract.poses import BoxSource, FramePoses
from pose_extract.settings import ExtractSettings, setting_names
from pose_extract.skeletons import get_skeleton
from pose_extract.smoothing import apply_after_care
from pose_extract.tracking import Tracker
from pose_extract.tracks import PoseTracks
from pose_extract.video import Frame, VideoReader, open_video

FRAMES_AHEAD = 8
PACKAGES = ('opencv-python', 'numpy')
Progress = Callable[[int, float], None]
"""Called with the number of frames done and the share of the video they are, 0..1."""


@dataclass(frozen=True)
class Extraction:
    """What came of one video.

    Attributes:
        tracks: The tracks, over all frames that could be read.
        status: ``ok``, ``partial`` (the video breaks off) or ``nobody`` (no person in any frame).
        error: The reason when the status is not ``ok``.
        frames_with_person: Number of frames with at least one person.
    """

    tracks: PoseTracks
    status: str
    error: str | None
    frames_with_person: int


class TrackBuilder:
    """Collects the persons of one video frame by frame and lays them out as (M, T, ...) arrays."""

    def __init__(self, num_keypoints: int) -> None:
        self.num_keypoints = num_keypoints
        self.times: list[float] = []
        self.indices: list[int] = []
        self.frames_with_person = 0
        self._rows: dict[int, list[tuple[int, np.ndarray]]] = {}

    def add(self, frame: Frame, identities: np.ndarray, poses: FramePoses) -> None:
        """Append one frame; ``identities`` (N,) go with the persons of ``poses``."""
        t = len(self.times)
        self.times.append(frame.time)
        self.indices.append(frame.index)
        self.frames_with_person += len(poses) > 0
        # One copy per person, so that no batch of network outputs is kept alive by a slice of it.
        rows = np.concatenate(
            [poses.keypoints.reshape(len(poses), 2 * self.num_keypoints), poses.scores, poses.boxes],
            axis=1,
            dtype=np.float32,
        )
        for identity, row in zip(identities.tolist(), rows, strict=True):
            self._rows.setdefault(identity, []).append((t, row))

    def persons(self) -> list[int]:
        """Identities ordered by how long and how sure: the sum over frames of the mean keypoint score."""
        first, last = 2 * self.num_keypoints, 3 * self.num_keypoints

        def weight(identity: int) -> float:
            return sum(float(row[first:last].mean()) for _, row in self._rows[identity])

        return sorted(self._rows, key=lambda identity: (-weight(identity), identity))

    def build(self, kept: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keypoints (M, T, K, 2), scores (M, T, K) and boxes (M, T, 4) of the persons in ``kept``."""
        shape, k = (len(kept), len(self.times)), self.num_keypoints
        keypoints = np.full((*shape, k, 2), np.nan, np.float32)
        scores = np.zeros((*shape, k), np.float32)
        boxes = np.full((*shape, 4), np.nan, np.float32)
        for m, identity in enumerate(kept):
            for t, row in self._rows.pop(identity):
                keypoints[m, t] = row[: 2 * k].reshape(k, 2)
                scores[m, t] = row[2 * k : 3 * k]
                boxes[m, t] = row[3 * k :]
        return keypoints, scores, boxes


def extract(video: str | Path, backend: str = ExtractSettings.backend, **settings: Any) -> PoseTracks:
    """Extract the tracks of one video.

    The result is what ``bmoe extract`` would write for it. Each call loads the pose model; for many videos there is
    :func:`pose_extract.job.run_job`, which loads it once and goes on where it was stopped.

    Args:
        video: Video file, or folder of numbered images.
        backend: ``mmpose`` (more exact, downloads its weights once) or ``mediapipe`` (33 keypoints, no download).
        **settings: Fields of :class:`ExtractSettings`, such as ``max_persons=1``.

    Returns:
        The tracks. Where the video breaks off or shows nobody, a warning says so, and ``provenance`` holds its
        ``status`` (``partial``, ``nobody``) and ``error``.

    Raises:
        UserError: A setting is unknown or out of range, or the backend or its weights cannot be had.
        VideoError: Not a single frame can be read.

    Example:
        >>> tracks = pose_extract.extract('clip.mp4', backend='mediapipe', max_persons=1)
        >>> tracks.keypoints.shape == (1, tracks.num_frames, tracks.num_keypoints, 2)
        True
    """
    _check_names(settings)
    chosen = ExtractSettings(backend=backend, **settings)
    if chosen.save_rgb:
        raise UserError(f'save_rgb={chosen.save_rgb}: crops are stored beside a track file, by `bmoe extract` only')
    path = Path(video)
    boxes = None
    if chosen.boxes:
        boxes = read_boxes(chosen.boxes).get(path.name)
        if boxes is None:
            raise UserError(f'boxes={chosen.boxes!r}: holds no boxes for {path.name}')
    cls = backend_class(backend)
    fingerprint = chosen.fingerprint(cls.identify(chosen), cls.irrelevant)
    source = {'name': path.name, 'bytes': path.stat().st_size if path.is_file() else 0}
    provenance = {'settings': fingerprint, 'versions': package_versions(cls.packages), 'source': source}
    with native_stderr_silenced():
        result = extract_video(path, cls(chosen), chosen, provenance, boxes)
    if result.error is not None:
        warnings.warn(f'{video}: {result.status}: {result.error}', stacklevel=2)
    return result.tracks


def _check_names(settings: dict[str, Any]) -> None:
    known = setting_names()
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f'; did you mean {near[0]!r}?' if near else ''
            raise UserError(f'extract: unknown setting {name!r}{hint} (known: {", ".join(known)})')


def extract_video(
    path: str | Path,
    estimator: PoseEstimator,
    settings: ExtractSettings,
    provenance: dict[str, Any],
    boxes: BoxSource | None = None,
    progress: Progress | None = None,
    crops: Path | None = None,
) -> Extraction:
    """Extract the tracks of one video.

    Args:
        path: Video file, or folder of numbered images.
        estimator: The pose model.
        settings: What to read, how many persons to keep, and what is done to the tracks.
        provenance: What is to be recorded about model and settings.
        boxes: Person boxes from elsewhere; None lets the estimator find persons.
        progress: Called now and then.
        crops: Where person-centred frames go when the settings ask for them.

    Raises:
        VideoError: Not a single frame can be read.
        UserError: The crops cannot be written.
    """
    builder = TrackBuilder(get_skeleton(estimator.skeleton).num_keypoints)
    recorder = CropRecorder(settings.save_rgb) if crops is not None and settings.save_rgb else None
    with open_video(path, settings.start, settings.end, settings.stride, settings.image_fps) as video:
        try:
            _run(video, estimator, builder, boxes, progress, recorder)
            if not builder.times:
                raise VideoError(_no_frames(video, settings))
            persons = builder.persons()
            kept = persons[: settings.max_persons]
            if recorder is not None and crops is not None:
                recorder.write(crops, kept, spread(len(builder.times), settings.rgb_frames))
        finally:
            if recorder is not None:
                recorder.close()
    keypoints, scores, track_boxes = builder.build(kept)
    status, error = _verdict(video, builder)
    notes = list(video.notes)
    if len(persons) > len(kept):
        notes.append(f'{len(persons)} persons were seen; the first {len(kept)} are kept (max_persons)')
    tracks = PoseTracks(
        keypoints=keypoints,
        scores=scores,
        boxes=track_boxes,
        frame_times=np.array(builder.times, np.float64),
        image_size=video.size or (0, 0),
        skeleton=estimator.skeleton,
        provenance={**provenance, 'execution': estimator.execution, 'status': status, 'error': error, 'notes': notes},
        extras={'frame_indices': np.array(builder.indices, np.int64)},
    )
    return Extraction(apply_after_care(tracks, settings.after_care()), status, error, builder.frames_with_person)


def _run(
    video: VideoReader,
    estimator: PoseEstimator,
    builder: TrackBuilder,
    boxes: BoxSource | None,
    progress: Progress | None,
    recorder: CropRecorder | None,
) -> None:
    """Fill ``builder`` (and ``recorder``) in one pass, decoding beside the estimation."""
    tracker = Tracker()
    with (
        closing(prefetch(video, FRAMES_AHEAD)) as frames,
        closing(estimator.run(_reporting(frames, video, progress), boxes)) as results,
    ):
        for frame, poses in results:
            t = len(builder.times)
            identities = tracker.update(t, poses)
            builder.add(frame, identities, poses)
            if recorder is not None:
                recorder.add(t, frame.image, identities, poses.boxes)


def _reporting(frames: Iterator[Frame], video: VideoReader, progress: Progress | None) -> Iterator[Frame]:
    for count, frame in enumerate(frames, 1):
        yield frame
        if progress is not None:
            progress(count, min(video.frames_read / video.expected_frames, 1.0) if video.expected_frames else 0.0)


def _verdict(video: VideoReader, builder: TrackBuilder) -> tuple[str, str | None]:
    if video.problem:
        return 'partial', video.problem + ('' if builder.frames_with_person else '; nobody is seen in what was read')
    if not builder.frames_with_person:
        return 'nobody', f'nobody is seen in any of {len(builder.times)} frames'
    return 'ok', None


def _no_frames(video: VideoReader, settings: ExtractSettings) -> str:
    if video.problem:
        return f'{video.path}: {video.problem}'
    if video.frames_read and (settings.start or settings.end):
        return f'{video.path}: no frame between start={settings.start} and end={settings.end} s'
    return f'{video.path}: no frame can be decoded'


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of the packages that a result may depend on, those installed.

    Args:
        packages: Those of a backend; what reads and keeps frames joins them.
    """
    versions = {}
    for name in (*packages, *PACKAGES):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
