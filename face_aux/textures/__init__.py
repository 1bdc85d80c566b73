"""Local texture patterns as batched torch operators, on CPU and GPU alike."""

from face_aux.textures.circle import to_gray
from face_aux.textures.directional import (
    kirsch_responses,
    local_directional_number,
    local_directional_pattern,
    local_directional_pattern_variance,
)
from face_aux.textures.histograms import block_histograms
from face_aux.textures.hog import hog_features, oriented_gradients
from face_aux.textures.lbp import center_symmetric_lbp, local_binary_pattern, local_ternary_pattern
from face_aux.textures.table import DESCRIPTORS, Descriptor, get_descriptor, register_texture, texture_names

__all__ = [
    'DESCRIPTORS',
    'Descriptor',
    'block_histograms',
    'center_symmetric_lbp',
    'get_descriptor',
    'hog_features',
    'kirsch_responses',
    'local_binary_pattern',
    'local_directional_number',
    'local_directional_pattern',
    'local_directional_pattern_variance',
    'local_ternary_pattern',
    'oriented_gradients',
    'register_texture',
    'texture_names',
    'to_gray',
]
