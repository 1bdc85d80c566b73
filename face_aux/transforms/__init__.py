"""Transforms: load, then geometric, then :class:`KeepTextureSource`, then photometric, then pack.

An item is a dict; its pixels are ``frames``, a list of (H, W, 3) arrays, one for an image and T for a clip, so that
every frame of a clip is changed alike. All chance comes from :mod:`face_aux.transforms.chance`: in a run with
mmengine's loop and ``EpochSeedHook`` it depends on seed, epoch and index alone, however many workers load.
"""

from face_aux.transforms.formatting import KeepTextureSource, Normalize, PackFaceInputs
from face_aux.transforms.geometric import (
    CenterCrop,
    CropFaceBox,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    Resize,
)
from face_aux.transforms.loading import LoadFace, LoadFaceClip
from face_aux.transforms.photometric import (
    ColorJitter,
    GaussianBlur,
    JpegCompression,
    RandomErasing,
    RandomGray,
)

__all__ = [
    'CenterCrop',
    'ColorJitter',
    'CropFaceBox',
    'GaussianBlur',
    'JpegCompression',
    'KeepTextureSource',
    'LoadFace',
    'LoadFaceClip',
    'Normalize',
    'PackFaceInputs',
    'RandomErasing',
    'RandomFlip',
    'RandomGray',
    'RandomResizedCrop',
    'RandomRotation',
    'Resize',
]
