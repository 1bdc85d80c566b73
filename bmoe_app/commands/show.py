"""Draw tracks over their video, and a contact sheet of them.

bmoe show poses/clip.mp4.npz videos/clip.mp4        # look/clip.mp4 and look/clip.png
bmoe show poses/clip.mp4.npz --out look/            # without the video: on a plain background
bmoe show poses/clip.mp4.npz videos/clip.mp4 --pictures 24 --min-score 0.3
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bmoe_app.parsing import parse_arguments
from pose_extract.draw.overlay import LookSettings, look
from pose_extract.draw.render import RenderStyle
from pose_extract.tracks import load_tracks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('tracks', type=Path, help='track file (.npz)')
    parser.add_argument('video', type=Path, nargs='?', help='the video it was extracted from')
    parser.add_argument('--out', type=Path, default=Path('look'), help='folder to write to (default: %(default)s)')
    parser.add_argument('--pictures', type=int, default=12, help='on the contact sheet (default: %(default)s)')
    parser.add_argument('--min-score', type=float, default=0.1, help='least score to be drawn (default: %(default)s)')
    parser.add_argument('--max-size', type=int, default=1280, help='longest side of the video (default: %(default)s)')
    parser.add_argument('--no-boxes', dest='boxes', action='store_false', help='no boxes and numbers')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe show', __doc__, add_arguments, argv, prog)
    settings = LookSettings(RenderStyle(args.min_score, args.boxes), args.pictures, args.max_size)
    name = Path(args.tracks.name.removesuffix('.npz'))
    overlay, sheet = args.out / f'{name.stem}.mp4', args.out / f'{name.stem}.png'
    codec = look(load_tracks(args.tracks), args.video, overlay, sheet, str(name), settings)
    print(f'{overlay}\n{sheet}')
    if codec != 'h264':
        print(f"{overlay.name}: MPEG-4, which browsers do not play; for H.264: pip install 'bmoe-skel[video]'")
    return 0
