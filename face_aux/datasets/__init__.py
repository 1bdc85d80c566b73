"""Face data sets, one reader a file format."""

from face_aux.datasets.affectnet import AffectNet
from face_aux.datasets.attributes import CelebA, FairFace, UTKFace
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.deepfake import CelebDf, Dfdc, FaceForensics
from face_aux.datasets.emotion import Fer2013, FerPlus
from face_aux.datasets.generic import CsvFaces, FolderFaces
from face_aux.datasets.rafdb import RafDb

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
