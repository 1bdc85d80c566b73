"""Draw tracks over their video, and a contact sheet of them.

python tools/show_poses.py poses/clip.mp4.npz videos/clip.mp4        # look/clip.mp4 and look/clip.png
python tools/show_poses.py poses/clip.mp4.npz --out look/            # without the video: on a plain background
python tools/show_poses.py poses/clip.mp4.npz videos/clip.mp4 --pictures 24 --min-score 0.3
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import run_tool
from pose_extract.draw.overlay import LookSettings, look
from pose_extract.draw.render import RenderStyle
from pose_extract.tracks import load_tracks


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('tracks', type=Path, help='track file (.npz)')
    parser.add_argument('video', type=Path, nargs='?', help='the video it was extracted from')
    parser.add_argument('--out', type=Path, default=Path('look'), help='folder to write to (default: %(default)s)')
    parser.add_argument('--pictures', type=int, default=12, help='on the contact sheet (default: %(default)s)')
    parser.add_argument('--min-score', type=float, default=0.1, help='least score to be drawn (default: %(default)s)')
    parser.add_argument('--max-size', type=int, default=1280, help='longest side of the video (default: %(default)s)')
    parser.add_argument('--no-boxes', dest='boxes', action='store_false', help='no boxes and numbers')
    args = parser.parse_args()
    settings = LookSettings(RenderStyle(args.min_score, args.boxes), args.pictures, args.max_size)
    name = Path(args.tracks.name.removesuffix('.npz'))
    overlay, sheet = args.out / f'{name.stem}.mp4', args.out / f'{name.stem}.png'
    look(load_tracks(args.tracks), args.video, overlay, sheet, str(name), settings)
    print(f'{overlay}\n{sheet}')


if __name__ == '__main__':
    run_tool(main)
