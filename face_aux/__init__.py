"""Face analysis with a texture-reconstructing masked auto-encoder as auxiliary task."""

import mm_runtime  # noqa: F401  (its import cures have to be in place before mmengine, timm or mmpose)
