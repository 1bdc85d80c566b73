"""Sets of pose clips, one file a set; a new one is its file and a line here."""

from bmoe_skel.datasets.base import PoseDataset as PoseDataset
from bmoe_skel.datasets.events import EventDataset as EventDataset
from bmoe_skel.datasets.ma52 import MA52Dataset as MA52Dataset
from bmoe_skel.datasets.mpii import MPIIGroupInteraction as MPIIGroupInteraction
from bmoe_skel.datasets.pickles import PosePickleDataset as PosePickleDataset
from bmoe_skel.datasets.social_gesture import SocialGestureDataset as SocialGestureDataset
from bmoe_skel.datasets.tracks import TrackDataset as TrackDataset
