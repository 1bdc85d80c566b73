from . import datasets as datasets
from . import metrics as metrics
from . import models as models
from . import transforms as transforms
from .catalog import list_configs as list_configs
from .checkpoint import load_model as load_model
from .datasets import PosePickleDataset as PosePickleDataset
from .datasets import TrackDataset as TrackDataset
from .inferencer import Event as Event
from .inferencer import MicroActionInferencer as MicroActionInferencer
from .models import BMoE as BMoE

__version__: str
