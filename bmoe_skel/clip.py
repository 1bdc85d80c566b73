"""A clip on its way from a data set to the model: every key that data sets and transforms exchange, in one place.

M persons, T frames, V keypoints, C coordinates (2 or 3), S cuts of a clip, T' steps of a cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from bmoe_skel.structures import ActionSample


class Clip(TypedDict, total=False):
    """One clip. Which keys it has depends on where it stands; a data set may add keys of its own, which are kept.

    Who it is, written by the data set:
        frame_dir: The clip's name, unique in its set: for messages, for finding its features, and for display. Nothing
            is read out of it.
        label: Class number, or (classes,) float32 of 0 and 1 where a clip may have several labels. ``RandomFlip``
            changes it where left becomes right; ``PackPose`` reads it.
        subject: Who is seen, for folds by subject and for checks; not in every set.
        recording: Name of the longer video that the clip is a window of.
        start: Seconds into the recording at which the clip begins; ``LocalizationMetric`` reads it from the sample.
        end: Seconds into the recording at which it ends.

    What is seen, written by the data set:
        keypoint: (M, T, V, C) float32, pixels or metres, NaN where absent. ``NormalizePose`` makes body sizes of the
            unit and 0 of the absent; ``SampleFrames`` makes (S, M, T', V, C) of the shape; then every transform.
        keypoint_score: (M, T, V) float32, 0..1, 0 where absent; or left out. ``NormalizePose`` takes it away.
        total_frames: Frames of the whole video; T where the clip is not a window. ``LoadCrops`` and ``LoadFeature``.
        frame_times: (T,) float64 seconds, rising; ``SampleFrames`` reads the pace from it.
        img_shape: (height, width) pixels of the video; for checks.
        track: Path of the track file, for messages.
        crops: Path of the RGB crops beside it, for ``LoadCrops``; left out where the set does not use crops.
        window: First frame, and frame after the last, where the keypoints are a part of ``total_frames``.
        person: Which person of the file the first one is, 0 if left out; for ``LoadCrops``.

    Where ``WindowDataset`` holds the keypoints, so that overlapping windows share them; nobody else reads these:
        source_index: Number of the arrays among the data set's ``recordings``.
        first_frame: First frame in them.
        stop_frame: Frame after the last.

    What the set says of itself, written by ``PoseDataset`` (or the inferencer) before the transforms:
        skeleton: Name of the keypoint layout.
        classes: Class names in label order; ``RandomFlip`` and ``AddMirrored`` look for left and right.
        persons: The most persons that a clip of the set has; ``PackPose(max_persons=None)``.
        feature_root: Folder of precomputed features; ``LoadFeature``.
        rng: The sample's own random numbers; every random transform.
        sample_idx: The clip's number in its set, written by mmengine.

    What transforms add:
        visible: (M, T, V), later (S, M, T', V) bool, which keypoints are there. By ``NormalizePose``.
        pace: (S, T') float32, time from each step to the next in 1/30 s (in frames without ``frame_times``). By
            ``SampleFrames``, for the model's velocities.
        span: First and last moment of all cuts as shares of the clip, 0..1. By ``SampleFrames``, for ``LoadCrops`` and
            ``LoadFeature``.
        uneven: Whether the cuts run at a pace that changes, which these two cannot follow. By ``SampleFrames``.
        flipped: Whether the clip is its mirror image. By ``RandomFlip``, for ``LoadCrops``.
        feature: (T_f, C_f) float32. By ``LoadFeature``.
        rgb: (T_r, 3, H, W) uint8. By ``LoadCrops``.
        rgb_seen: (T_r,) bool, whether a frame shows the person. By ``LoadCrops``.

    Example:
        >>> clip: Clip = {'frame_dir': 'nod/01.mp4', 'label': 0, 'keypoint': np.zeros((1, 30, 17, 2), np.float32)}
    """

    frame_dir: str
    label: int | np.ndarray
    subject: str | int
    recording: str
    start: float
    end: float

    keypoint: np.ndarray
    keypoint_score: np.ndarray | None
    total_frames: int
    frame_times: np.ndarray
    img_shape: tuple[int, int]
    track: str
    crops: str
    window: tuple[int, int]
    person: int

    source_index: int
    first_frame: int
    stop_frame: int

    skeleton: str
    classes: list[str]
    persons: int
    feature_root: str
    rng: np.random.Generator
    sample_idx: int

    visible: np.ndarray
    pace: np.ndarray
    span: tuple[float, float]
    uneven: bool
    flipped: bool
    feature: np.ndarray
    rgb: np.ndarray
    rgb_seen: np.ndarray


class Packed(TypedDict):
    """What ``PackPose`` makes of a clip, and ``PosePreprocessor`` a batch of.

    Attributes:
        inputs: ``keypoint`` (S, M, T', V, C) float32 in body sizes, ``visible`` (S, M, T', V) bool, ``pace`` (S, T')
            float32; and ``feature`` (T_f, C_f) float32, ``rgb`` (T_r, 3, H, W) uint8 and ``rgb_seen`` (T_r,) bool where
            the clip has them.
        data_samples: The label, the name, and of a window its recording, start and end.
    """

    inputs: dict[str, Tensor]
    data_samples: ActionSample
