"""Child registries of mmengine's, one a kind; a name is looked up here first and then in mmengine.

``default_scope = 'face_aux'`` in a config is enough: each registry imports the modules of its location when the first
name is looked up.
"""

from __future__ import annotations

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS

from mm_runtime.registry import ProjectRegistry

DATASETS = ProjectRegistry('dataset', parent=MMENGINE_DATASETS, scope='face_aux', locations=['face_aux.datasets'])
TRANSFORMS = ProjectRegistry(
    'transform', parent=MMENGINE_TRANSFORMS, scope='face_aux', locations=['face_aux.transforms']
)
MODELS = ProjectRegistry('model', parent=MMENGINE_MODELS, scope='face_aux', locations=['face_aux.models'])
METRICS = ProjectRegistry('metric', parent=MMENGINE_METRICS, scope='face_aux', locations=['face_aux.metrics'])
HOOKS = ProjectRegistry('hook', parent=MMENGINE_HOOKS, scope='face_aux', locations=['face_aux.hooks'])
DATA_SAMPLERS = ProjectRegistry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='face_aux', locations=['face_aux.samplers']
)
