"""Face data sets, one reader a file format."""

from face_aux.datasets.attributes import CelebA, FairFace, UTKFace
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.deepfake import CelebDf, Dfdc, FaceForensics
from face_aux.datasets.emotion import AffectNet, Fer2013, FerPlus, RafDb
from face_aux.datasets.generic import CsvFaces, FolderFaces

__all__ = [
    'AffectNet',
    'CelebA',
    'CelebDf',
    'CsvFaces',
    'Dfdc',
    'FaceDataset',
    'FaceForensics',
    'FairFace',
    'Fer2013',
    'FerPlus',
    'FolderFaces',
    'RafDb',
    'UTKFace',
]
