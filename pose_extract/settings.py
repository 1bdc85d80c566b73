"""What the user asked the extraction to do: checked once, recorded in every track file."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.smoothing import AfterCare

# Where and how fast the work is done does not decide what comes out.
NOT_RESULT = frozenset(('device', 'batch', 'checkpoint', 'config', 'detector_checkpoint', 'detector_config', 'boxes'))

FILES = ('config', 'checkpoint', 'detector_config', 'detector_checkpoint', 'boxes')
"""Settings that name a file of the user's own."""


@dataclass(frozen=True)
class ExtractSettings:
    """Settings of one extraction.

    Attributes:
        backend: Key of :data:`pose_extract.estimators.BACKENDS`, or ``module:Class`` for one's own.
        model: MMPose alias or config name, used where ``config`` is None.
        config: MMPose config file.
        checkpoint: Weights for the pose model; None downloads the alias' own.
        detector_config: MMDetection config file of the person detector; None is RTMDet-m (persons).
        detector_checkpoint: Weights for the detector; None downloads RTMDet's.
        detect_every: Run the detector on every N-th frame, and follow the keypoints between.
        boxes: File with person boxes, in place of the detector.
        whole_frame: One person that fills the frame, in place of the detector.
        box_threshold: Least score of a detected person, 0..1.
        max_persons: Most persons kept at one time.
        flip_test: Average the predictions of the crop and its mirror image.
        precision: ``auto``, ``float32``, ``float16`` (GPU) or ``bfloat16``, of the pose network.
        accelerate: Use the fastest execution of the network that the machine offers.
        batch: Crops per forward pass.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        start: First second to read.
        end: Second to stop before; None reads to the end.
        stride: Keep every N-th frame.
        image_fps: Frames per second of a folder of images.
        interpolate: Longest gap to bridge in seconds, 0 for none.
        smooth: ``none``, ``savgol`` or ``one_euro``.
        smooth_window: Length of the Savitzky-Golay window in seconds.
        min_cutoff: One-Euro: cut-off frequency at rest in Hz.
        beta: One-Euro: how fast the cut-off rises with speed.
        save_rgb: Side in pixels of the person-centred frames to store, 0 for none.
        rgb_frames: Number of such frames per video, spread evenly; 0 for all.

    Example:
        >>> pose_extract.ExtractSettings(backend='mediapipe', smooth='one_euro').stride
        1
        >>> pose_extract.ExtractSettings(stride=0)
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: stride must be at least 1, got 0
    """

    backend: str = 'mmpose'
    model: str = 'wholebody'
    config: str | None = None
    checkpoint: str | None = None
    detector_config: str | None = None
    detector_checkpoint: str | None = None
    detect_every: int = 1
    boxes: str | None = None
    whole_frame: bool = False
    box_threshold: float = 0.3
    max_persons: int = 8
    flip_test: bool = True
    precision: str = 'auto'
    accelerate: bool = True
    batch: int = 16
    device: str = 'auto'
    start: float = 0.0
    end: float | None = None
    stride: int = 1
    image_fps: float = 30.0
    interpolate: float = 0.0
    smooth: str = 'none'
    smooth_window: float = AfterCare.window
    min_cutoff: float = AfterCare.min_cutoff
    beta: float = AfterCare.beta
    save_rgb: int = 0
    rgb_frames: int = 0

    def __post_init__(self) -> None:
        for name in ('detect_every', 'max_persons', 'batch', 'stride'):
            if getattr(self, name) < 1:
                raise UserError(f'{name} must be at least 1, got {getattr(self, name)}')
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise UserError(f'start and end must satisfy 0 <= start < end, got start={self.start}, end={self.end}')
        if not 0 <= self.box_threshold <= 1:
            raise UserError(f'box_threshold must lie in 0..1, got {self.box_threshold}')
        if not self.image_fps > 0:
            raise UserError(f'image_fps must be positive, got {self.image_fps}')
        if self.boxes and self.whole_frame:
            raise UserError('--boxes and --whole-frame exclude each other')
        if (self.boxes or self.whole_frame) and self.detect_every > 1:
            raise UserError('--detect-every needs the detector, which --boxes and --whole-frame replace')
        if self.save_rgb and not 16 <= self.save_rgb <= 1024:
            raise UserError(f'save_rgb must lie in 16..1024 pixels (or be 0), got {self.save_rgb}')
        if self.rgb_frames < 0:
            raise UserError(f'rgb_frames must be at least 0, got {self.rgb_frames}')
        self.after_care()
        for name in FILES:
            value = getattr(self, name)
            if value is not None and not Path(value).is_file():
                raise UserError(f'--{name.replace("_", "-")} {value}: no such file')

    def after_care(self) -> AfterCare:
        """What is done to the tracks at the end."""
        return AfterCare(
            max_gap=self.interpolate,
            smooth=self.smooth,
            window=self.smooth_window,
            min_cutoff=self.min_cutoff,
            beta=self.beta,
        )

    def asked(self) -> dict[str, Any]:
        """What was asked for, told without loading a backend; files that were named are not in it.

        Returns:
            A JSON-serialisable dict, to be compared before a finished track is taken as done
            (:func:`pose_extract.kept.kept_tracks`).
        """
        return {key: value for key, value in asdict(self).items() if key not in NOT_RESULT}

    @property
    def names_files(self) -> bool:
        """Whether weights, configs or boxes of the user's own decide the results."""
        return any(getattr(self, name) is not None for name in FILES)

    def fingerprint(self, identity: dict[str, Any], irrelevant: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Everything that decides the results, to be compared before a finished track is taken as done.

        Args:
            identity: What the backend said about its model (:meth:`PoseEstimator.identify`).
            irrelevant: Settings that this backend does not look at.

        Returns:
            A JSON-serialisable dict without paths, which may differ from machine to machine.
        """
        values = {key: value for key, value in self.asked().items() if key not in irrelevant}
        if self.boxes:
            values['boxes'] = file_digest(self.boxes)
        return {**values, **identity}


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, as ``sha256:<first 16 hex digits>``."""
    digest = hashlib.sha256()
    with Path(path).open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return f'sha256:{digest.hexdigest()[:16]}'


def setting_names() -> list[str]:
    """Names of all settings, in order."""
    return [field.name for field in fields(ExtractSettings)]
