"""Videos to keypoint tracks: decoding, pose estimation, tracking and the track file."""

import mm_runtime  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
