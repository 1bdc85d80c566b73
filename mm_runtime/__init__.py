"""What knows mmengine: configs, the command line of training and testing, safe checkpoints, registries and hooks."""

import bmoe_ground  # noqa: F401  (its import cures have to be in place before mmengine)
