"""Whether a video's tracks are there already, told without loading the backend that made them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.crops import check_crops, crops_path
from pose_extract.discovery import VideoItem
from pose_extract.settings import ExtractSettings
from pose_extract.tracks import PoseTracks, load_tracks


def kept_tracks(item: VideoItem, out: Path, settings: ExtractSettings) -> PoseTracks | None:
    """The tracks of a video, where :func:`pose_extract.job.run_job` would pass it over.

    It is stricter than the job, which looks at the model itself: tracks made with other versions of the packages, with
    weights or boxes of somebody's own, or before this was recorded, are left for the job to judge.

    Args:
        item: The video.
        out: Folder of the tracks.
        settings: How they are to be made.

    Returns:
        The tracks; None where the job has to look.
    """
    path = out / item.track
    if settings.names_files or not path.is_file():
        return None
    try:
        tracks = load_tracks(path)
        if settings.save_rgb:
            check_crops(crops_path(path))
    except (OSError, UserError):  # the job says what is the matter
        return None
    made = tracks.provenance
    source, versions = made.get('source'), made.get('versions')
    if not isinstance(source, dict) or source.get('bytes') != item.size or not isinstance(versions, dict):
        return None
    return tracks if made.get('asked') == settings.asked() and _same_versions(versions) else None


def _same_versions(versions: dict[str, Any]) -> bool:
    try:
        return all(version(name) == recorded for name, recorded in versions.items())
    except (PackageNotFoundError, ValueError):
        return False
