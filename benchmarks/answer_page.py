"""Size of the page of a long answer, how soon a browser has it ready, and how soon a click shows its moment.

python tools/benchmark.py page                       # ten minutes, two people, 33 keypoints, a video of 640x360
python tools/benchmark.py page --minutes 60

The browser is Debian's chromium, driven by selenium; without them the size alone is printed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_and_load
from bmoe_app.answer import Answer, Event, ModelFacts, Windows
from bmoe_app.pages import write_page
from bmoe_app.signals import compute_signals
from pose_extract.draw.video_file import video_file
from pose_extract.skeletons import REGIONS, get_skeleton
from pose_extract.tracks import PoseTracks

FPS, PEOPLE, LAYOUT, SIZE = 30, 2, 'blazepose33', (640, 360)
CLASSES = ('nod', 'head_shake', 'shrug', 'hand_to_face', 'nothing')
STRIDE, EVERY = 0.5, 6.0  # seconds between windows, and between events of a person
FLAGS = (
    '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
    '--disable-component-update --disable-sync'
)
SEEK = """
const done = arguments[arguments.length - 1], video = document.querySelector('video');
const began = performance.now();
video.addEventListener('seeked', () => requestAnimationFrame(() => done(performance.now() - began)), {once: true});
document.querySelectorAll('.event')[arguments[0]].click();
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``benchmark.py page``."""
    parser.add_argument('--minutes', type=float, default=10.0, help='of the video (default: %(default)s)')
    parser.add_argument('--loads', type=int, default=5, help='how often the page is opened (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    print(machine_and_load())
    with tempfile.TemporaryDirectory() as folder:
        answer = made_up(args.minutes)
        page = Path(folder) / 'answer.html'
        write_page(page, answer, 'video.mp4')
        print(
            f'{args.minutes:g} minutes, {PEOPLE} people, {len(answer.events)} events: '
            f'{page.stat().st_size / 1e6:.1f} MB'
        )
        chromium, driver = shutil.which('chromium'), shutil.which('chromedriver')
        if not (chromium and driver):
            print('no chromium and chromedriver here: time to open and to seek were not measured')
            return 0
        _write_video(Path(folder) / 'video.mp4', answer.tracks.frame_times)
        _measure(page, chromium, driver, args.loads, len(answer.events))
    return 0


def made_up(minutes: float, seed: int = 0) -> Answer:
    """An answer about two people who are there all the time.

    Args:
        minutes: Length of the video.
        seed: Of their places and movements.
    """
    rng = np.random.default_rng(seed)
    frames, joints = round(minutes * 60 * FPS), get_skeleton(LAYOUT).num_keypoints
    times = np.arange(frames) / FPS
    rest = rng.uniform((100, 40), (500, 300), (PEOPLE, 1, joints, 2))
    sway = 8 * np.sin(times / 0.7)[None, :, None, None]
    keypoints = (rest + sway + rng.normal(0, 0.7, (PEOPLE, frames, joints, 2))).astype(np.float32)
    scores = rng.uniform(0.5, 1, keypoints.shape[:3]).astype(np.float32)
    boxes = np.concatenate([keypoints.min(2), keypoints.max(2)], -1)
    tracks = PoseTracks(keypoints, scores, boxes, times, SIZE[::-1], LAYOUT)
    middles = np.arange(0.5, times[-1], STRIDE)
    windows, events = [], []
    for person in range(PEOPLE):
        shares = rng.dirichlet(np.ones(len(CLASSES)), len(middles))
        routing = rng.dirichlet(np.ones(len(REGIONS)), len(middles))
        windows.append(Windows(person, middles, shares, routing))
        for k, start in enumerate(np.arange(1.0, times[-1] - 2, EVERY)):
            events.append(Event(start, start + 1.5, person, CLASSES[k % 4], 0.8, REGIONS[k % 4]))
    model = ModelFacts('made_up.pth', '0' * 64, CLASSES, ('nothing',), 2.0, STRIDE, 0.5, 0.2, STRIDE, 1.0)
    return Answer('video.mp4', sorted(events, key=lambda e: e.start), tracks, compute_signals(tracks), model, windows)


def _write_video(path: Path, times: np.ndarray) -> None:
    column = np.linspace(0, 255, SIZE[0], dtype=np.uint8)
    with video_file(path, SIZE, times, h264_only=True) as writer:
        for t in range(len(times)):
            writer.write(np.repeat(np.roll(column, t)[None, :, None], SIZE[1], 0).repeat(3, 2))


def _measure(page: Path, chromium: str, driver: str, loads: int, events: int) -> None:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for flag in [*FLAGS.split(), f'--user-data-dir={profile}']:
            options.add_argument(flag)
        browser: Any = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            ready = []
            for _ in range(loads):
                browser.get(page.as_uri())
                while not (told := browser.execute_script('return document.documentElement.dataset.ready')):
                    pass
                ready.append(float(told))
            chosen = np.linspace(1, events - 1, 12).round().astype(int).tolist()
            seeks = [float(browser.execute_async_script(SEEK, which)) for which in chosen]
        finally:
            browser.quit()
    print(f'ready after {statistics.median(ready):.0f} ms (median of {loads}, longest {max(ready):.0f})')
    print(
        f'from a click to its frame {statistics.median(seeks):.0f} ms (median of {len(seeks)}, '
        f'longest {max(seeks):.0f})'
    )
