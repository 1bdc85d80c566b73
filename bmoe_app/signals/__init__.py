"""Movement signals from keypoint tracks of any layout, without training: head, trunk, shoulders, hands, legs.

Example:
    >>> from bmoe_app.signals import compute_signals
    >>> signals = compute_signals(pose_extract.load_tracks('poses/head/head_00.mp4.npz'))
    >>> signals.names[:3]
    ('head_yaw', 'head_pitch', 'head_roll')
"""

from bmoe_app.signals.compute import MIN_SCORE, UNITS, Signals, compute_signals, unavailable_signals

__all__ = ['MIN_SCORE', 'UNITS', 'Signals', 'compute_signals', 'unavailable_signals']
