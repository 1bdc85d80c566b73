"""Images and videos in, one row for every face out, in real batches, with a status for every file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from face_aux.checkpoint import FaceModel
from face_aux.data.images import UnreadableImageError, read_image
from face_aux.data.records import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from face_aux.detection.alignment import CropSettings, crop_face, cut
from face_aux.detection.detectors import FaceDetector
from face_aux.detection.tracks import FaceTrack, link_faces, smooth_crops
from face_aux.predictions import MISSING, NO_FACE, SKIPPED, UNREADABLE, Prediction
from face_aux.registry import TRANSFORMS
from face_aux.video_reader import VideoReader
from mm_runtime.errors import UserError

READ_AHEAD = 8
"""Images decoded in advance, by :data:`READERS` threads."""
READERS = 2


@dataclass
class Job:
    """Pixels that wait for their batch.

    Args:
        row: The row that the scores go into.
        frames: One (S, S, 3) crop, or the crops of a clip.
    """

    row: Prediction
    frames: list[np.ndarray]


class FaceInferencer:
    """Predicts faces in images and videos.

    Args:
        model: From :func:`face_aux.checkpoint.load_face_model`.
        detector: From :func:`face_aux.detection.build_detector`.
        crop: Margin and alignment of the crops; None for what the checkpoint says.
        faces: 'largest' for one face an image or video, 'all' for every one.
        batch_size: Crops (or clips) a batch.
        max_frames: Frames (or clips) taken from a video, evenly spaced; 0 for all frames.
    """

    def __init__(
        self,
        model: FaceModel,
        detector: FaceDetector,
        crop: CropSettings | None = None,
        faces: str = 'largest',
        batch_size: int = 32,
        max_frames: int = 32,
    ) -> None:
        if faces not in ('largest', 'all'):
            raise UserError(f"faces must be 'largest' or 'all', got {faces!r}")
        if batch_size < 1 or max_frames < 0:
            raise UserError(f'batch_size must be at least 1 and max_frames at least 0, got {batch_size}, {max_frames}')
        self.model, self.detector, self.faces = model, detector, faces
        self.batch_size, self.max_frames = batch_size, max_frames
        self.crop = crop or CropSettings.from_config(model.crop, model.source)
        load = model.pipeline[0]
        self.clip_length = load.get('length', 16) if load['type'].endswith('LoadFaceClip') else 0
        self.clip_interval = load.get('interval', 1)
        self.max_side = None if self.clip_length else load.get('max_side')
        self.pipeline = [TRANSFORMS.build(step) for step in model.pipeline]
        self.device = next(model.model.parameters()).device

    def predict(self, inputs: Sequence[str | Path]) -> list[Prediction]:
        """Predict files and folders.

        Args:
            inputs: Images, videos, and folders that are searched for both.

        Returns:
            Rows in the order of the inputs; every file has at least one.
        """
        rows: list[Prediction] = []
        waiting: list[Job] = []
        for item in self._jobs(find_inputs(inputs)):
            rows.append(item.row if isinstance(item, Job) else item)
            waiting += [item] if isinstance(item, Job) else []
            while len(waiting) >= self.batch_size:
                self._run(waiting[: self.batch_size])
                del waiting[: self.batch_size]
        if waiting:
            self._run(waiting)
        return add_video_rows(rows, self.model)

    def _jobs(self, files: Sequence[tuple[str, str]]) -> Iterator[Job | Prediction]:
        """Crops of every file, or the row that says why there is none."""
        with ThreadPoolExecutor(READERS) as pool:
            ahead: deque[tuple[str, str, Future | None]] = deque()
            queue = iter(files)
            while True:
                while len(ahead) < READ_AHEAD and (item := next(queue, None)) is not None:
                    name, kind = item
                    is_image = kind == 'image' and not self.clip_length
                    ahead.append((name, kind, pool.submit(read_image, name, self.max_side) if is_image else None))
                if not ahead:
                    return
                name, kind, future = ahead.popleft()
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
        found = self.detector.detect(image)
        if not found:
            yield Prediction(name, 'image', NO_FACE, 'no face found')
            return
        for number, face in enumerate(found if self.faces == 'all' else found[:1]):
            row = Prediction(name, 'image', face=number, box=face.box, confidence=face.score)
            yield Job(row, [crop_face(image, face, self.crop) if self.detector.cuts else image])

    def _video(self, name: str) -> Iterator[Job | Prediction]:
        """Two passes over a video: find and follow the faces, then cut the smoothed crops out."""
        reader = VideoReader(name)
        groups = reader.sample(self.max_frames, self.clip_length, self.clip_interval)
        wanted = sorted({index for group in groups for index in group})
        times = [index / reader.fps for index in wanted]
        found = [self.detector.detect(frame) for _, frame in reader.frames(wanted)]
        wanted, times = wanted[: len(found)], times[: len(found)]
        if not found:
            yield Prediction(name, 'video', UNREADABLE, 'no frame can be decoded')
            return
        tracks = link_faces(found, times)
        chosen = tracks if self.faces == 'all' else tracks[:1]
        if not chosen:
            yield Prediction(name, 'video', NO_FACE, f'no face in {len(found)} frames')
            return
        crops = [smooth_crops(track, times, self.crop) for track in chosen]
        at = {index: i for i, index in enumerate(wanted)}
        pending = [[at[index] for index in group if index in at] for group in groups]
        yield from self._cut(reader, wanted, times, chosen, crops, [group for group in pending if group])

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
        for t, (_, frame) in enumerate(reader.frames(wanted)):
            for k, by_time in enumerate(crops):
                if t in by_time:
                    kept[k, t] = cut(frame, by_time[t], sizes[k]) if self.detector.cuts else frame
            while queue and queue[0][-1] <= t:
                group = queue.popleft()
                start = wanted[group[0]]
                anyone = False
                for k, track in enumerate(tracks):
                    frames = [kept[k, i] for i in group if (k, i) in kept]
                    if len(frames) < len(group):
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

    @torch.inference_mode()
    def _run(self, jobs: Sequence[Job]) -> None:
        """Score one batch and write the results into its rows."""
        packed = [self._prepare(job) for job in jobs]
        inputs = torch.stack(packed).to(self.device)
        samples = self.model.model(inputs, mode='predict')
        for job, sample in zip(jobs, samples, strict=True):
            for task, classes in self.model.tasks.items():
                values = sample.scores[task].double().cpu().tolist()
                job.row.scores[task] = dict(zip(classes, values, strict=True))
                job.row.labels[task] = choose(job.row.scores[task], task in self.model.multi_label)

    def _prepare(self, job: Job) -> torch.Tensor:
        results: dict[str, Any] = {'frames': job.frames, 'path': job.row.file, 'gt': {}, 'groups': {}}
        for transform in self.pipeline:
            results = transform(results)
        return results['inputs']


def choose(scores: dict[str, float], multi_label: bool) -> Any:
    """The most probable class, or for a multi-label task every class from 0.5 up."""
    if multi_label:
        return [name for name, value in scores.items() if value >= 0.5]
    return max(scores, key=scores.__getitem__)


def add_video_rows(rows: Sequence[Prediction], model: FaceModel) -> list[Prediction]:
    """Put a row with the mean scores after the frames or clips of each face of a video."""
    result: list[Prediction] = []
    for (file, level), group in groupby(rows, key=lambda row: (row.file, row.level)):
        same = list(group)
        result += same
        if level not in ('frame', 'clip'):
            continue
        for face in sorted({row.face for row in same if row.face is not None}):
            members = [row for row in same if row.face == face]
            mean = Prediction(file, 'video', face=face, samples=len(members))
            for task, classes in model.tasks.items():
                mean.scores[task] = {c: float(np.mean([m.scores[task][c] for m in members])) for c in classes}
                mean.labels[task] = choose(mean.scores[task], task in model.multi_label)
            result.append(mean)
    return result


def find_inputs(inputs: Sequence[str | Path]) -> list[tuple[str, str]]:
    """Every file with its kind: 'image', 'video', 'missing', or 'skipped' (in a folder, neither of the first two).

    A file that was named itself and has an unknown suffix is tried as an image. Hidden files in folders do not count.
    """
    found: dict[str, str] = {}
    for given in map(Path, inputs):
        if given.is_dir():
            files = sorted(p for p in given.rglob('*') if p.is_file() and not p.name.startswith('.'))
            found.update({str(path): kind_of(path, SKIPPED) for path in files if str(path) not in found})
        else:
            found[str(given)] = kind_of(given, 'image') if given.is_file() else MISSING
    if not found:
        raise UserError(f'no files in {", ".join(map(str, inputs))}')
    return list(found.items())


def kind_of(path: Path, otherwise: str) -> str:
    """'image' or 'video' by the suffix."""
    suffix = path.suffix.lower()
    return 'image' if suffix in IMAGE_SUFFIXES else 'video' if suffix in VIDEO_SUFFIXES else otherwise


def message_without(name: str, error: Exception) -> str:
    """An error's text without the file name that the row has already."""
    return str(error).removeprefix(f'{name}: ')
