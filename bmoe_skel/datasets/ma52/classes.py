"""The classes of MA-52 (Guo et al. 2024, arXiv 2403.05234) as data.

Names are as in the data set's ``label_name.txt``; a class's body part follows from its number.
"""

from __future__ import annotations

BODY_PARTS: tuple[str, ...] = ('body', 'head', 'upper limb', 'lower limb', 'body-hand', 'head-hand', 'leg-hand')

_ACTIONS_OF_PART: tuple[tuple[str, ...], ...] = (
    ('shaking body', 'sitting straightly', 'shrugging', 'turning around', 'rising up'),
    ('bowing head', 'head up', 'tilting head', 'turning head', 'nodding', 'shaking head'),
    (
        *('scratching arms', 'playing objects', 'putting hands together', 'rubbing hands', 'pointing oneself'),
        *('clenching fist', 'stretching arms', 'retracting arms', 'waving', 'spreading hands'),
        *('hands touching fingers', 'other finger movements', 'illustrative gestures'),
    ),
    (
        *('shaking legs', 'curling legs', 'spread legs', 'closing legs', 'crossing legs', 'stretching feet'),
        *('retracting feet', 'tiptoe'),
    ),
    (
        *('scratching or touching neck', 'scratching or touching chest', 'scratching or touching back'),
        *('scratching or touching shoulder', 'arms akimbo', 'crossing arms'),
    ),
    (
        *('playing or tidying hair', 'scratching or touching hindbrain', 'scratching or touching forehead'),
        *('scratching or touching face', 'rubbing eyes', 'touching nose', 'touching ears', 'covering face'),
        *('covering mouth', 'pushing glasses'),
    ),
    ('patting legs', 'touching legs', 'scratching legs', 'scratching feet'),
)

ACTIONS: tuple[str, ...] = tuple(name for names in _ACTIONS_OF_PART for name in names)

BODY_OF_ACTION: tuple[int, ...] = tuple(part for part, names in enumerate(_ACTIONS_OF_PART) for _ in names)
"""The body part of each action, an index of :data:`BODY_PARTS`."""
