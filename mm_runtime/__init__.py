"""What the trainers of this project share: safe checkpoints, import cures and the command line."""

from mm_runtime.compat import apply_import_cures

apply_import_cures()
