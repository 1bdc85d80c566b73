"""What the global stream may look at, one file a stream; importing this registers them all."""

from bmoe_skel.models.streams.auto import AutoStream
from bmoe_skel.models.streams.feature import FeatureStream
from bmoe_skel.models.streams.rgb import RGBStream
from bmoe_skel.models.streams.skeleton import SkeletonStream

__all__ = ['AutoStream', 'FeatureStream', 'RGBStream', 'SkeletonStream']
