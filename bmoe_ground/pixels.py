"""Statistics of pixels that networks were trained with."""

from __future__ import annotations

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's training images: red, green, blue in 0..1, as torchvision and timm take it."""

IMAGENET_STD = (0.229, 0.224, 0.225)
"""Their standard deviation, likewise."""
