"""The joint model and its parts: encoder, decoder, targets, masking, loss weights, heads; the descriptor model."""

from face_aux.models.auxiliary import Reconstruction
from face_aux.models.decoder import MaskedDecoder
from face_aux.models.descriptor import DescriptorModel
from face_aux.models.encoder import VisionEncoder
from face_aux.models.heads import TaskHead
from face_aux.models.joint import ReconstructionPictures, TextureJointModel
from face_aux.models.targets import Pattern, Target
from face_aux.models.variant import Variant

__all__ = [
    'DescriptorModel',
    'MaskedDecoder',
    'Pattern',
    'Reconstruction',
    'ReconstructionPictures',
    'Target',
    'TaskHead',
    'TextureJointModel',
    'Variant',
    'VisionEncoder',
]
