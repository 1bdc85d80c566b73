"""What a clip goes through on its way to the model: dicts in, dicts out, numpy only."""

from bmoe_skel.transforms.drops import DropAxis, DropBlock
from bmoe_skel.transforms.mirror import AddMirrored, RandomFlip
from bmoe_skel.transforms.packing import PackPose
from bmoe_skel.transforms.side_inputs import LoadCrops, LoadFeature
from bmoe_skel.transforms.spatial import DropJoints, NormalizePose, RandomAffine, RandomJitter
from bmoe_skel.transforms.temporal import SampleFrames

__all__ = [
    'AddMirrored',
    'DropAxis',
    'DropBlock',
    'DropJoints',
    'LoadCrops',
    'LoadFeature',
    'NormalizePose',
    'PackPose',
    'RandomAffine',
    'RandomFlip',
    'RandomJitter',
    'SampleFrames',
]
