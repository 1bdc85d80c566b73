"""What the fork server of :mod:`warm_programs` has imported before it forks: libraries, of ours only the cures."""

from __future__ import annotations

import contextlib
import gc
import importlib

from bmoe_ground.import_cures import apply_import_cures

LIBRARIES = (
    'cv2',
    'matplotlib.pyplot',
    'mmengine.runner',
    'PIL.Image',
    'scipy.signal',
    'sklearn.metrics',
    'sklearn.model_selection',
    'skimage.feature',
    'pandas',
    'timm',
    'fairlearn.metrics',
)

apply_import_cures()
for name in LIBRARIES:
    with contextlib.suppress(ImportError):  # an extra that is not installed: tests that need it are skipped
        importlib.import_module(name)
gc.freeze()  # what is here stays, and a fork need not copy it to look through it
