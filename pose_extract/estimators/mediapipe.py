"""BlazePose full by MediaPipe: 33 keypoints, its weights are inside the package, so nothing is downloaded.

Reference: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020, arXiv:2006.10204.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

# Read when the C++ side starts. Its warnings concern the authors of graphs, and would break the progress bar.
os.environ.setdefault('GLOG_minloglevel', '3')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import cv2
import mediapipe  # noqa: F401  (named first, so that its absence is reported by this name)
import numpy as np
from mediapipe.python.solution_base import SolutionBase

from bmoe_ground.errors import UserError
from bmoe_ground.geometry import box_iou
from pose_extract.estimators import PoseEstimator
from pose_extract.estimators.blazepose_detector import PersonCounter
from pose_extract.estimators.blazepose_network import pose_graph
from pose_extract.poses import BoxSource, FramePoses, PersonBoxes, Poses
from pose_extract.settings import ExtractSettings
from pose_extract.tracking import keypoint_similarity
from pose_extract.video import Frame

NUM_KEYPOINTS = 33
CROP_MARGIN = 0.25
SAME_PERSON = 0.6  # keypoint similarity above which two poses of a frame are one person's
Pose2D = tuple[np.ndarray, np.ndarray]  # keypoints (33, 2) in pixels of the frame and scores (33,)


class MediaPipeEstimator(PoseEstimator):
    """BlazePose full (``model_complexity=1``); what of its network nobody asks for is left out.

    Without boxes, MediaPipe finds one person and follows it from frame to frame; where its detector sees more of
    them, a note says so. With boxes, each person's crop is looked at by itself. A keypoint's score is BlazePose's
    visibility. MediaPipe's own smoothing of the landmarks is off: it delays and flattens small movements
    (docs/guides/smooth.md).

    Args:
        settings: ``device`` must be ``auto`` or ``cpu``; ``whole_frame`` and the MMPose settings do not apply.
    """

    skeleton = 'blazepose33'
    execution = 'mediapipe cpu'
    packages = ('mediapipe',)
    irrelevant = frozenset(
        ('model', 'detect_every', 'whole_frame', 'box_threshold', 'flip_test', 'accelerate', 'precision')
    )

    @staticmethod
    def identify(settings: ExtractSettings) -> dict[str, Any]:
        """See :meth:`PoseEstimator.identify`."""
        if settings.device not in ('auto', 'cpu'):
            raise UserError(f"backend 'mediapipe' runs on the CPU; got --device {settings.device}")
        for name in ('config', 'checkpoint', 'detector_config', 'detector_checkpoint'):
            if getattr(settings, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} belongs to --backend mmpose, not to 'mediapipe'")
        if settings.whole_frame:
            raise UserError("--whole-frame belongs to --backend mmpose; 'mediapipe' looks at the whole frame by itself")
        return {
            'model': 'blazepose-full',
            'checkpoint': f'mediapipe {version("mediapipe")}',
            'landmark_smoothing': False,
        }

    def __init__(self, settings: ExtractSettings) -> None:
        self.identify(settings)
        self._video_pose: SolutionBase | None = None
        self._still_pose: SolutionBase | None = None
        self._counter: PersonCounter | None = None

    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        """See :meth:`PoseEstimator.run`."""
        self.notes, self.one_person = [], boxes is None
        if boxes is not None:
            for frame in frames:
                yield frame, self._poses_in_boxes(frame.image, boxes(frame.index))
            return
        if self._video_pose is None:
            self._video_pose = pose_graph()
        else:
            self._video_pose.reset()  # nothing of the previous video may show in this one
        counter = self._counter = self._counter or PersonCounter()
        counter.reset()
        for frame in frames:
            counter.look(frame.image)
            found = _landmarks(self._video_pose, frame.image)
            yield frame, FramePoses.nobody(NUM_KEYPOINTS) if found is None else _one_person(*found, frame.image.shape)
        self.notes = [note] if (note := counter.note()) else []

    def _poses_in_boxes(self, image: np.ndarray, boxes: PersonBoxes) -> FramePoses:
        if self._still_pose is None:
            self._still_pose = pose_graph(still=True)
        found = [self._pose_in_box(image, box) for box in boxes.boxes]
        # MediaPipe finds the plainest person of a crop: where two stand close, both crops may show it the same one
        for number in _mistaken(found, boxes.boxes):
            others = np.delete(boxes.boxes, number, axis=0)
            found[number] = self._pose_in_box(_without(image, boxes.boxes[number], others), boxes.boxes[number])
        for number in _mistaken(found, boxes.boxes):
            found[number] = None
        kept = [number for number, pose in enumerate(found) if pose is not None]
        if not kept:
            return FramePoses.nobody(NUM_KEYPOINTS)
        poses = [pose for pose in found if pose is not None]
        ids = None if boxes.ids is None else boxes.ids[kept]
        keypoints, scores = (np.stack(values) for values in zip(*poses, strict=True))
        return FramePoses(keypoints, scores, boxes.boxes[kept], ids)

    def _pose_in_box(self, image: np.ndarray, box: np.ndarray) -> Pose2D | None:
        assert self._still_pose is not None
        left, top, crop = _crop(image, box)
        found = _landmarks(self._still_pose, crop) if crop.size else None
        return None if found is None else (found[0] + np.array([left, top], np.float32), found[1])


def _mistaken(poses: list[Pose2D | None], boxes: np.ndarray) -> list[int]:
    """Of each two boxes whose keypoints lie on the same person, the one that they fit less."""
    wrong: set[int] = set()
    for i, first in enumerate(poses):
        for j in range(i):
            second = poses[j]
            if first is None or second is None or {i, j} & wrong:
                continue
            area = float(np.prod(boxes[i, 2:] - boxes[i, :2]))
            if keypoint_similarity(*first, *second, area) > SAME_PERSON:
                fits = [_fit(first[0], boxes[i]), _fit(second[0], boxes[j])]
                wrong.add((i, j)[int(np.argmin(fits))])
    return sorted(wrong)


def _fit(keypoints: np.ndarray, box: np.ndarray) -> float:
    """Intersection over union of a person's box and the box around its keypoints."""
    return float(box_iou(np.concatenate([keypoints.min(0), keypoints.max(0)]), box))


def _without(image: np.ndarray, box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The image with the other persons' boxes grey, but for what this person's box shares with them."""
    left, top, right, bottom = np.round(box).clip(0).astype(int)
    masked = image.copy()
    for x1, y1, x2, y2 in np.round(others).clip(0).astype(int):
        masked[y1:y2, x1:x2] = 128
    masked[top:bottom, left:right] = image[top:bottom, left:right]
    return masked


def _landmarks(pose: SolutionBase, image: np.ndarray) -> Pose2D | None:
    """Keypoints (33, 2) in pixels and visibilities (33,), None when nobody is seen."""
    height, width = image.shape[:2]
    result = pose.process({'image': cv2.cvtColor(image, cv2.COLOR_BGR2RGB)}).pose_landmarks
    if result is None:
        return None
    values = np.array([(mark.x, mark.y, mark.visibility) for mark in result.landmark], np.float32)
    return values[:, :2] * np.array([width, height], np.float32), values[:, 2].clip(0, 1)


def _one_person(keypoints: np.ndarray, scores: np.ndarray, shape: tuple[int, ...]) -> FramePoses:
    """A person with the box around its keypoints, cut at the image border."""
    limit = np.array([shape[1], shape[0]], np.float32)
    low, high = keypoints.min(0).clip(0, limit), keypoints.max(0).clip(0, limit)
    return FramePoses(keypoints[None], scores[None], np.concatenate([low, high])[None])


def _crop(image: np.ndarray, box: np.ndarray) -> tuple[int, int, np.ndarray]:
    """The image around ``box`` with a margin, and its left and top in pixels."""
    margin = CROP_MARGIN * np.array([box[2] - box[0], box[3] - box[1]])
    low = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    high = np.minimum(np.ceil(box[2:] + margin), [image.shape[1], image.shape[0]]).astype(int)
    return int(low[0]), int(low[1]), image[low[1] : high[1], low[0] : high[0]]
