"""Make the model that comes with the package: clips of generated people, a training, its calibration, the stored file.

python tools/make_box.py                                          # hours on one core; again: goes on where it was
python tools/make_box.py --work-dir work_dirs/box --out everyday.pth
python tools/make_box.py --train 500 --epochs 1 --recordings 4 --out trial.pth

The same seed gives the same file on one machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.box.events import OWN_NAMES, make_recordings
from benchmarks.box.generate import write_clips
from benchmarks.box.store import calibrate, recognizer, store
from bmoe_ground.errors import UserError, run_tool
from bmoe_skel.everyday import EVERYDAY

REPO = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--work-dir', type=Path, default=Path('work_dirs/box'), help='clips and training (default: %(default)s)')
    add('--out', type=Path, default=EVERYDAY, help='file to write (default: where the package has it)')
    add('--train', type=int, default=72000, help='clips (default: %(default)s)')
    add('--epochs', type=int, default=3, help='(default: %(default)s)')
    add('--recordings', type=int, default=60, help='to calibrate on, a movement each 9 s (default: %(default)s)')
    add('--seed', type=int, default=1, help='of clips and recordings (default: %(default)s)')
    args = parser.parse_args()
    clips = args.work_dir / f'clips_{args.train}_{args.seed}.pkl'
    if not clips.is_file():
        write_clips(clips, args.train, max(args.train // 24, 30), args.seed)
    print(f'{clips}: ready', flush=True)
    trained = train(clips, args.work_dir / f'train_{args.train}_{args.epochs}_{args.seed}', args.epochs)
    change, found = calibrate(recognizer(trained), make_recordings(args.recordings, args.seed))
    facts = {'clips': args.train, 'epochs': args.epochs, 'recordings': args.recordings, 'seed': args.seed}
    store(trained, change, args.out, {**facts, 'temperature': round(change.temperature, 4)})
    print(
        f'temperature {change.temperature:.2f}; where it was calibrated: mean recall {found.recall(OWN_NAMES):.2f}, '
        f'{sum(found.false.values()) / found.minutes:.2f} false events a minute'
    )
    print(f'{args.out}: {args.out.stat().st_size / 1e6:.1f} MB')
    return 0


def train(clips: Path, folder: Path, epochs: int) -> Path:
    """Train, or go on where a training was.

    Returns:
        Its last checkpoint.

    Raises:
        UserError: The training failed.
    """
    command = [sys.executable, REPO / 'tools/train.py', REPO / 'configs/benchmarks/box.py', '--resume', '--work-dir']
    command += [folder, '--cfg-options', f'dataset.ann_file={clips}', f'max_epochs={epochs}']
    done = subprocess.run(list(map(str, command)), check=False)
    if done.returncode:
        raise UserError(f'the training ended with {done.returncode}')
    return folder / f'epoch_{epochs}.pth'


if __name__ == '__main__':
    run_tool(main)
