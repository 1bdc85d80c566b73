"""Keypoint tracks to micro-actions: body-part experts, a router that weighs them, and what goes around them.

    for event in bmoe_skel.MicroActionInferencer('best.pth')('poses/clip.mp4.npz'):
        print(event.start, event.end, event.person, event.label, event.region)
    model = bmoe_skel.load_model('best.pth')                       # the network alone, for a loop of one's own
    model = bmoe_skel.BMoE(num_classes=7, skeleton='coco17', coordinates=2)

What is here, by task; every name is loaded when it is first used:

* the network: :class:`BMoE`; its parts: :mod:`bmoe_skel.models`
* a trained checkpoint: :func:`load_model`, :class:`MicroActionInferencer`, :class:`Event`
* recipes to train with (``bmoe train CONFIG``): :func:`list_configs`
* clips: :class:`TrackDataset` (folders of tracks), :class:`PosePickleDataset` (pyskl, mmaction2); the micro-action
  benchmarks: :mod:`bmoe_skel.datasets`; what a clip goes through: :mod:`bmoe_skel.transforms`
* scores: :mod:`bmoe_skel.metrics`

Classes are registered with mmengine in :mod:`bmoe_skel.registry`. Of pose_extract only layouts and tracks are used.
"""

import lazy_loader

import bmoe_ground  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
from bmoe_ground.version import __version__ as __version__

# the names stand in __init__.pyi, once for readers, type checkers and this
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
