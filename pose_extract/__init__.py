"""Videos to keypoint tracks: who is where in every frame, with which joints, and how sure that is.

    tracks = pose_extract.extract('clip.mp4', backend='mediapipe')
    tracks.keypoints                                    # (M persons, T frames, K keypoints, 2), pixels
    pose_extract.save_tracks('clip.mp4.npz', tracks)
    pose_extract.get_skeleton(tracks.skeleton).regions  # which keypoints are head, body, upper, lower

What is here, by task; every name is loaded when it is first used:

* one video: :func:`extract`, with :class:`ExtractSettings` as keyword arguments; many: :mod:`pose_extract.job`
* track files: :class:`PoseTracks`, :func:`load_tracks`, :func:`save_tracks`
* keypoint layouts: :class:`Skeleton`, :func:`get_skeleton`, :func:`skeleton_names`, :data:`REGIONS`; of one's own:
  :func:`load_layout`, :func:`register_layout`
* files of other projects, other layouts: :func:`convert_poses` with
  :class:`ConvertSettings` and :class:`ReadOptions`; :func:`convert_layout`
* gaps and jitter: :class:`AfterCare`, :func:`apply_after_care`
* pictures: :func:`draw_frame` with :class:`RenderStyle`, :func:`draw_sheet`; video and contact sheet:
  :mod:`pose_extract.draw.overlay`

Backends are in :mod:`pose_extract.estimators`, decoding in :mod:`pose_extract.video`. Nothing here knows of training.
"""

import lazy_loader

import bmoe_ground  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
from bmoe_ground.version import __version__ as __version__

# the names stand in __init__.pyi, once for readers, type checkers and this
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
