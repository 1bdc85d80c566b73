"""Finding faces and cutting them out, with detectors that need no download."""

from face_aux.detection.alignment import CropSettings, crop_face
from face_aux.detection.detectors import DETECTORS, FaceDetector, WholeImage, build_detector
from face_aux.detection.faces import Face

__all__ = [
    'DETECTORS',
    'CropSettings',
    'Face',
    'FaceDetector',
    'WholeImage',
    'build_detector',
    'crop_face',
]
