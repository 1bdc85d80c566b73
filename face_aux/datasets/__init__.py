"""Face data sets, one reader a file format; a new one is its file and a line here."""

from face_aux.datasets.affectnet import AffectNet as AffectNet
from face_aux.datasets.attributes import CelebA as CelebA
from face_aux.datasets.attributes import FairFace as FairFace
from face_aux.datasets.attributes import UTKFace as UTKFace
from face_aux.datasets.base import FaceDataset as FaceDataset
from face_aux.datasets.deepfake import CelebDf as CelebDf
from face_aux.datasets.deepfake import Dfdc as Dfdc
from face_aux.datasets.deepfake import FaceForensics as FaceForensics
from face_aux.datasets.emotion import Fer2013 as Fer2013
from face_aux.datasets.emotion import FerPlus as FerPlus
from face_aux.datasets.generic import CsvFaces as CsvFaces
from face_aux.datasets.generic import FolderFaces as FolderFaces
from face_aux.datasets.rafdb import RafDb as RafDb
