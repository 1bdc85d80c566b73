"""Pose estimators behind one small interface: frames in, the persons of each frame out."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from bmoe_ground.errors import UserError
from pose_extract.poses import BoxSource, Poses
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

# A new backend is a file in this folder and a line here; an extra in setup.cfg where it needs further packages.
BACKENDS = {
    'mmpose': 'pose_extract.estimators.mmpose:MMPoseEstimator',
    'mediapipe': 'pose_extract.estimators.mediapipe:MediaPipeEstimator',
}


class PoseEstimator(ABC):
    """One pose model, loaded once and used for many videos.

    Subclasses keep no state from one video to the next, so that results depend neither on the order of the videos
    nor on how they are shared among processes.
    """

    skeleton: str
    """Name of the keypoint layout that comes out."""

    packages: tuple[str, ...] = ()
    """Distributions that decide the results, whose versions are put on record."""

    execution: str = ''
    """How the network is run, for the record."""

    irrelevant: frozenset[str] = frozenset()
    """Names of settings that do not concern this backend."""

    @staticmethod
    @abstractmethod
    def identify(settings: ExtractSettings) -> dict[str, Any]:
        """Resolve the model without building it.

        Returns:
            What decides the results: model, checkpoint digest and the like, JSON-serialisable.

        Raises:
            UserError: The model or its weights cannot be had; the message says the ways out.
        """

    @abstractmethod
    def __init__(self, settings: ExtractSettings) -> None: ...

    @abstractmethod
    def run(self, frames: Iterable[Frame], boxes: BoxSource | None = None) -> Poses:
        """Estimate the poses of one video.

        Args:
            frames: The video's frames in order.
            boxes: Where to look for persons; None lets the backend find them.

        Yields:
            Each frame with its persons, in order, none left out.
        """


def backend_class(name: str) -> type[PoseEstimator]:
    """The estimator class of a backend, imported on first use.

    Args:
        name: A key of :data:`BACKENDS`, or ``module:Class`` for a :class:`PoseEstimator` of one's own. It comes from a
            command line or a program, never from a file that is read.

    Raises:
        UserError: The name is unknown, the packages of the backend are not installed, or the class is no estimator.

    Example:
        >>> backend_class('openpose')
        Traceback (most recent call last):
        bmoe_ground.errors.UserError: unknown backend 'openpose'; choose from mediapipe, mmpose, or name a class of ...
    """
    if name not in BACKENDS:
        return _own_class(name)
    module, attribute = BACKENDS[name].split(':')
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        other = next(key for key in BACKENDS if key != name)
        raise UserError(
            f"backend '{name}' needs the package '{error.name}', which is not installed; "
            f'install it (see README.md) or use --backend {other}'
        ) from error


def _own_class(name: str) -> type[PoseEstimator]:
    module, colon, attribute = name.partition(':')
    if not (module and colon and attribute):
        raise UserError(
            f"unknown backend '{name}'; choose from {', '.join(sorted(BACKENDS))}, or name a class of your own as "
            'module:Class'
        )
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        raise UserError(
            f"backend '{name}': {module} cannot be imported: {error}; is its folder in PYTHONPATH?"
        ) from error
    if not (isinstance(found, type) and issubclass(found, PoseEstimator)):
        what = 'has no' if found is None else 'has no pose_extract.estimators.PoseEstimator'
        raise UserError(f"backend '{name}': {module} {what} {attribute}")
    return found
