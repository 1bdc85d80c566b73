"""How a set of face images is framed, as the crop settings that would cut the same frame out of any picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from face_aux.detection.detectors import FaceDetector
from face_aux.images import read_image


@dataclass(frozen=True)
class Framing:
    """What a detector finds in a set of square face images.

    Args:
        images: Images looked at.
        found: Images with a face.
        several: Images with more than one.
        margin: Median of what :class:`face_aux.detection.CropSettings` calls margin; None where nothing was found.
        shift: Likewise.
        milliseconds: Median time of a detection.
    """

    images: int
    found: int
    several: int
    margin: float | None
    shift: float | None
    milliseconds: float


def measure_framing(detector: FaceDetector, paths: Sequence[Path]) -> Framing:
    """Detect the largest face of each image and compare it with the image itself.

    Args:
        detector: The detector that prediction will use.
        paths: Face images, such as a sample of the training set.

    Raises:
        UserError: An image cannot be read.
        ValueError: There are no images.
    """
    if not paths:
        raise ValueError('no images to measure')
    margins, shifts, seconds, counts = [], [], [], []
    for path in paths:
        image = read_image(path)
        begin = time.perf_counter()
        faces = detector.detect(image)
        seconds.append(time.perf_counter() - begin)
        counts.append(len(faces))
        if faces:
            height, width = image.shape[:2]
            margins.append((max(height, width) / faces[0].side - 1) / 2)
            shifts.append((faces[0].center[1] - height / 2) / faces[0].side)
    return Framing(
        images=len(paths),
        found=sum(n > 0 for n in counts),
        several=sum(n > 1 for n in counts),
        margin=float(np.median(margins)) if margins else None,
        shift=float(np.median(shifts)) if shifts else None,
        milliseconds=1000 * float(np.median(seconds)),
    )
