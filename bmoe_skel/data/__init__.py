"""Datasets and transforms of pose clips."""

from bmoe_skel.data.dataset import PoseDataset
from bmoe_skel.data.loading import LoadCrops, LoadFeature
from bmoe_skel.data.ma52 import MA52Dataset
from bmoe_skel.data.mirror import AddMirrored, RandomFlip
from bmoe_skel.data.mpii import MPIIGroupInteraction
from bmoe_skel.data.pickle_dataset import PosePickleDataset
from bmoe_skel.data.sampling import PackPose, SampleFrames
from bmoe_skel.data.social_gesture import SocialGestureDataset
from bmoe_skel.data.track_dataset import TrackDataset
from bmoe_skel.data.transforms import DropJoints, NormalizePose, RandomAffine, RandomJitter

__all__ = [
    'AddMirrored',
    'DropJoints',
    'LoadCrops',
    'LoadFeature',
    'MA52Dataset',
    'MPIIGroupInteraction',
    'NormalizePose',
    'PackPose',
    'PoseDataset',
    'PosePickleDataset',
    'RandomAffine',
    'RandomFlip',
    'RandomJitter',
    'SampleFrames',
    'SocialGestureDataset',
    'TrackDataset',
]
