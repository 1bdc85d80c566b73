"""Whether a video is done already: its track file is whole, and made from this video with these settings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.crops import check_crops, crops_path
from pose_extract.discovery import VideoItem
from pose_extract.manifest import Record, check_record, new_record
from pose_extract.tracks import PoseTracks, load_tracks


def done_before(
    item: VideoItem, out: Path, fingerprint: dict[str, Any], known: Record, changed: Counter[str]
) -> Record | None:
    """The record of a video that need not be extracted again.

    Args:
        item: The video.
        out: The output folder.
        fingerprint: The settings of this job (:meth:`ExtractSettings.fingerprint`).
        known: What is known of the video from earlier runs.
        changed: Settings that differ from those of earlier tracks are counted here.

    Returns:
        The record; None where its track file is missing, damaged, or made from another video or with other settings.
    """
    path = out / item.track
    try:
        if not path.is_file():
            return None
        tracks = load_tracks(path)
    except OSError:  # no such name can be: the worker says so
        return None
    except UserError:
        changed['damaged track file'] += 1
        return None
    if fingerprint.get('save_rgb') and (fault := _fault_of_crops(crops_path(path))):
        changed[fault] += 1
        return None
    provenance = tracks.provenance
    settings = provenance.get('settings')
    if settings != fingerprint:
        before = settings if isinstance(settings, dict) else {}
        changed.update(key for key in {*before, *fingerprint} if before.get(key, ...) != fingerprint.get(key, ...))
        return None
    source = provenance.get('source')
    if not isinstance(source, dict) or source.get('bytes') != item.size:
        changed['source video'] += 1
        return None
    if known['status'] not in ('pending', 'failed') and known['track'] == item.track:
        return known
    record = _record_of(item, tracks)
    # a process that died after it wrote the track was recorded as failed later than that
    record['finished'] = max(record['finished'], known['finished'])
    try:
        check_record(record)
    except ValueError:
        changed['damaged track file'] += 1
        return None
    return record


def _fault_of_crops(path: Path) -> str | None:
    """What is the matter with the crops beside a track file, None where nothing is."""
    if not path.is_file():
        return 'missing crops'
    try:
        check_crops(path)
    except UserError:
        return 'damaged crops'
    return None


def _record_of(item: VideoItem, tracks: PoseTracks) -> Record:
    return new_record(item.name, tracks.provenance.get('status', ''), tracks.provenance.get('error')) | {
        'track': item.track,
        'frames': tracks.num_frames,
        'frames_with_person': tracks.provenance.get('frames_with_person', int(tracks.person_visible.any(0).sum())),
        'persons': tracks.num_persons,
        'persons_seen': tracks.provenance.get('persons_seen', tracks.num_persons),
        'persons_left_out': tracks.provenance.get('persons_left_out', 0),
        'decoder': tracks.provenance.get('decoder'),
        'notes': tracks.provenance.get('notes', []),
        'finished': round((item.path.stat().st_mtime if item.path.exists() else 0.0), 3),
    }
