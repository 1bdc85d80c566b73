"""The live view on a file played again and again as a stream: frames a second, latency, processor time, memory.

python tools/benchmark.py live VIDEO                    # one minute, MediaPipe, pictures of 640x480
python tools/benchmark.py live VIDEO --minutes 30       # does memory stay flat?
python tools/benchmark.py live VIDEO --every 300        # what a frame costs, where others use the machine, too

The file is brought to the size first, as a camera would send it, and frames come at its pace, whoever has time for
them or not. Latency is from the moment at which a frame is
there to the moment at which its keypoints, its picture with the skeleton and the events are. On a machine that does
other things, too, the processor time of a frame says what the clock cannot.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import machine_and_load
from bmoe_app.answer.infer import load_recognizer
from bmoe_app.live import Grabber, LiveView
from bmoe_app.live.grabber import Taken
from bmoe_app.live.sources import Source, source_of
from bmoe_app.live.view import live_settings
from bmoe_ground.native_output import native_stderr_silenced
from bmoe_ground.video import open_video
from pose_extract.draw.video_file import video_file
from pose_extract.estimators import backend_class
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

PAGE = os.sysconf('SC_PAGE_SIZE')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add('video', type=Path)
    add('--minutes', type=float, default=1.0, help='(default: %(default)s)')
    every = 'look at this many frames, each of them, however long it takes: what one costs on a busy machine'
    add('--every', type=int, default=0, metavar='FRAMES', help=every)
    add('--backend', default='mediapipe', help='(default: %(default)s)')
    add('--checkpoint', type=Path, help='of a model to be asked, too')
    add('--size', type=int, nargs=2, default=[640, 480], metavar=('WIDTH', 'HEIGHT'), help='(default: 640 480)')


def run(args: argparse.Namespace) -> int:
    """Measure and print, every ten seconds and at the end."""
    print(f'{machine_and_load()} at the start')
    settings = live_settings(ExtractSettings(backend=args.backend))
    model = load_recognizer(args.checkpoint)
    reading = [0.0]
    with native_stderr_silenced(), tempfile.TemporaryDirectory() as folder:
        estimator = backend_class(settings.backend)(settings)
        small = Path(folder) / 'small.mp4'
        _resize(args.video, small, tuple(args.size))
        source = Source(args.video.name, lambda: _again_and_again(small, reading))
        grabber = Unhurried(source, args.every) if args.every else Grabber(source).start()
        view = LiveView(grabber, estimator, model, True, 0.1, draw=True)
        began, spent, latencies, events = time.monotonic(), time.process_time(), [], 0
        if not args.every:
            threading.Timer(60 * args.minutes, grabber.ask_to_stop).start()
        next_line = began + 10
        for seen in view.run():
            latencies.append(seen.latency)
            events += len(seen.events)
            if time.monotonic() >= next_line:
                next_line += 10
                rate, median, high = view.pace()
                print(
                    f'{time.monotonic() - began:6.0f} s  {rate:5.1f} frames/s  latency {1000 * median:4.0f} ms '
                    f'(95 %: {1000 * high:4.0f})  {_resident() / 2**20:6.0f} MB  load {os.getloadavg()[0]:.1f}',
                    flush=True,
                )
    wall, spent = time.monotonic() - began, time.process_time() - spent
    read = 0.0 if args.every else reading[0]  # one thread does both then
    median, high = 1000 * np.percentile(latencies, [50, 95])
    print(
        f'{view.looked} frames of {grabber.read} in {wall:.0f} s: {view.looked / wall:.1f} a second, latency median '
        f'{median:.0f} ms, 95 % {high:.0f} ms; {events} events\n'
        f'processor time: {1000 * read / grabber.read:.1f} ms to read a frame (0: with the looking), '
        f'{1000 * (spent - read) / view.looked:.1f} ms to look at one, all threads together'
    )
    return 0


class Unhurried(Grabber):
    """Hands over every frame of a source, up to a number of them, as it is asked."""

    def __init__(self, source: Source, frames: int) -> None:
        super().__init__(source)
        self._wanted = frames

    def frames(self, wait: float = 0.5) -> Iterator[Taken | None]:
        """See :meth:`Grabber.frames`."""
        for frame in islice(self.source.frames(), self._wanted):
            self.read += 1
            yield Taken(frame, time.monotonic())


def _resize(video: Path, small: Path, size: tuple[int, int]) -> None:
    """Write a video's frames in another size; it is decoded twice, so that memory stays flat."""
    with open_video(video) as reader:
        times = np.array([frame.time for frame in reader])
    with open_video(video) as reader, video_file(small, size, times) as file:
        for frame in reader:
            file.write(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))


def _again_and_again(path: Path, reading: list[float]) -> Iterator[Frame]:
    """The frames of a file at its pace, from the beginning when it ends; and what its thread has spent."""
    index, offset, last = 0, 0.0, 0.0
    while True:
        for frame in source_of(str(path)).frames():
            last = offset + frame.time
            yield replace(frame, index=index, time=last)
            reading[0] = time.thread_time()
            index += 1
        offset = last + 0.05


def _resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * PAGE
