"""What kind of pose file something is, told by its name and content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.texts import open_text
from pose_extract.convert.hdf5 import open_hdf5
from pose_extract.convert.json_files import read_json

_LOOKED_AT = 20  # JSON files of a folder, until one says what it is
_KINDS = (
    "a folder of tracks (.npz), a pickle (.pkl), a folder with MMN's <split>_data.pkl and <split>_label.pkl, JSON "
    'files of MMPose, OpenPose, AlphaPose, COCO or Kinetics-skeleton, tables of DeepLabCut (.csv, .h5), or files of '
    'SLEAP (.slp, .h5)'
)


def kind_of(source: Path) -> str:
    """The kind of a source, one of :data:`pose_extract.convert.SOURCES`.

    Raises:
        UserError: It cannot be told.
    """
    kind = _kind_of_folder(source) if source.is_dir() else _kind_of_file(source)
    if kind is None:
        raise UserError(f'{source}: not {_KINDS}; say with --from which it is')
    return kind


def _kind_of_folder(folder: Path) -> str | None:
    files = [path for path in walk_files(folder) if path.suffix]
    for kind, ending in (('tracks', '.npz'), ('mmn', '_data.pkl')):
        if any(path.name.endswith(ending) for path in files):
            return kind
    if any(path.name.endswith('_keypoints.json') for path in files):
        return 'openpose'
    looked_at = [path for path in files if path.suffix.lower() == '.json'][:_LOOKED_AT]
    tables = [path for path in files if path.suffix.lower() in ('.slp', '.csv', '.h5', '.hdf5')][:_LOOKED_AT]
    told = [kind for kind in map(_kind_of_file, looked_at + tables) if kind is not None]
    return told[0] if told else 'mmpose' if looked_at else None


def _kind_of_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in ('.pkl', '.pickle'):
        return 'pyskl'
    if suffix == '.slp':
        return 'sleap'
    if suffix == '.csv':
        try:
            with open_text(path) as file:
                return 'deeplabcut' if file.read(6) == 'scorer' else None
        except (UserError, UnicodeError, OSError):
            return None
    if suffix in ('.h5', '.hdf5'):
        try:
            with open_hdf5(path) as file:
                return 'deeplabcut' if 'df_with_missing' in file else 'sleap' if 'tracks' in file else None
        except UserError as error:
            raise UserError(f'{path}: {error}') from error
    if suffix == '.json':
        try:
            return _kind_of_json(read_json(path))
        except UserError:
            return None
    return None


def _kind_of_json(content: Any) -> str | None:
    if isinstance(content, list):
        first = content[0] if content else None
        if isinstance(first, dict):
            return (
                'alphapose' if 'image_id' in first else 'mmpose' if {'instances', 'keypoints'} & first.keys() else None
            )
        return None
    if not isinstance(content, dict):
        return None
    if 'people' in content:
        return 'openpose'
    if 'instance_info' in content:
        return 'mmpose'
    if isinstance(content.get('data'), list) and {'label', 'label_index'} & content.keys():
        return 'kinetics'
    if 'annotations' in content and 'images' in content:
        return 'coco'
    first = next(iter(content.values()), None)
    return 'alphapose' if isinstance(first, dict) and {'people', 'bodies'} & first.keys() else None
