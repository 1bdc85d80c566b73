"""The classes of MPIIGroupInteraction's bodily behaviours (BBSI, Balazia et al. 2022) as data."""

from __future__ import annotations

BEHAVIOURS: tuple[str, ...] = (
    *('Hand-face', 'Hand-mouth', 'Gesture', 'Fumble', 'Scratch', 'Stretching', 'Smearing hands', 'Shrug'),
    *('Adjusting clothing', 'Groom', 'Fold arms', 'Leg movement', 'Settle', 'Legs crossed'),
)
"""The 14 classes of MultiMediate's multi-label task, in the order of its evaluation."""

SINGLE_LABEL: tuple[str, ...] = (
    *('Adjusting Clothing', 'Fold Arms', 'Fumble', 'Gesture', 'Groom', 'Hand-face', 'Hand-mouth'),
    *('Lean Towards Straight', 'Leg Movement', 'Legs Crossed', 'Scratch', 'Settle', 'Shrug', 'Smearing Hands'),
    *('Stretching', 'Relax', 'Crouch', 'Lean Left', 'Lean Right'),
)
"""The 19 names of the single-label variant that B-MoE's authors use."""

REGION_GROUPS: tuple[str, ...] = ('head', 'body', 'upper', 'lower')

_EXPERT_CLASSES = {'upper': (0, 1, 2, 3, 10, 13), 'head': (4, 5, 6), 'lower': (8, 9, 16)}

GROUP_OF_SINGLE_LABEL: tuple[int, ...] = tuple(
    next((REGION_GROUPS.index(region) for region, members in _EXPERT_CLASSES.items() if c in members), 1)
    for c in range(len(SINGLE_LABEL))
)
"""The region group of each of :data:`SINGLE_LABEL`, an index of :data:`REGION_GROUPS`."""
