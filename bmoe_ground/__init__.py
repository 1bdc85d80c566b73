"""What every package here stands on: errors, whole-or-absent files, safe pickles, and cures for two broken imports.

Knows neither mmengine nor a model. :mod:`bmoe_ground.import_cures` have to be in place before anything imports
torchvision or mmengine, so that importing this package puts them there; that takes microseconds.
"""

from bmoe_ground.import_cures import apply_import_cures

apply_import_cures()
