"""A video file: which library decodes it, its time axis, and what of it is missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection
from pathlib import Path

import numpy as np

from bmoe_ground.video.containers import AVI, ELEMENTARY, JPEGS, MP4, Container, not_a_container, sniff, whole
from bmoe_ground.video.decoders import END_OF_TRIES, Decoder, OpenCVDecoder, PyAVDecoder
from bmoe_ground.video.frames import MAX_PIXELS, VideoError, VideoReader
from bmoe_ground.video.streams import RARE, has_sound, video_stream

LONGEST = 1e6  # seconds that one frame may be shown; more is a time stamp that is not there
HOLE = 0.6  # share of a frame's duration that lies between two coded frames at least


class FileReader(VideoReader):
    """A video file. OpenCV decodes it; where it has not got the codec, PyAV does, if it is installed.

    The time axis is that of the coded frames: where decoding loses some of them, their times are asked of the
    container (one pass over the file that decodes nothing), and they are there as lost frames.

    A file may end before its header's count for three reasons, which are told apart: it was cut off (``problem``: the
    sizes in it reach beyond its end); frames are damaged (``problem``, and ``lost``); it simply holds less than it
    announces, as a clip does that was trimmed without encoding it anew (a note: all that it shows was read).
    """

    def __init__(
        self,
        path: Path,
        start: float = 0.0,
        end: float | None = None,
        stride: int = 1,
        only: Collection[int] | None = None,
    ) -> None:
        super().__init__(path, start, end, stride, only)
        self._container = check_file(path)
        self._failed: int | None = None
        self._decoder = self._open()
        self.library, self.expected_frames = self._decoder.library, self._decoder.announced
        self._pending: deque[tuple[float, bool]] = deque()
        self._present = False
        self._met = 0
        self._first: float | None = None
        self._last = 0.0
        self._ended = False
        self._packets: list[float] | None = None
        self._total = 0

    def _open(self) -> Decoder:
        """The decoder, at its first frame."""
        reason = ''
        try:
            decoder: Decoder = OpenCVDecoder(self.path)
        except OSError:
            reason = 'OpenCV cannot open it'
        else:
            self._failed = _steps_that_failed(decoder)
            if self._failed is not None:
                return decoder
            reason = f'OpenCV can decode none of its {decoder.announced or "?"} frames'
            decoder.close()
        cut = whole(self.path, self._container)[1]
        if cut.startswith('cut off: the index'):
            raise VideoError(f'{self.path}: {cut}')
        return self._open_other(reason, cut)

    def _open_other(self, reason: str, cut: str) -> Decoder:
        codec = video_stream(self.path, self._container).codec
        try:
            decoder = PyAVDecoder(self.path, self._container)
        except ImportError:
            if codec in RARE:
                raise VideoError(f'{self.path}: {missing_codec(codec)}') from None
        except OSError:
            if codec in RARE and not cut:
                raise VideoError(
                    f'{self.path}: neither OpenCV nor PyAV has a decoder for its codec {codec}, or it is damaged; '
                    'convert the video with the program that wrote it'
                ) from None
        else:
            self._failed = _steps_that_failed(decoder)
            if self._failed is not None:
                return decoder
            decoder.close()
            reason = f'neither OpenCV nor PyAV can decode any of its {decoder.announced or "?"} frames'
        if codec == 'encv':
            raise VideoError(f'{self.path}: it is encrypted (copy protection), and cannot be decoded')
        told = f'{cut}; {reason}' if cut else f'damaged: {reason}'
        raise VideoError(f'{self.path}: not a video that can be read: {told}' + (f' (codec {codec})' if codec else ''))

    def _advance(self) -> float | None:
        if not self._pending and not self._ended:
            self._fetch()
        if not self._pending:
            return None
        time, self._present = self._pending.popleft()
        return time

    def _image(self) -> np.ndarray | None:
        if not self._present:
            return None
        image = self._decoder.image()
        if image is not None and image.shape[0] * image.shape[1] > MAX_PIXELS:
            raise VideoError(
                f'{self.path}: a frame of {image.shape[1]}x{image.shape[0]} pixels is too large to be read'
            )
        return image

    def _fetch(self) -> None:
        """Step the decoder to its next frame; frames that it lost on the way come first."""
        failed = self._failed if self._first is None else _steps_that_failed(self._decoder)
        if failed is None:
            self._ended = True
            if self._met != self.expected_frames:
                self._lose(self._last, np.inf)
            return
        now = self._decoder.time()
        length = 1 / self._decoder.fps
        if self._first is None:
            before = [time for time in self._timeline() if time < now - HOLE * length] if failed else []
            self._first = before[0] if before else now
            self._last = -np.inf
        time = now - self._first
        if failed or 1.5 * length < time - self._last < LONGEST:
            self._lose(self._last, time)
        if not self._last < time < max(self._last, 0.0) + LONGEST:  # a stream without time stamps: count frames
            time = self._last + length
        self._add(max(time, 0.0), present=True)

    def _add(self, time: float, present: bool) -> None:
        self._pending.append((time, present))
        self._last = time
        self._met += 1

    def _lose(self, after: float, before: float) -> None:
        """Join the coded frames between two times that no frame came of."""
        if self._first is None or self._container in (ELEMENTARY, JPEGS):
            return  # no times to go by
        if before == np.inf and whole(self.path, self._container)[0] is False:
            return  # half a frame at the end of a file that was cut off, which was not lost
        times, first = self._timeline(), self._first
        length = 1 / self._decoder.fps
        room, last = HOLE * length, max(after, -length)
        found = times[bisect_left(times, last + first) : bisect_right(times, before + first)]
        if before < np.inf and not found[1:-1] and self._vanished():  # damaged so much that no pass finds them
            steps = min(round((before - last) / length), self._vanished() + 1)
            found = [first + last + (before - last) * n / steps for n in range(1, steps)]
        for time in found:
            if last + room < time - first < before - room and self._met < max(len(times), self.expected_frames):
                last = max(time - first, 0.0)
                self._add(last, present=False)

    def _vanished(self) -> int:
        """How many frames of an MP4 file, whose index lists each of them, are not even found as coded frames."""
        self._timeline()
        if self._container is not MP4 or not self._total or video_stream(self.path, MP4).trimmed:
            return 0
        return max(0, self.expected_frames - self._total)

    def _timeline(self) -> list[float]:
        if self._packets is None:
            self._packets, self._total = self._decoder.packets()
        return self._packets

    @property
    def cut_off(self) -> str:
        """See :attr:`VideoReader.cut_off`."""
        return whole(self.path, self._container)[1]

    def count(self) -> int:
        """Number of frames that the file truly holds, as far as its container tells without decoding.

        The announced number is compared with the coded frames, and where they differ those are believed: a duration
        times a mean rate is no count, and a file that was cut off announces what is gone.
        """
        coded = len(self._timeline())
        announced = self.expected_frames
        # Streams of half pictures (interlaced) hold two coded parts a frame; one without time stamps tells nothing.
        return announced if coded < 2 or 0 < 1.5 * announced < coded else coded

    def _finish(self) -> None:
        complete, cut = whole(self.path, self._container)
        announced, fps = self.expected_frames, self._decoder.fps
        good = self._met - len(self.lost)
        of_all = f' of {announced} announced' if announced else ''
        if cut:
            self.problem = f'breaks off after frame {self._met}{of_all} ({cut})'
        elif self._met < announced and self._vanished():
            self.problem = f'shows {good} of {announced} frames: coded ones are damaged so much that they are not found'
        elif announced - self._met > max(2, 0.02 * announced) and announced / fps > 1.02 * self._last + 2 / fps:
            counted = self._container in (MP4, AVI)
            if counted or (complete and has_sound(self.path, self._container)):
                self.notes.append(self._shorter())
            else:
                self.problem = f'ends after {good}{of_all} frames: cut off, damaged, or its header is wrong'

    def _shorter(self) -> str:
        """Why a whole file may hold fewer frames than announced."""
        announced, fps = self.expected_frames, self._decoder.fps
        if self._container in (MP4, AVI):  # these count frames
            return (
                f'shows {self._met} frames where its header announces {announced}: trimmed without encoding it anew, '
                'or a header that is wrong; nothing of it is missing'
            )
        return f'its pictures end after {self._last + 1 / fps:.2f} s of {announced / fps:.2f} s that the file lasts'

    def close(self) -> None:
        """See :meth:`VideoReader.close`."""
        self._decoder.close()


def _steps_that_failed(decoder: Decoder) -> int | None:
    """Step to the next frame; how many attempts failed before, None when the stream has ended."""
    for failed in range(END_OF_TRIES):
        if decoder.step():
            return failed
        if decoder.ended:
            return None
    return None


def check_file(path: Path) -> Container:
    """Make sure that a path is a video file that may be given to a decoder.

    Returns:
        Its container.

    Raises:
        VideoError: It is missing, empty, no video, or refers to other files.
    """
    try:
        if not path.is_file():
            raise VideoError(f'{path}: {"neither file nor folder" if path.exists() else "no such file"}')
        if path.stat().st_size == 0:
            raise VideoError(f'{path}: the file is empty (0 bytes)')
        container = sniff(path)
        if container is None:
            raise VideoError(f'{path}: {not_a_container(path)}')
        if video_stream(path, container).external:
            raise VideoError(
                f'{path}: its pictures lie in another file (a QuickTime reference movie), which is never opened; '
                'save it as a self-contained movie'
            )
    except OSError as error:
        raise VideoError(f'{path}: cannot be read: {error.strerror or error}') from error
    return container


def missing_codec(codec: str) -> str:
    """One line that names the codec and the way out."""
    return (
        f'this OpenCV has no decoder for its codec {codec}: install PyAV (pip install av), or convert the video '
        '(ffmpeg -i IN -c:v libx264 OUT.mp4)'
    )
