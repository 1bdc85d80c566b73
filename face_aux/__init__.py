"""Face analysis with a texture-reconstructing masked auto-encoder as auxiliary task."""

import mm_runtime  # noqa: F401, I001  (its import cures have to be in place before mmengine, timm or mmpose)
from face_aux import registry  # noqa: F401  (makes the scope 'face_aux' known to mmengine)
