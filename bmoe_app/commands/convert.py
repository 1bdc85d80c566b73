"""Turn pose files of one kind into another.

    bmoe convert poses/ clips.pkl                       # tracks -> pyskl, mmaction2
    bmoe convert ntu60_hrnet.pkl poses/                 # and back, with labels in annotations.csv
    bmoe convert MA52_train.pkl poses/ --image-size 1080 1080           # PCAN's MA-52 skeletons
    bmoe convert data/MA52/ poses/ --from mmn --image-size 1080 1080    # MMN's
    bmoe convert predictions/ poses/ --image-size 1080 1920 --fps 25    # MMPose's JSON files
    bmoe convert poses/ poses17/ --layout coco17        # another keypoint layout
    bmoe convert poses/ smooth/ --max-gap 0.1 --smooth savgol

Exit code: 0 all well, 1 some clips could not be converted, 2 nothing could be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from pose_extract.convert import SOURCES, TARGETS, ConvertSettings, convert_poses
from pose_extract.convert.clips import ReadOptions
from pose_extract.smoothing import METHODS, AfterCare

SHOWN = 20  # lines of failures; one missing option fails every clip of a data set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('source', type=Path)
    parser.add_argument('target', type=Path, help='.pkl file, or folder for tracks')
    parser.add_argument(
        '--from', dest='source_kind', choices=SOURCES, help='kind of SOURCE (default: told by its content)'
    )
    parser.add_argument(
        '--to', dest='target_kind', choices=TARGETS, help='kind of TARGET (default: told by its ending)'
    )
    parser.add_argument('--overwrite', action='store_true', help='TARGET may exist already')
    parser.add_argument('--annotations', type=Path, help='labels of a folder of tracks: lines "video,label[,split]"')
    layout = 'NAME|FILE.yaml'
    parser.add_argument('--skeleton', metavar=layout, help='layout of SOURCE, where it does not say')
    parser.add_argument('--image-size', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH'), help='of the frames, likewise')
    parser.add_argument('--fps', type=float, default=30.0, help='frames a second, likewise (default: %(default)s)')
    parser.add_argument('--layout', metavar=layout, help='turn the keypoints into this layout')
    parser.add_argument('--max-gap', type=float, default=0.0, metavar='SECONDS', help='interpolate across shorter gaps')
    parser.add_argument(
        '--smooth', choices=METHODS, default='none', help='default: %(default)s (see docs/guides/smooth.md)'
    )


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe convert', __doc__, add_arguments, argv, prog)
    size = tuple(args.image_size) if args.image_size else None
    settings = ConvertSettings(
        source_kind=args.source_kind,
        target_kind=args.target_kind,
        read=ReadOptions(args.skeleton, size, args.fps),
        annotations=args.annotations,
        layout=args.layout,
        care=AfterCare(max_gap=args.max_gap, smooth=args.smooth),
        overwrite=args.overwrite,
    )
    done = convert_poses(args.source, args.target, settings)
    for failure in done.failures[:SHOWN]:
        print(f'failed: {failure}', file=sys.stderr)
    if len(done.failures) > SHOWN:
        print(f'failed: {len(done.failures) - SHOWN} more', file=sys.stderr)
    if done.failures and not done.clips:
        raise UserError(f'{args.source}: none of its {len(done.failures)} clips could be converted')
    layouts = sorted({clip.tracks.skeleton for clip in done.clips})
    print(f'{len(done.clips)} clips ({", ".join(layouts)}) written to {args.target}, {len(done.failures)} failed')
    return 1 if done.failures else 0
