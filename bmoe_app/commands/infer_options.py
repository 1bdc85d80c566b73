"""The options of ``bmoe infer``, and the settings that they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from bmoe_app.answer.bundled import default_model
from bmoe_app.answer.inputs import Extraction, Reading
from bmoe_app.answer.settings import ModelSettings
from bmoe_app.exports import EXPORTS
from bmoe_app.signals import MIN_SCORE
from bmoe_ground.errors import UserError
from pose_extract.settings import ExtractSettings
from pose_extract.smoothing import METHODS

# setting of the extraction -> what its option is called here, where that is not its own name
_RENAMED = {name: f'pose_{name}' for name in ('model', 'config', 'checkpoint', 'device')}
_OFFERED = (
    'backend',
    'model',
    'config',
    'checkpoint',
    'device',
    'detector_config',
    'detector_checkpoint',
    'detect_every',
) + ('whole_frame', 'max_persons', 'start', 'end', 'image_fps', 'interpolate', 'smooth', 'save_rgb')
_OF_MODEL = ('device', 'features', 'window', 'stride', 'threshold', 'min_seconds', 'max_gap', 'nms_seconds')
_DEFAULT = ' (default: %(default)s)'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('source', type=Path, help='video, track file (.npz), folder of either, or pickle of skeletons (.pkl)')
    add_who_answers(parser)
    add('--out', type=Path, default=Path('answers'), help='folder to write to' + _DEFAULT)
    add_min_score(parser)
    add('--videos', type=Path, help='of tracks: the folder that their videos lie in')
    add('--quiet', action='store_true', help='no progress bar, and no line for each event')
    _add_of_outputs(parser)
    add_model_options(parser)
    _add_of_kept_tracks(add_extraction_options(parser, 'bmoe extract has more options; give its folder of tracks then'))
    add = parser.add_argument_group('pickles of skeletons that do not say').add_argument
    add('--skeleton', metavar='NAME|FILE.yaml', help='layout of the keypoints')
    add('--image-size', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH'), help='of the frames')
    add('--fps', type=float, default=Reading().fps, help='frames a second' + _DEFAULT)


def add_who_answers(parser: argparse.ArgumentParser) -> None:
    """Declare which model is asked, and whether rules are."""
    add = parser.add_argument
    add('--checkpoint', type=Path, help='of bmoe train or bmoe export (default: the model that comes along)')
    add('--no-model', dest='model', action='store_false', help='no model, rules alone')
    add('--no-rules', dest='rules', action='store_false', help="no events by rule, only a model's")


def add_min_score(parser: argparse.ArgumentParser) -> None:
    """Declare the least score of a keypoint for signals and rules."""
    score = 'keypoints below are unseen for signals and rules'
    parser.add_argument('--min-score', type=float, default=MIN_SCORE, help=score + _DEFAULT)


def _add_of_outputs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group('what is written beside tables and JSON').add_argument
    add('--no-page', dest='page', action='store_false', help='no page to look at and correct, no index of them')
    kinds = [kind for kind in EXPORTS if kind not in ('csv', 'json')]
    add(
        '--export', nargs='+', default=[], choices=kinds, metavar='KIND', help=f'for other programs: {", ".join(kinds)}'
    )
    add('--overlay', action='store_true', help='the video with the answer drawn into it, as H.264')


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Declare how a model is asked; :func:`model_settings` reads it."""
    default = ModelSettings(Path())
    add = parser.add_argument_group('events of a model').add_argument
    add('--threshold', type=float, default=default.threshold, help='least smoothed probability' + _DEFAULT)
    add('--min-seconds', type=float, default=default.min_seconds, help='shortest event' + _DEFAULT)
    add('--max-gap', type=float, help='longest gap in seconds that is closed (default: the stride)')
    add(
        '--nms-seconds',
        type=float,
        help='leave out events near which another class has a higher score (default: half the window; 0: none)',
    )
    add('--window', type=float, help='seconds of a window (default: as long as the training clips)')
    add('--stride', type=float, help='seconds between windows (default: a quarter of the window)')
    nothing = 'a class that makes no event, beside "nothing", "still", "background" and the like; may be repeated'
    add('--nothing', action='append', default=[], metavar='NAME', help=nothing)
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N' + _DEFAULT)
    add('--features', help='folder of precomputed features, for a model that reads them')


def _add_of_kept_tracks(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add('--poses', type=Path, help='folder that keeps the tracks (default: poses in --out)')
    add('--jobs', type=int, default=1, help='processes' + _DEFAULT)
    add('--overwrite', action='store_true', help='extract also what is done')


def add_extraction_options(parser: argparse.ArgumentParser, more: str) -> argparse._ArgumentGroup:
    """Declare how videos become tracks; :func:`extraction_settings` reads it.

    Args:
        parser: Of the command.
        more: What the group's title says in brackets.

    Returns:
        The group, for options of the command's own.
    """
    default = ExtractSettings()
    group = parser.add_argument_group(f'extraction of videos ({more})')
    add = group.add_argument
    add('--backend', default=default.backend, help='mmpose, mediapipe or MODULE:CLASS' + _DEFAULT)
    add('--max-persons', type=int, default=default.max_persons, help='most persons at one time' + _DEFAULT)
    add('--pose-model', default=default.model, help='MMPose alias or config name' + _DEFAULT)
    add('--pose-config', help='MMPose config file, with --pose-checkpoint')
    add('--pose-checkpoint', help='its weights; without it those of the alias are downloaded')
    add('--pose-device', default=default.device, help='where the pose model runs' + _DEFAULT)
    add('--detector-config', help='MMDetection config file of the person detector')
    add('--detector-checkpoint', help='its weights; without it they are downloaded')
    every = 'detect on every N-th frame, follow keypoints between'
    add('--detect-every', type=int, default=default.detect_every, metavar='N', help=every + _DEFAULT)
    add('--whole-frame', action='store_true', help='one person that fills the frame, no detector')
    add('--start', type=float, default=default.start, help='first second')
    add('--end', type=float, help='second to stop before')
    add('--image-fps', type=float, default=default.image_fps, help='of folders of images' + _DEFAULT)
    add('--interpolate', type=float, default=default.interpolate, metavar='SECONDS', help='bridge gaps up to this long')
    add('--smooth', choices=METHODS, default=default.smooth, help='of the keypoints' + _DEFAULT)
    add('--save-rgb', type=int, default=default.save_rgb, metavar='SIZE', help='keep crops, for a model of pictures')
    return group


def add_without_kept_tracks(parser: argparse.ArgumentParser) -> None:
    """Declare what a command asks that keeps no tracks: the same as ``bmoe infer``, and a backend without downloads."""
    add_min_score(parser)
    add_model_options(parser)
    add_extraction_options(parser, 'keypoints of each frame')
    parser.set_defaults(backend='mediapipe')


def model_settings(args: argparse.Namespace) -> ModelSettings | Literal[False]:
    """How the model is asked; False where there is none.

    Raises:
        UserError: A value is outside its range, or nothing would be looked for.
    """
    if not args.model:
        if args.checkpoint is not None:
            raise UserError('--no-model with --checkpoint: leave one of them out')
        if not args.rules:
            raise UserError('--no-rules with --no-model: there would be nothing to look for')
        return False
    asked = {name: getattr(args, name) for name in _OF_MODEL} | {'nothing': tuple(args.nothing)}
    return default_model(**asked) if args.checkpoint is None else ModelSettings(args.checkpoint, **asked)


def extraction_of(args: argparse.Namespace) -> Extraction:
    """How tracks are made where they are missing.

    Raises:
        UserError: A setting is outside its range.
    """
    settings = extraction_settings(args)
    return Extraction(args.poses or args.out / 'poses', settings, args.jobs, args.overwrite, not args.quiet)


def extraction_settings(args: argparse.Namespace) -> ExtractSettings:
    """What :func:`add_extraction_options` declared, as settings.

    Raises:
        UserError: A setting is outside its range.
    """
    return ExtractSettings(**{name: getattr(args, _RENAMED.get(name, name)) for name in _OFFERED})


def reading_of(args: argparse.Namespace) -> Reading:
    """What a pickle leaves open."""
    return Reading(args.skeleton, tuple(args.image_size) if args.image_size else None, args.fps)
