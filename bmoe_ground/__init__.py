"""What every package here stands on.

- what a user can get wrong: :mod:`~bmoe_ground.errors`
- files: :mod:`~bmoe_ground.files` (whole or absent), :mod:`~bmoe_ground.tables` (CSV and lists;
  :mod:`~bmoe_ground.texts`: encodings, separators),
  :mod:`~bmoe_ground.media` (images and videos by name), :mod:`~bmoe_ground.video` (their frames),
  :mod:`~bmoe_ground.safe_pickle`, :mod:`~bmoe_ground.skeleton_pickle`, :mod:`~bmoe_ground.npz`
- numbers: :mod:`~bmoe_ground.geometry` (boxes), :mod:`~bmoe_ground.splits`, :mod:`~bmoe_ground.pixels`
- the machine: :mod:`~bmoe_ground.device`, :mod:`~bmoe_ground.memory`, :mod:`~bmoe_ground.native_output`,
  :mod:`~bmoe_ground.worker_process`

Knows neither mmengine nor a model. :mod:`bmoe_ground.import_cures` have to be in place before anything imports
torchvision or mmengine, so that importing this package puts them there; that takes microseconds.
"""

from bmoe_ground.import_cures import apply_import_cures

apply_import_cures()
