"""A video to an answer: the command ``bmoe``, which is the other packages' front door for people without Python.

    bmoe --help                     # every command in one line
    bmoe infer videos/              # who did what, when; the same as python tools/infer.py videos/
    bmoe list                       # configs, layouts, backends, textures that can be named

In Python, every name loaded when it is first used:

    answer = bmoe_app.answer_video('clip.mp4', 'best.pth', backend='mediapipe')
    for event in answer.events:
        print(event.start, event.end, event.person, event.label, event.region)

* an answer: :func:`answer_video`, :func:`answer_tracks`, :class:`Answer`, :class:`Event`; how a model is asked:
  :class:`ModelSettings`
* the same while a camera runs, frame by frame: :class:`EventStream`
* movement signals and events by rule: :mod:`bmoe_app.signals`, :mod:`bmoe_app.rules`

What is here: :mod:`bmoe_app.cli` finds the command; each command is a module of :mod:`bmoe_app.commands` with
``add_arguments(parser)`` and ``main(argv, prog)``; training and testing are those of :mod:`mm_runtime.cli`.
"""

import lazy_loader

import bmoe_ground  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
from bmoe_ground.version import __version__ as __version__

# the names stand in __init__.pyi, once for readers, type checkers and this
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
