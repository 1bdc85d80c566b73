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
from bmoe_ground.native_output import native_stderr_silenced
from pose_extract.boxes import read_boxes
from pose_extract.building import Seating, TrackBuilder
from pose_extract.crops import CropRecorder, spread
from pose_extract.estimators import PoseEstimator, backend_class
from pose_extract.pipeline import prefetch
from pose_extract.poses import BoxSource
from pose_extract.settings import ExtractSettings, setting_names
from pose_extract.skeletons import get_skeleton
from pose_extract.smoothing import apply_after_care
from pose_extract.tracking import Tracker
from pose_extract.tracks import PoseTracks
from pose_extract.video import Frame, VideoError, VideoReader, open_video

FRAMES_AHEAD = 8
PACKAGES = ('opencv-python', 'numpy')
Progress = Callable[[int, float], None]
"""Called with the number of frames done and the share of the video they are, 0..1."""


@dataclass(frozen=True)
class Extraction:
    """What came of one video.

    Attributes:
        tracks: The tracks, over all frames that could be read.
        status: ``ok`` (every frame of the video was read, somebody was seen), ``partial`` (the video breaks off, or
            at least one of its frames is damaged and empty) or ``nobody`` (all was read, no person in any frame).
        error: The reason when the status is not ``ok``.
        frames_with_person: Number of frames with at least one person in what was kept.
        seating: Who is in which row of the tracks, and how many were left out.
        library: What decoded the video.
        notes: What was guessed, skipped or left out.
    """

    tracks: PoseTracks
    status: str
    error: str | None
    frames_with_person: int
    seating: Seating
    library: str
    notes: list[str]


def extract(video: str | Path, backend: str = ExtractSettings.backend, **settings: Any) -> PoseTracks:
    """Extract the tracks of one video.

    The result is what ``bmoe extract`` would write for it. Each call loads the pose model; for many videos there is
    :func:`pose_extract.job.run_job`, which loads it once and goes on where it was stopped.

    Args:
        video: Video file, or folder of numbered images.
        backend: ``mmpose`` (more exact, downloads its weights once) or ``mediapipe`` (33 keypoints, no download).
        **settings: Fields of :class:`ExtractSettings`, such as ``max_persons=1``.

    Returns:
        The tracks. Where the video breaks off, shows nobody, or something had to be guessed or left out, a warning says
        so, and ``provenance`` holds its ``status`` (``partial``, ``nobody``), ``error`` and ``notes``.

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
    source = {'name': path.name, 'bytes': path.stat().st_size if path.is_file() else 0}
    provenance = {**provenance_of(chosen), 'source': source}
    with native_stderr_silenced():
        result = extract_video(path, backend_class(backend)(chosen), chosen, provenance, boxes)
    if result.error is not None:
        warnings.warn(f'{video}: {result.status}: {result.error}', stacklevel=2)
    for note in result.notes:
        warnings.warn(f'{video}: {note}', stacklevel=2)
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
            if video.size is None:
                raise VideoError(_no_frames(video, settings))
            seating = builder.seat(1 if estimator.one_person else settings.max_persons)
            if recorder is not None and crops is not None:
                recorder.write(crops, seating.identities, spread(len(builder.times), settings.rgb_frames))
        finally:
            if recorder is not None:
                recorder.close()
    keypoints, scores, track_boxes = builder.build(seating.identities)
    with_person = int((scores > 0).any((0, 2)).sum())
    status, error = _verdict(video, len(builder.times), with_person)
    notes = [*video.notes, *estimator.notes, *_notes_on_persons(seating, settings.max_persons)]
    account = {
        'status': status, 'error': error, 'notes': notes, 'decoder': video.library, 'frames_with_person': with_person,
        'persons_seen': seating.seen, 'persons_left_out': seating.left_out,
    }  # fmt: skip
    extras = {'frame_indices': np.array(builder.indices, np.int64), 'identities': seating.identities}
    if video.lost:
        extras['frame_lost'] = np.isin(builder.indices, [step.index for step in video.lost])
    tracks = PoseTracks(
        keypoints=keypoints,
        scores=scores,
        boxes=track_boxes,
        frame_times=np.array(builder.times, np.float64),
        image_size=video.size,
        skeleton=estimator.skeleton,
        provenance={**provenance, 'execution': estimator.execution, **account},
        extras=extras,
    )
    tracks = apply_after_care(tracks, settings.after_care())
    return Extraction(tracks, status, error, with_person, seating, video.library, notes)


def _run(
    video: VideoReader,
    estimator: PoseEstimator,
    builder: TrackBuilder,
    boxes: BoxSource | None,
    progress: Progress | None,
    recorder: CropRecorder | None,
) -> None:
    """Fill ``builder`` (and ``recorder``) in one pass, decoding beside the estimation."""
    tracker, joined = Tracker(), 0
    with (
        closing(prefetch(video, FRAMES_AHEAD)) as frames,
        closing(estimator.run(_reporting(frames, video, progress), boxes)) as results,
    ):
        for frame, poses in results:
            joined = _join_lost(video, builder, joined, frame.index)
            t = len(builder.times)
            identities = tracker.update(t, poses)
            builder.add(frame, identities, poses)
            if recorder is not None:
                recorder.add(t, frame.image, identities, poses.boxes)
    _join_lost(video, builder, joined, None)


def _join_lost(video: VideoReader, builder: TrackBuilder, joined: int, before: int | None) -> int:
    """Give the damaged frames in front of frame ``before`` (None: all) their places; the reader has met them by then.

    Returns:
        How many of the reader's lost frames are in the track now.
    """
    while joined < len(video.lost) and (before is None or video.lost[joined].index < before):
        builder.add_lost(video.lost[joined])
        joined += 1
    return joined


def _reporting(frames: Iterator[Frame], video: VideoReader, progress: Progress | None) -> Iterator[Frame]:
    for count, frame in enumerate(frames, 1):
        yield frame
        if progress is not None:
            progress(count, min(video.frames_read / video.expected_frames, 1.0) if video.expected_frames else 0.0)


def _verdict(video: VideoReader, frames: int, with_person: int) -> tuple[str, str | None]:
    if video.problem:
        return 'partial', video.problem + ('' if with_person else '; nobody is seen in what was read')
    if not with_person:
        return 'nobody', f'nobody is seen in any of {frames} frames'
    return 'ok', None


def _notes_on_persons(seating: Seating, most: int) -> list[str]:
    notes = []
    if seating.left_out:
        notes.append(
            f'{seating.seen} persons were seen, in some frames more than {most} at one time (max_persons): '
            f'{seating.left_out} of them are left out there'
        )
    if seating.seen > len(seating.identities) and not seating.left_out:
        notes.append(
            f'{seating.seen} persons were seen, at most {len(seating.identities)} at one time; they share as many rows '
            '(who is where: the array identities)'
        )
    return notes


def _no_frames(video: VideoReader, settings: ExtractSettings) -> str:
    if video.problem:
        return f'{video.path}: {video.problem}'
    if video.frames_read and (settings.start or settings.end):
        return f'{video.path}: no frame between start={settings.start} and end={settings.end} s'
    return f'{video.path}: no frame can be decoded'


def provenance_of(settings: ExtractSettings) -> dict[str, Any]:
    """What tracks record about how they were made, the same for every video.

    Args:
        settings: How they are made.

    Raises:
        UserError: The backend or its weights cannot be had.
    """
    cls = backend_class(settings.backend)
    fingerprint = settings.fingerprint(cls.identify(settings), cls.irrelevant)
    return {'settings': fingerprint, 'asked': settings.asked(), 'versions': package_versions(cls.packages)}


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
