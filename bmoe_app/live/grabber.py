"""Only the newest frame counts: a thread reads, and whoever is slower than the source misses frames, not time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bmoe_app.live.sources import Source, SourceError
from pose_extract.video import Frame


@dataclass(frozen=True)
class Taken:
    """A frame, its time in seconds since the grabber began, and the clock second at which it was there."""

    frame: Frame
    clock: float


class Grabber:
    """Reads a source in a thread and keeps its newest frame.

    A camera or stream that breaks off is opened again, after ever longer waits, until ``patience`` seconds have passed
    without a frame. One that never gave a frame is given up at once, and so is a damaged file.

    Args:
        source: What to read.
        patience: Seconds.
        first_wait: Seconds before it is opened again for the first time; doubled each time, 5 at most.
        tell: Called, from the thread that reads, with what is the matter, and with '' when frames come again.

    Attributes:
        read: Frames that came.
        dropped: Those of them that nobody looked at.
        breaks: How often it broke off.
        trouble: What is the matter now; empty where nothing is.
        failure: Why it was given up; None where it was not.
    """

    def __init__(
        self,
        source: Source,
        patience: float = 30.0,
        first_wait: float = 0.5,
        tell: Callable[[str], None] = lambda trouble: None,
    ) -> None:
        self.source, self.patience, self.first_wait, self._tell = source, patience, first_wait, tell
        self.read = self.dropped = self.breaks = 0
        self.trouble = ''
        self.failure: SourceError | None = None
        self._newest: Taken | None = None
        self._news = threading.Condition()
        self._ended = False
        self._stopped = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name='grabber', daemon=True)

    def start(self) -> Grabber:
        """Begin to read."""
        self._started = time.monotonic()
        self._thread.start()
        return self

    def ask_to_stop(self) -> None:
        """Read no further; may be called by a signal's handler. The frames end within the time that they wait."""
        self._stopped.set()

    def stop(self) -> None:
        """Read no further, and let go of the source."""
        self._stopped.set()
        with self._news:
            self._news.notify_all()
        if self._thread.ident is not None:
            self._thread.join(2)  # a camera may hang in its driver; the thread is a daemon

    def frames(self, wait: float = 0.5) -> Iterator[Taken | None]:
        """Each time the newest frame, none twice, until the source ends or is given up.

        Args:
            wait: Seconds after which None comes where no frame does.
        """
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest or self._ended or self._stopped.is_set(), wait)
                taken, self._newest = self._newest, None
                over = taken is None and (self._ended or self._stopped.is_set())
            if over:
                return
            yield taken

    def _run(self) -> None:
        try:
            self._read_until_given_up()
        except Exception as error:  # whoever waits for frames must hear of it
            self.failure = SourceError(f'{self.source.name}: {type(error).__name__}: {error}')
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _read_until_given_up(self) -> None:
        pause, last = self.first_wait, time.monotonic()
        while not self._stopped.is_set():
            before = self.read
            try:
                self._read_on()
                if self.source.ends or self._stopped.is_set():
                    return
                error = SourceError(f'{self.source.name}: it has ended')
            except SourceError as caught:
                error = caught
            if self.read > before:
                pause, last = self.first_wait, time.monotonic()
                self.breaks += 1
            self._say(str(error))
            if not self.read or self.source.ends or time.monotonic() - last > self.patience:
                self.failure = error
                return
            self._stopped.wait(pause)
            pause = min(2 * pause, 5.0)

    def _read_on(self) -> None:
        """Read until it breaks off."""
        offset = time.monotonic() - self._started if self.read else 0.0
        for frame in self.source.frames():
            if self._stopped.is_set():
                return
            self._say('')
            taken = Taken(replace(frame, index=self.read, time=offset + frame.time), time.monotonic())
            with self._news:
                self.read += 1
                self.dropped += self._newest is not None
                self._newest = taken
                self._news.notify_all()

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._tell(trouble)
