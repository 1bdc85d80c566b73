"""Predictions of SLEAP: project files (``.slp``) and analysis files (``.h5``), both HDF5.

From docs.sleap.ai and ``sleap_io``: an analysis file has ``tracks`` (tracks, 2, nodes, frames), ``point_scores``
(tracks, nodes, frames) and ``node_names``. A project has the tables ``frames`` (with ``video``, ``frame_idx``,
``instance_id_start``, ``instance_id_end``), ``instances`` (``instance_type`` 0 set by hand, 1 predicted, ``track``,
``from_predicted``, ``point_id_start``, ``point_id_end``), ``points`` and ``pred_points`` (``x``, ``y``, ``visible``,
and ``score`` of the latter); the names of the nodes are JSON in the attribute ``json`` of ``metadata``. The videos
that a project names are not opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bmoe_ground.errors import UserError
from pose_extract.convert.clips import Clip, Collection, ReadOptions, size_for
from pose_extract.convert.declared import match_names
from pose_extract.convert.hdf5 import attribute, member, open_hdf5, read_array
from pose_extract.convert.json_files import FAULTS, files_below
from pose_extract.convert.people import Person, build_tracks
from pose_extract.tracks import MAX_FRAMES

SUFFIXES = ('.slp', '.h5', '.hdf5')
Frames = dict[int, list[tuple[np.ndarray, np.ndarray, int | None]]]
"""Points (nodes, 2), scores (nodes,) and track of each instance, by frame."""


def read_sleap(source: Path, options: ReadOptions) -> Collection:
    """Read one such file or all below a folder; each video of a project is a clip.

    Raises:
        UserError: There is no such file, or the size of the frames is not given.
    """
    size = size_for(options, source, 'SLEAP')
    collection = Collection()
    for name, path in files_below(source, SUFFIXES):
        try:
            with open_hdf5(path) as file:
                nodes, videos = (_read_analysis if 'tracks' in file else _read_project)(file)
            skeleton, order, notes = match_names(nodes, options)
            collection.notes += [f'{path}: {note}' for note in notes]
            for video, frames in videos.items():
                people = {t: [_person(*found, order) for found in persons] for t, persons in frames.items()}
                provenance = {'source': {'file': path.name, 'format': 'sleap'}}
                tracks, notes = build_tracks(people, skeleton, size, options, provenance)
                clip = name.removesuffix('.analysis') + (f'/video-{video}' if len(videos) > 1 else '')
                if any(other.name == clip for other in collection.clips):
                    raise UserError(f'a second file of {clip}; keep the one to be read')
                collection.clips.append(Clip(clip, tracks))
                collection.notes += [f'{path}: {note}' for note in notes]
        except FAULTS as error:
            collection.failures.append(f'{path}: {error!s:.300}')
    return collection


def _person(points: np.ndarray, scores: np.ndarray, track: int | None, order: list[int | None]) -> Person:
    keypoints, confidence = np.full((len(order), 2), np.nan), np.zeros(len(order))
    for k, index in enumerate(order):
        if index is not None:
            keypoints[k], confidence[k] = points[index], scores[index]
    return Person(keypoints, confidence, None, track)


def _read_analysis(file: Any) -> tuple[list[str], dict[int, Frames]]:
    nodes = [
        name.decode(errors='replace') for name in read_array(file, 'node_names').tolist() if isinstance(name, bytes)
    ]
    tracks = read_array(file, 'tracks')
    if tracks.ndim == 4 and tracks.shape[1:3] == (len(nodes), 2) and tracks.shape[1:3] != (2, len(nodes)):
        tracks = tracks.transpose(3, 2, 1, 0)  # as `transpose=False` writes it: frames, nodes, 2, tracks
        scores = read_array(file, 'point_scores').T
    else:
        scores = read_array(file, 'point_scores')
    if tracks.ndim != 4 or tracks.shape[1:3] != (2, len(nodes)) or tracks.dtype.kind != 'f':
        raise UserError(f'tracks: expected shape (tracks, 2, {len(nodes)} nodes, frames), got {tracks.shape}')
    if scores.shape != (len(tracks), len(nodes), tracks.shape[3]) or scores.dtype.kind != 'f':
        raise UserError(f'point_scores: expected one for each point of tracks {tracks.shape}, got {scores.shape}')
    frames: Frames = {
        t: [
            (tracks[m, :, :, t].T, scores[m, :, t], m)
            for m in range(len(tracks))
            if not np.isnan(tracks[m, :, :, t]).all()
        ]
        for t in range(tracks.shape[3])
    }
    return nodes, {0: frames}


def _read_project(file: Any) -> tuple[list[str], dict[int, Frames]]:
    metadata = member(file, 'metadata')
    if metadata is None:
        raise UserError('neither an analysis file (tracks) nor a project (metadata) of SLEAP')
    nodes = _nodes(json.loads(attribute(metadata, 'json')))
    version = float(np.asarray(metadata.attrs.get('format_id', 1.0)))
    shift = 0.5 if version < 1.1 else 0.0  # before, the middle of the first pixel was 0.5
    frames, instances = read_array(file, 'frames'), read_array(file, 'instances')
    points, predicted = read_array(file, 'points'), read_array(file, 'pred_points')
    videos: dict[int, Frames] = {}
    for frame in frames:
        number = int(frame['frame_idx'])
        if number >= MAX_FRAMES:
            raise UserError(f'frames: frame_idx {number} is beyond {MAX_FRAMES}')
        rows = instances[int(frame['instance_id_start']) : int(frame['instance_id_end'])]
        corrected = {int(row['from_predicted']) for row in rows if row['instance_type'] == 0}
        found = videos.setdefault(int(frame['video']), {}).setdefault(number, [])
        for row in rows:
            by_hand = row['instance_type'] == 0
            if not by_hand and int(row['instance_id']) in corrected:
                continue
            part = (points if by_hand else predicted)[int(row['point_id_start']) : int(row['point_id_end'])]
            if len(part) != len(nodes):
                raise UserError(f'instances: one has {len(part)} points, the skeleton {len(nodes)}')
            xy = np.stack([part['x'], part['y']], -1).astype(np.float64) - shift
            xy[~part['visible']] = np.nan
            scores = np.ones(len(nodes)) if by_hand else part['score'].astype(np.float64)
            track = int(row['track'])
            found.append((xy, scores, track if track >= 0 else None))
    return nodes, videos


def _nodes(metadata: Any) -> list[str]:
    """Names of the first skeleton's points, in the order in which they are written."""
    nodes, skeletons = metadata['nodes'], metadata['skeletons']
    if len(skeletons) != 1:
        raise UserError(f'{len(skeletons)} skeletons; files with one are read')
    return [str(nodes[int(node['id'])]['name']) for node in skeletons[0]['nodes']]
