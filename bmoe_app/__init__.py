"""A video to an answer: the command ``bmoe``, which is the other packages' front door for people without Python.

    bmoe --help                     # every command in one line
    bmoe extract videos/            # the same as python tools/extract_pose.py videos/
    bmoe list                       # configs, layouts, backends, textures that can be named

What is here: :mod:`bmoe_app.cli` finds the command; each command is a module of :mod:`bmoe_app.commands` with
``add_arguments(parser)`` and ``main(argv, prog)``; training and testing are those of :mod:`mm_runtime.cli`.
"""

from bmoe_ground.version import __version__ as __version__
