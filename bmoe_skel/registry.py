"""The registries of this package: children of mmengine's, so that its configs and runner find our classes."""

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS

from mm_runtime.registry import ProjectRegistry

_SCOPE = 'bmoe_skel'

MODELS = ProjectRegistry('model', parent=MMENGINE_MODELS, scope=_SCOPE, locations=['bmoe_skel.models'])
DATASETS = ProjectRegistry('dataset', parent=MMENGINE_DATASETS, scope=_SCOPE, locations=['bmoe_skel.datasets'])
TRANSFORMS = ProjectRegistry('transform', parent=MMENGINE_TRANSFORMS, scope=_SCOPE, locations=['bmoe_skel.transforms'])
METRICS = ProjectRegistry('metric', parent=MMENGINE_METRICS, scope=_SCOPE, locations=['bmoe_skel.metrics'])
HOOKS = ProjectRegistry('hook', parent=MMENGINE_HOOKS, scope=_SCOPE, locations=['bmoe_skel.hooks'])
