"""Sets of pose clips, one file a set."""

from bmoe_skel.datasets.base import PoseDataset
from bmoe_skel.datasets.ma52 import MA52Dataset
from bmoe_skel.datasets.mpii import MPIIGroupInteraction
from bmoe_skel.datasets.pickles import PosePickleDataset
from bmoe_skel.datasets.social_gesture import SocialGestureDataset
from bmoe_skel.datasets.tracks import TrackDataset

__all__ = [
    'MA52Dataset',
    'MPIIGroupInteraction',
    'PoseDataset',
    'PosePickleDataset',
    'SocialGestureDataset',
    'TrackDataset',
]
