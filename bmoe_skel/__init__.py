"""B-MoE on skeletons: body-part experts and a router that recognise micro-actions from keypoint tracks."""

import mm_runtime  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
