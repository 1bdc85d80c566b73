"""The checkpoint that comes with the package: everyday micro-actions on tracks of any layout.

Its classes are those of :mod:`bmoe_skel.taxonomy`, its layout is :data:`pose_extract.layout_conversion.COMMON`. It was
trained on generated people by ``tools/make_box.py``; what it can do and what it cannot stands in its card,
docs/reference/model_card.md.
"""

from __future__ import annotations

from pathlib import Path

EVERYDAY = Path(__file__).with_name('everyday.pth')
"""A checkpoint like any other, for :func:`bmoe_skel.load_model` and :class:`bmoe_skel.MicroActionInferencer`."""
