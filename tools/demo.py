"""The whole chain on footage that is made here: videos, keypoint tracks, training and test for each seed, an answer.

    python tools/demo.py
    python tools/demo.py --out demo --jobs 2 --seeds 0 1 2

Every command is printed before it is run, and can be repeated by hand in the folder of the demo. A seed decides which
clips are held out and how the training starts. At the end the first seed's model answers a continuous take that nobody
has trained on, on a page to look at and correct: answers/take.mp4.html.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.answering import match
from bmoe_app.exports.read import read_events
from bmoe_ground.errors import UserError, run_tool

REPO = Path(__file__).resolve().parents[1]
CONFIG = 'configs/bmoe_skel_small.py'
LOOK_AT = 'nod'


def run_command(tool: str, *arguments: str, folder: Path, name: str = '') -> None:
    """Print and run ``python tools/<tool>`` in ``folder``.

    Args:
        tool: File name of the tool.
        arguments: Its arguments.
        folder: The folder to run it in.
        name: Printed before every line, where several commands run at a time.

    Raises:
        SystemExit: With the tool's exit code, if it fails.
    """
    script = os.path.relpath(REPO / 'tools' / tool, folder)
    before = f'{name} | ' if name else ''
    print(f'\n{before}$ ' + shlex.join(['python', script, *arguments]), flush=True)
    started = time.monotonic()
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, 'text': True} if name else {}
    with subprocess.Popen([sys.executable, script, *arguments], cwd=folder, **pipes) as process:
        for line in process.stdout or ():
            print(f'{before}{line}', end='', flush=True)
    if process.returncode:
        print(f'{before}error: {tool} ended with exit code {process.returncode}', file=sys.stderr)
        raise SystemExit(process.returncode)
    print(f'{before}({time.monotonic() - started:.0f} s)', flush=True)


def train_and_test(folder: Path, seed: int, options: list[str]) -> None:
    """Train and test with one seed; results go to ``<folder>/seed<seed>``."""
    config = os.path.relpath(REPO / CONFIG, folder)
    work_dir = f'seed{seed}'
    common = ['--work-dir', work_dir, '--seed', str(seed), '--cfg-options', f'dataset.split_seed={seed}', *options]
    run_command('train.py', config, '--overwrite', *common, folder=folder, name=work_dir)
    best = f'{work_dir}/best.pth'
    if not (folder / best).is_file():
        raise UserError(f'training left no {folder / best}')
    run_command('test.py', config, best, *common, folder=folder, name=work_dir)


def summarise(folders: list[Path]) -> str:
    """The scores over all seeds, the router's weights by class averaged over them, and where the pictures lie."""
    metrics = [json.loads((folder / 'metrics.json').read_text()) for folder in folders]
    routing = [json.loads((folder / 'routing.json').read_text()) for folder in folders]
    classes = sorted({name for table in routing for name in table})
    regions = list(routing[0][classes[0]])
    lines = [f'Held-out clips, {len(folders)} seeds; chance is {1 / len(classes):.2f}']
    for key, label in (('f1_macro', 'macro F1'), ('f1_micro', 'micro F1')):
        values = [scores[key] for scores in metrics]
        spread = f', standard deviation {statistics.stdev(values):.3f}' if len(values) > 1 else ''
        lines.append(f'{label}  {statistics.mean(values):.3f}  ({", ".join(f"{v:.3f}" for v in values)}{spread})')
    width = max(map(len, classes))
    lines += ['', 'Weight that the router gave to each region', ' ' * width + ''.join(f'{r:>8}' for r in regions)]
    for name in classes:
        tables = [table[name] for table in routing if name in table]
        means = {region: statistics.mean(table[region] for table in tables) for region in regions}
        trusted = max(means, key=lambda region: means[region])
        lines.append(f'{name:<{width}}' + ''.join(f'{means[r]:8.2f}' for r in regions) + f'   {trusted}')
    return '\n'.join([*lines, '', *(f'confusion and routing: {folder / "report.png"}' for folder in folders)])


def answer_take(folder: Path, seed: int, rounds: int) -> None:
    """Make a continuous take, and let the model of one seed answer it."""
    take = ('take.mp4', '--take', str(rounds), '--seed', str(seed))
    run_command('make_demo_videos.py', *take, folder=folder, name='take')
    asked = ('--backend', 'mediapipe', '--checkpoint', f'seed{seed}/best.pth', '--no-rules')
    run_command('infer.py', 'take.mp4', *asked, folder=folder, name='take')


def found_in_take(folder: Path, seed: int) -> str:
    """How much of what happens in the take was found."""
    truth = read_events(folder / 'take.mp4.truth.csv')
    found = [event for event in read_events(folder / 'answers' / 'take.mp4.events.csv') if event.source == 'model']
    tally = match(truth, found)
    return (
        f'a take that nobody trained on: {tally.found} of {tally.movements} actions found by the model of seed {seed}, '
        f'{tally.false} further events'
    )


def learn_and_answer(folder: Path, seeds: list[int], jobs: int, rounds: int, options: list[str]) -> None:
    """Train and test with every seed, so many at a time, and have the first one's model answer a take.

    Raises:
        SystemExit: A command failed; what has not begun by then is left out.
    """
    failed = threading.Event()

    def unless_failed(work: Callable[..., None], *arguments: object) -> None:
        if failed.is_set():
            return
        try:
            work(*arguments)
        except BaseException:
            failed.set()
            raise

    def answer() -> None:
        first.result()  # it began before this, so that even one job gets there
        unless_failed(answer_take, folder, seeds[0], rounds)

    with ThreadPoolExecutor(jobs) as pool:
        first, *others = [pool.submit(unless_failed, train_and_test, folder, seed, options) for seed in seeds]
        for task in [first, *others, pool.submit(answer)]:
            task.result()


def main() -> None:
    """Run the chain and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('demo'), help='folder of everything (default: %(default)s)')
    parser.add_argument('--clips', type=int, default=24, help='clips of each class (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=40, help='frames of each clip (default: %(default)s)')
    parser.add_argument('--jobs', type=int, default=2, help='extractions or trainings at a time (default: %(default)s)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='(default: 0 1 2)')
    parser.add_argument(
        '--rounds', type=int, default=2, help='how often each action comes in the take (default: %(default)s)'
    )
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='changes to the config')
    args = parser.parse_args()
    started = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    print(f'$ cd {args.out}')
    if 'OMP_NUM_THREADS' not in os.environ:
        os.environ['OMP_NUM_THREADS'] = '1'  # the model is small: threads would wait for each other, on a busy CPU long
        print('$ export OMP_NUM_THREADS=1')
    made = ('videos/', '--clips', str(args.clips), '--frames', str(args.frames))
    run_command('make_demo_videos.py', *made, folder=args.out)
    run_command('extract_pose.py', 'videos/', '--backend', 'mediapipe', '--jobs', str(args.jobs), folder=args.out)
    clip = f'{LOOK_AT}/{LOOK_AT}_000.mp4'
    run_command('show_poses.py', f'poses/{clip}.npz', f'videos/{clip}', '--pictures', '6', folder=args.out)
    learn_and_answer(args.out, args.seeds, args.jobs, args.rounds, args.cfg_options)
    print('\n' + summarise([args.out / f'seed{seed}' for seed in args.seeds]))
    print('\n' + found_in_take(args.out, args.seeds[0]))
    print(f'the answer, to look at and correct: {args.out / "answers" / "take.mp4.html"}')
    print(f'keypoints: {args.out / "look" / f"{LOOK_AT}_000.png"}')
    print(f'\n{time.monotonic() - started:.0f} s in all')


if __name__ == '__main__':
    run_tool(main)
