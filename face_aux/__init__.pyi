from . import datasets as datasets
from . import metrics as metrics
from . import models as models
from . import textures as textures
from . import transforms as transforms
from .checkpoint import FaceModel as FaceModel
from .checkpoint import load_face_model as load_face_model
from .detection import CropSettings as CropSettings
from .detection import Face as Face
from .detection import build_detector as build_detector
from .inferencer import FaceInferencer as FaceInferencer
from .metrics import FairnessReport as FairnessReport
from .metrics.samples import TaskScores as TaskScores
from .predictions import Prediction as Prediction
from .predictions import write_predictions as write_predictions

__version__: str
