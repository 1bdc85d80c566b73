"""Extract keypoint tracks from videos.

    bmoe extract videos/                                     # tracks into poses/, MMPose wholebody
    bmoe extract videos/ --out poses/ --backend mediapipe    # needs no download
    bmoe extract videos/ --model body17 --jobs 2
    bmoe extract videos/ --config CONFIG.py --checkpoint WEIGHTS.pth --whole-frame
    torchrun --nproc-per-node 4 tools/extract_pose.py videos/                # one share per GPU; srun works too
    bmoe extract videos/ --shard 3/10                        # the fourth of ten shares; auto in arrays of Slurm
    bmoe extract videos/ --engine ray --jobs 16 --address auto
    bmoe extract s3://bucket/videos --out s3://bucket/poses  # any URL of fsspec; docs/guides/scale.md

Each video becomes <out>/<its path below the input folder>.npz, and <out>/manifest.json lists them all. Started
again, it does only what is missing. Exit code: 0 all well, 1 some videos have a problem (see the manifest), 2 nothing
could be done.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bmoe_app.parsing import parse_arguments
from bmoe_ground.errors import UserError
from bmoe_ground.native_output import library_warnings_silenced
from pose_extract.estimators import BACKENDS
from pose_extract.job import ENGINES, merge_parts, run_job
from pose_extract.settings import ExtractSettings, setting_names
from pose_extract.shards import parse_shard
from pose_extract.smoothing import METHODS
from pose_extract.stores import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    default = ExtractSettings()
    kinds = 'folder of videos (files, or folders of numbered images), or one video; or the URL of one'
    parser.add_argument('source', help=kinds)
    parser.add_argument(
        '--out', default='poses', help='folder, or URL of one, for tracks and manifest (default: poses)'
    )
    parser.add_argument('--backend', default=default.backend, metavar='|'.join([*sorted(BACKENDS), 'MODULE:CLASS']),
                        help="the last for a backend of one's own (default: %(default)s)")  # fmt: skip
    parser.add_argument('--jobs', type=int, default=1,
                        help='processes on this machine, or actors of Ray (default: %(default)s)')  # fmt: skip
    parser.add_argument('--overwrite', action='store_true', help='extract also what is done')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')

    machines = parser.add_argument_group('many machines (docs/guides/scale.md)')
    machines.add_argument('--shard', metavar='I/N', help='do share I of N, counted from 0; auto in a job array')
    machines.add_argument('--merge', action='store_true', help='only merge what the shards wrote into the manifest')
    machines.add_argument('--engine', choices=ENGINES, default=ENGINES[0], help='default: %(default)s')
    machines.add_argument('--address', help='of a running Ray cluster, such as auto (default: start one here)')

    model = parser.add_argument_group('model (mmpose)')
    model.add_argument('--model', default=default.model, help='MMPose alias or config name (default: %(default)s)')
    model.add_argument('--config', help='MMPose config file, with --checkpoint')
    model.add_argument('--checkpoint', help='weights file; without it those of the alias are downloaded')
    model.add_argument('--device', default=default.device, help='auto, cpu, cuda or cuda:N (default: %(default)s)')
    model.add_argument('--batch', type=int, default=default.batch, help='crops a forward pass (default: %(default)s)')
    model.add_argument('--no-flip-test', dest='flip_test', action='store_false', help='faster, a little less exact')
    model.add_argument('--precision', default=default.precision, help='auto, float32, float16 (GPU) or bfloat16')
    model.add_argument('--plain', dest='accelerate', action='store_false', help='run the network as MMPose does')

    people = parser.add_argument_group('people')
    people.add_argument('--detector-config', help='MMDetection config file (default: RTMDet-m, persons)')
    people.add_argument('--detector-checkpoint', help='weights of the detector; without it they are downloaded')
    people.add_argument('--detect-every', type=int, default=default.detect_every, metavar='N',
                        help='detect on every N-th frame, follow keypoints between (default: %(default)s)')  # fmt: skip
    people.add_argument('--box-threshold', type=float, default=default.box_threshold, help='default: %(default)s')
    people.add_argument('--boxes', help='.csv or .json file with person boxes, in place of the detector')
    people.add_argument('--whole-frame', action='store_true', help='one person that fills the frame, no detector')
    people.add_argument('--max-persons', type=int, default=default.max_persons,
                        help='most persons at one time (default: %(default)s)')  # fmt: skip

    frames = parser.add_argument_group('frames')
    frames.add_argument('--start', type=float, default=default.start, help='first second')
    frames.add_argument('--end', type=float, help='second to stop before')
    frames.add_argument('--stride', type=int, default=default.stride, help='keep every N-th frame')
    frames.add_argument('--image-fps', type=float, default=default.image_fps,
                        help='frames per second of folders of images (default: %(default)s)')  # fmt: skip

    care = parser.add_argument_group('after-care (docs/guides/smooth.md)')
    care.add_argument('--interpolate', type=float, default=default.interpolate, metavar='SECONDS',
                      help='bridge gaps up to this long, marked as such (default: none)')  # fmt: skip
    care.add_argument('--smooth', choices=METHODS, default=default.smooth, help='default: %(default)s')
    care.add_argument('--smooth-window', type=float, default=default.smooth_window, metavar='SECONDS',
                      help='of savgol (default: %(default)s)')  # fmt: skip
    care.add_argument('--min-cutoff', type=float, default=default.min_cutoff, help='of one_euro, Hz')
    care.add_argument('--beta', type=float, default=default.beta, help='of one_euro')

    crops = parser.add_argument_group('person-centred frames')
    crops.add_argument('--save-rgb', type=int, default=default.save_rgb, metavar='SIZE',
                       help='store a square crop of each person, SIZE pixels wide, beside the track')  # fmt: skip
    crops.add_argument('--rgb-frames', type=int, default=default.rgb_frames, metavar='N',
                       help='only N frames of each video, spread evenly (default: all)')  # fmt: skip


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe extract', __doc__, add_arguments, argv, prog)
    library_warnings_silenced()
    _check(args)
    if args.merge:
        summary, at_work = merge_parts(args.source, args.out)
    else:
        settings = ExtractSettings(**{name: getattr(args, name) for name in setting_names()})
        summary, at_work = run_job(
            args.source, args.out, settings, args.jobs, args.overwrite, show_progress=not args.quiet,
            shard=parse_shard(args.shard) if args.shard else None, engine=args.engine, address=args.address,
        ), []  # fmt: skip
    print('\n'.join(summary.lines()))
    if at_work:
        print(f'not ended: {", ".join(at_work)}')
    print(f'{shown(args.out)}/manifest.json')
    return summary.exit_code


def _check(args: argparse.Namespace) -> None:
    if args.merge and (args.shard or args.overwrite):
        raise UserError('--merge only merges: it excludes --shard and --overwrite')
    if args.address and args.engine != 'ray':
        raise UserError('--address needs --engine ray')
