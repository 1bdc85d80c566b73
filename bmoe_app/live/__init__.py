"""What people do while a camera, a file or a stream runs: the newest frame, its keypoints, events as they close.

Example:
    >>> from bmoe_app.live import Grabber, LiveView, source_of
    >>> source_of('0').name
    'camera 0'
"""

from bmoe_app.live.grabber import Grabber
from bmoe_app.live.sources import SourceError, source_of
from bmoe_app.live.view import LiveView, Seen

__all__ = ['Grabber', 'LiveView', 'Seen', 'SourceError', 'source_of']
