"""From a video to what was done in it, when, and by which part of the body.

    python examples/video_to_events.py clip.mp4 work_dirs/bmoe_skel/best.pth

The checkpoint's layout must be the backend's: train on tracks of the backend that you use here.
"""

from __future__ import annotations

import argparse

import bmoe_skel
import pose_extract


def main() -> None:
    """Extract the tracks, recognise, and print a line an event."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video')
    parser.add_argument('checkpoint', help='of bmoe train')
    parser.add_argument('--backend', default='mediapipe', help='mediapipe needs no download, mmpose is more exact')
    parser.add_argument('--window', type=float, default=2.0, help='seconds that the model looks at (default: 2)')
    args = parser.parse_args()
    tracks = pose_extract.extract(args.video, backend=args.backend)
    people, frames = tracks.keypoints.shape[:2]
    print(f'{people} people in {frames} frames, {tracks.skeleton}')

    recognise = bmoe_skel.MicroActionInferencer(args.checkpoint)
    for event in recognise(tracks, window=args.window):
        weights = ', '.join(f'{region} {weight:.2f}' for region, weight in event.routing.items())
        print(
            f'{event.start:6.2f}-{event.end:6.2f} s  person {event.person}  {event.label} ({event.score:.2f})  '
            f'by {event.region} ({weights})'
        )


if __name__ == '__main__':
    main()
