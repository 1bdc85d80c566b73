"""Face crops of images and videos, each with its row, and a row for every file without any."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.folders import walk_files
from bmoe_ground.media import media_of
from face_aux.detection.alignment import CropSettings, crop_face, cut
from face_aux.detection.detectors import FaceDetector
from face_aux.detection.faces import surest
from face_aux.detection.tracks import FaceTrack, link_faces, smooth_crops
from face_aux.detection.turns import find_upright, turn_note
from face_aux.image_formats import NOT_READ
from face_aux.images import UnreadableImageError, picture_bytes, read_image
from face_aux.predictions import MISSING, NO_FACE, PARTIAL, SKIPPED, UNREADABLE, Prediction
from face_aux.video_reader import VideoReader

READ_AHEAD = 8
"""Images decoded in advance, by :data:`READERS` threads."""
READERS = 2
AHEAD_BYTES = 2**28
"""Most bytes of pictures that wait: beyond them the next file is decoded when it is its turn."""
FACES = ('surest', 'largest', 'all')
"""Which faces: the surest (of several as sure the largest), the same by its older name, or every one."""


@dataclass
class Job:
    """One face's pixels and the row they belong to.

    Args:
        row: Where the face was found.
        frames: One (S, S, 3) crop, or the crops of a clip.
    """

    row: Prediction
    frames: list[np.ndarray]


class FaceSource:
    """Finds and cuts out faces.

    Args:
        detector: From :func:`face_aux.detection.build_detector`.
        crop: Margin and alignment of the crops.
        faces: 'surest' for one face an image or video ('largest' is its older name), 'all' for every one.
        max_frames: Frames (or clips) taken from a video, evenly spaced; 0 for all frames.
        clip_length: Frames in a clip; 0 for single frames.
        clip_interval: Distance between a clip's frames.
        max_side: Reduce larger images to this longer side, in pixels.
    """

    def __init__(
        self,
        detector: FaceDetector,
        crop: CropSettings,
        faces: str = 'surest',
        max_frames: int = 32,
        clip_length: int = 0,
        clip_interval: int = 1,
        max_side: int | None = None,
    ) -> None:
        if faces not in FACES:
            raise UserError(f'faces must be one of {", ".join(FACES)}, got {faces!r}')
        if max_frames < 0:
            raise UserError(f'max_frames must be at least 0, got {max_frames}')
        self.detector, self.crop, self.faces, self.max_frames = detector, crop, faces, max_frames
        self.clip_length, self.clip_interval, self.max_side = clip_length, clip_interval, max_side
        self.detect = detector.detect if faces == 'all' else detector.detect_surest

    def jobs(self, files: Sequence[tuple[str, str]]) -> Iterator[Job | Prediction]:
        """Crops of every file in order, or the row that says why there is none.

        Args:
            files: Path and kind, from :func:`find_inputs`.
        """
        with ThreadPoolExecutor(READERS) as pool:
            ahead: deque[tuple[str, str, int, Future | None]] = deque()
            queue = iter(files)
            while True:
                while len(ahead) < READ_AHEAD and sum(item[2] for item in ahead) < AHEAD_BYTES:
                    if (entry := next(queue, None)) is None:
                        break
                    name, kind = entry
                    is_image = kind == 'image' and not self.clip_length
                    size = picture_bytes(name) if is_image else 0
                    ahead.append((name, kind, size, pool.submit(read_image, name, self.max_side) if is_image else None))
                if not ahead:
                    return
                name, kind, _, future = ahead.popleft()
                yield from self._file(name, kind, future)

    def _file(self, name: str, kind: str, future: Future | None) -> Iterator[Job | Prediction]:
        if kind in (MISSING, SKIPPED):
            reason = 'no such file' if kind == MISSING else 'neither image nor video'
            yield Prediction(name, 'image', kind, reason)
        elif kind == 'image':
            yield from self._image(name, future)
        else:
            try:
                yield from self._video(name)
            except UserError as error:
                yield Prediction(name, 'video', UNREADABLE, message_without(name, error))

    def _image(self, name: str, future: Future | None) -> Iterator[Job | Prediction]:
        if future is None:
            yield Prediction(name, 'image', UNREADABLE, 'this model takes clips of a video, not single images')
            return
        try:
            image = future.result()
        except UnreadableImageError as error:
            yield Prediction(name, 'image', UNREADABLE, message_without(name, error))
            return
        found = find_upright(image, self.detect) if self.detector.cuts else self.detect(image)
        if not found:
            yield Prediction(name, 'image', NO_FACE, 'no face found')
            return
        for number, face in enumerate(found if self.faces == 'all' else [surest(found)]):
            note = turn_note(face.turn)
            row = Prediction(name, 'image', message=note, face=number, box=face.box, confidence=face.score)
            yield Job(row, [crop_face(image, face, self.crop) if self.detector.cuts else image])

    def _video(self, name: str) -> Iterator[Job | Prediction]:
        """Two passes over a video: find and follow the faces, then cut the smoothed crops out."""
        reader = VideoReader(name)
        groups = reader.sample(self.max_frames, self.clip_length, self.clip_interval)
        found, times, wanted = [], [], []
        for index, time, frame in reader.frames(sorted({index for group in groups for index in group})):
            wanted.append(index)
            times.append(time)
            found.append(self.detect(frame))
        problem = reader.problem
        if not found:
            yield Prediction(name, 'video', UNREADABLE, problem or 'no frame can be decoded')
            return
        tracks = link_faces(found, times)
        chosen = tracks if self.faces == 'all' else tracks[:1]
        if chosen:
            crops = [smooth_crops(track, times, self.crop) for track in chosen]
            at = {index: i for i, index in enumerate(wanted)}
            pending = [[at[index] for index in group if index in at] for group in groups]
            yield from self._cut(reader, wanted, times, chosen, crops, [group for group in pending if group])
        else:
            yield Prediction(name, 'video', NO_FACE, f'no face in {len(found)} frames')
        if problem:
            yield Prediction(name, 'video', PARTIAL, problem)

    def _cut(
        self,
        reader: VideoReader,
        wanted: Sequence[int],
        times: Sequence[float],
        tracks: Sequence[FaceTrack],
        crops: Sequence[dict],
        groups: Sequence[Sequence[int]],
    ) -> Iterator[Job | Prediction]:
        """Decode once more and yield each group of samples as soon as its last frame is there."""
        need = self.clip_length or 1
        level = 'clip' if self.clip_length else 'frame'
        kept: dict[tuple[int, int], np.ndarray] = {}
        sizes = [max(1, round(float(np.median([c.side for c in by_time.values()])))) for by_time in crops]
        queue = deque(groups)
        for t, (*_, frame) in enumerate(reader.frames(wanted)):
            for k, by_time in enumerate(crops):
                if t in by_time:
                    kept[k, t] = cut(frame, by_time[t], sizes[k]) if self.detector.cuts else frame
            while queue and queue[0][-1] <= t:
                group = queue.popleft()
                start = wanted[group[0]]
                anyone = False
                for k, track in enumerate(tracks):
                    frames = [kept[k, i] for i in group if (k, i) in kept]
                    seen = sum(i in track.faces for i in group)
                    # A crop between two detections belongs into a clip; alone, or among more of its kind, it may
                    # show no face at all.
                    if len(frames) < len(group) or 2 * seen < len(group):
                        continue
                    anyone = True
                    face = track.faces.get(group[0])
                    row = Prediction(reader.name, level, frame=start, time=times[group[0]], face=k)
                    if face is not None:
                        row = replace(row, box=face.box, confidence=face.score)
                    yield Job(row, frames + [frames[-1]] * (need - len(frames)))
                if not anyone:
                    yield Prediction(reader.name, level, NO_FACE, 'no face found', frame=start, time=times[group[0]])
                begin = queue[0][0] if queue else t + 1
                kept = {key: value for key, value in kept.items() if key[1] >= begin}


def find_inputs(inputs: Sequence[str | Path]) -> list[tuple[str, str]]:
    """Every file with its kind: 'image', 'video', 'missing', or 'skipped' (in a folder, neither of the first two).

    A file that was named itself and has an unknown suffix is tried as an image. Hidden files in folders do not count;
    linked folders are followed, each once.
    """
    found: dict[str, str] = {}
    for given in map(Path, inputs):
        if given.is_dir():
            for path in walk_files(given):
                found.setdefault(str(path), kind_of(path, SKIPPED) if path.is_file() else MISSING)
        else:
            found[str(given)] = kind_of(given, 'image') if given.is_file() else MISSING
    if not found:
        raise UserError(f'no files in {", ".join(map(str, inputs))}')
    return list(found.items())


def kind_of(path: Path, otherwise: str) -> str:
    """'image' or 'video' by the suffix."""
    if path.suffix.lower() in NOT_READ:
        return 'image'  # the reader says what to do with it
    return media_of(path) or otherwise


def message_without(name: str, error: Exception) -> str:
    """An error's text without the file name that the row has already."""
    return str(error).removeprefix(f'{name}: ')
