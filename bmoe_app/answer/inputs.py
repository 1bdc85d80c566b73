"""What somebody asks about: a video or a folder of them, track files, a pickle of skeleton clips. All become tracks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.media import VIDEO_SUFFIXES, media_of
from pose_extract.discovery import VideoItem, find_videos, rank_and_world
from pose_extract.kept import kept_tracks
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import MAX_SIDE, PoseTracks, load_tracks

_PICKLES = ('.pkl', '.pickle')
_NO_SIZE = (1, 1)  # stands for frames of which nobody says the size


@dataclass(frozen=True)
class Input:
    """One thing to answer about.

    Attributes:
        name: What its answer is called: the path below the folder that was given, without ``.npz``.
        load: Reads its tracks; raises :class:`UserError` where they cannot be had.
        video: The video file, where it is at hand.
        file: The track file, where there is one.
    """

    name: str
    load: Callable[[], PoseTracks]
    video: Path | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Extraction:
    """How tracks of videos are made where they are missing.

    Attributes:
        poses: Folder that keeps them.
        settings: How they are made.
        jobs: Processes; 0 works in this one.
        overwrite: Extract also what is done.
        show_progress: Show a bar on standard error.
    """

    poses: Path
    settings: ExtractSettings
    jobs: int = 1
    overwrite: bool = False
    show_progress: bool = True


@dataclass(frozen=True)
class Reading:
    """What a pickle may leave open; see :class:`pose_extract.ReadOptions`.

    Attributes:
        skeleton: Layout of the keypoints; None takes what the file says, or tells by their number.
        image_size: (height, width) of the frames; None takes one that holds all keypoints.
        fps: Frames a second.
    """

    skeleton: str | None = None
    image_size: tuple[int, int] | None = None
    fps: float = 30.0


def find_inputs(
    source: Path, out: Path, extraction: Extraction, reading: Reading = Reading(), videos: Path | None = None
) -> list[Input]:
    """What there is to answer about; tracks that are missing are extracted.

    Args:
        source: A video or a folder of them (or of numbered images), a track file or a folder of them, or a pickle of
            skeleton clips. A folder with videos in it is one of videos.
        out: Folder of the answers, left out where it lies below ``source``.
        extraction: For videos.
        reading: For a pickle.
        videos: For tracks: the folder that their videos lie in, or the one video.

    Raises:
        UserError: There is nothing of the kind, a pickle cannot be read, or the extraction cannot begin.
    """
    if not source.exists():
        raise UserError(f'{source}: no such file or folder')
    if videos is not None and not videos.exists():
        raise UserError(f'--videos {videos}: no such file or folder')
    if source.suffix in _PICKLES:
        return _clips(source, reading)
    if source.suffix == '.npz':
        return [_of_track(source, source.name, videos)]
    items = _videos(source, out)
    if items:
        return _extracted(source, out, items, extraction)
    inner = out.resolve() if source.resolve() in out.resolve().parents else None
    files = [path for path in walk_files(source) if path.suffix == '.npz' and inner not in path.resolve().parents]
    if not files:
        raise UserError(
            f'{source}: neither videos ({" ".join(sorted(VIDEO_SUFFIXES))}, or numbered images) nor track files (.npz) '
            'in this folder or below'
        )
    return [_of_track(path, path.relative_to(source).as_posix(), videos) for path in files]


def _videos(source: Path, out: Path) -> list[VideoItem]:
    """The videos that were given; none of a folder that holds none."""
    if source.is_file() and media_of(source, gif='video') != 'video':
        raise UserError(
            f'{source}: not a video ({" ".join(sorted(VIDEO_SUFFIXES))}), a track file (.npz) or a pickle of skeleton '
            f'clips ({", ".join(_PICKLES)})'
        )
    try:
        return find_videos(source, out)
    except UserError:
        if source.is_file() or not source.is_dir():
            raise
        return []


def _of_track(path: Path, name: str, videos: Path | None) -> Input:
    name = name.removesuffix('.npz')
    video = None if videos is None else videos if not videos.is_dir() else videos / name
    return Input(name, partial(load_tracks, path), video if video is not None and video.exists() else None, path)


def _extracted(source: Path, out: Path, items: list[VideoItem], extraction: Extraction) -> list[Input]:
    """Videos with their tracks; the backend is not even imported where all are there."""
    if rank_and_world()[1] > 1:
        raise UserError('one process answers: extract with several (bmoe extract), then give the folder of tracks')
    poses, settings = extraction.poses, extraction.settings
    faults: dict[str, str] = {}
    if extraction.overwrite or any(kept_tracks(item, poses, settings) is None for item in items):
        from pose_extract.job import run_job

        done = run_job(
            source, poses, settings, extraction.jobs, extraction.overwrite, extraction.show_progress, leave_out=out
        )
        faults = {record['video']: record['error'] for record in done.records if record['status'] == 'failed'}
    return [
        Input(item.name, partial(_load, poses / item.track, faults.get(item.name)), item.path, poses / item.track)
        for item in items
    ]


def _load(path: Path, fault: str | None) -> PoseTracks:
    if fault is not None:
        raise UserError(fault)
    return load_tracks(path)


def _clips(path: Path, reading: Reading) -> list[Input]:
    """The clips of a pickle, those that cannot be read among them."""
    from pose_extract.convert.clips import Clip, ReadOptions
    from pose_extract.convert.pickles import read_pickle

    read = read_pickle(path, ReadOptions(reading.skeleton, reading.image_size or _NO_SIZE, reading.fps))

    def load(clip: Clip) -> PoseTracks:
        return _with_guesses(clip.tracks, reading)

    inputs = [Input(clip.name, partial(load, clip)) for clip in read.clips]
    for failure in read.failures:
        name, _, reason = failure.removeprefix(f'{path}: ').partition(': ')
        inputs.append(Input(name, partial(_load, path, reason or failure)))
    return sorted(inputs, key=lambda one: one.name)


def _with_guesses(tracks: PoseTracks, reading: Reading) -> PoseTracks:
    """Tracks of a pickle, and in their notes what it did not say."""
    guessed = []
    size = tracks.image_size
    if size == _NO_SIZE:
        right, bottom = np.ceil(np.nan_to_num(tracks.keypoints).max((0, 1, 2), initial=1.0)).astype(int).tolist()
        size = (min(bottom, MAX_SIDE), min(right, MAX_SIDE))
        guessed.append(f'no size of frames: taken as {size[1]}x{size[0]}, which holds all keypoints')
    if np.array_equal(tracks.frame_times, np.arange(tracks.num_frames) / reading.fps):
        guessed.append(f'no times of frames: taken as {reading.fps:g} a second')
    said = tracks.provenance.get('notes')
    notes = [*(said if isinstance(said, list) else []), *guessed]
    return replace(tracks, image_size=size, provenance={**tracks.provenance, 'notes': notes})
