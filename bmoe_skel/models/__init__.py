"""B-MoE and its parts."""

from bmoe_skel.models.bmoe import BMoE
from bmoe_skel.models.features import SkeletonFeatures
from bmoe_skel.models.joint_encoder import JointEncoder
from bmoe_skel.models.m3e import M3E, M3EBlock
from bmoe_skel.models.preprocessor import PosePreprocessor
from bmoe_skel.models.region_expert import RegionExpert
from bmoe_skel.models.region_recognizer import RegionRecognizer
from bmoe_skel.models.router import CrossAttentionRouter

__all__ = [
    'BMoE',
    'CrossAttentionRouter',
    'JointEncoder',
    'M3E',
    'M3EBlock',
    'PosePreprocessor',
    'RegionExpert',
    'RegionRecognizer',
    'SkeletonFeatures',
]
