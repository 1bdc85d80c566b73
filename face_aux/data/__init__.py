"""Face datasets, one reader a file format, and the transforms that make their items model inputs."""

from face_aux.data.attributes import CelebA, FairFace, UTKFace
from face_aux.data.base import FaceDataset
from face_aux.data.deepfake import CelebDf, Dfdc, FaceForensics
from face_aux.data.emotion import AffectNet, Fer2013, FerPlus, RafDb
from face_aux.data.generic import CsvFaces, FolderFaces
from face_aux.data.transforms import (
    CenterCrop,
    ColorJitter,
    CropFaceBox,
    GaussianBlur,
    JpegCompression,
    KeepTextureSource,
    LoadFace,
    LoadFaceClip,
    Normalize,
    PackFaceInputs,
    RandomErasing,
    RandomFlip,
    RandomGray,
    RandomResizedCrop,
    RandomRotation,
    Resize,
)

__all__ = [
    'AffectNet',
    'CelebA',
    'CelebDf',
    'CenterCrop',
    'ColorJitter',
    'CropFaceBox',
    'CsvFaces',
    'Dfdc',
    'FaceDataset',
    'FaceForensics',
    'FairFace',
    'Fer2013',
    'FerPlus',
    'FolderFaces',
    'GaussianBlur',
    'JpegCompression',
    'KeepTextureSource',
    'LoadFace',
    'LoadFaceClip',
    'Normalize',
    'PackFaceInputs',
    'RafDb',
    'RandomErasing',
    'RandomFlip',
    'RandomGray',
    'RandomResizedCrop',
    'RandomRotation',
    'Resize',
    'UTKFace',
]
