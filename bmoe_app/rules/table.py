"""The rules and all their thresholds, in one table."""

from __future__ import annotations

from dataclasses import dataclass

NOISE_FACTOR = 5.0
"""No posture is believed that is not this many noise floors of its signal away, whatever the rule's threshold."""
SWING_NOISE_FACTOR = 8.0
"""The same for a swing, which noise makes from its lowest to its highest among many frames."""
JITTER_SECONDS = 0.13
"""Seconds over which an estimator's jitter is looked for that is correlated from frame to frame."""
JITTER_FACTOR = 6.0
"""Nods and shakes must swing by this many times that jitter, taken of the calmest of the head's three angles."""
MAX_GAP = 0.15
"""Seconds without a keypoint that a movement may go on across."""


@dataclass(frozen=True)
class Rule:
    """One rule: which signals it looks at and how large, long and often a movement must be.

    Attributes:
        region: Part of the body that the event is told of.
        signals: Signals that it looks at, by name; it cannot be evaluated on a layout that lacks all of them.
        threshold: Least movement, in the signal's unit: of a swing from one turning point to the next for
            movements to and fro; of a turn, tilt, lean and shrug the distance from the person's own median; of hands
            and arms the level itself.
        swings: For movements to and fro, the least number of swings in a row; 0 for postures.
        swing_seconds: Least and greatest duration of one swing.
        seconds: Least duration of a posture.
        together: Whether all signals must pass at once; otherwise any.
        what: The definition in words.
    """

    region: str
    signals: tuple[str, ...]
    threshold: float
    what: str
    swings: int = 0
    swing_seconds: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0
    together: bool = False


RULES: dict[str, Rule] = {
    'nod': Rule(
        'head',
        ('head_pitch',),
        4.0,
        'pitch goes up and down (or down and up): at least 2 swings of 4 degrees, most of each within 0.5 s, larger '
        'than those of yaw',
        swings=2,
        swing_seconds=(0.06, 0.5),
    ),
    'head_shake': Rule(
        'head',
        ('head_yaw',),
        6.0,
        'yaw goes to and fro: at least 2 swings of 6 degrees, most of each within 0.5 s, larger than those of pitch',
        swings=2,
        swing_seconds=(0.06, 0.5),
    ),
    'turn': Rule(
        'head',
        ('head_yaw',),
        20.0,
        'yaw is 20 degrees or more from its median for 0.5 s, outside head shakes',
        seconds=0.5,
    ),
    'tilt': Rule(
        'head',
        ('head_shoulder_roll', 'head_roll'),
        15.0,
        'roll against the shoulders (against the picture, where they are unseen) is 15 degrees or more from its '
        'median for 0.5 s',
        seconds=0.5,
    ),
    'lean': Rule(
        'body',
        ('trunk_lean_side',),
        10.0,
        'the trunk is 10 degrees or more to a side of its median for 0.5 s',
        seconds=0.5,
    ),
    'shrug': Rule(
        'body',
        ('shoulder_height_left', 'shoulder_height_right'),
        0.08,
        'both shoulders are 0.08 body sizes or more above their median, and as much nearer to the head, for 0.2 to 3 s',
        seconds=0.2,
        together=True,
    ),
    'hand_to_face': Rule(
        'upper',
        ('hand_face_left', 'hand_face_right'),
        0.5,
        'a hand is within 0.5 body sizes of the middle of the head in the picture for 0.2 s',
        seconds=0.2,
    ),
    'crossed_arms': Rule(
        'upper',
        ('wrists_crossed',),
        0.25,
        'each wrist is on the other side, 0.25 body sizes or more past the other wrist, and both are before the trunk, '
        'for 0.5 s',
        seconds=0.5,
    ),
    'leg_shaking': Rule(
        'lower',
        ('leg_y_left', 'leg_y_right', 'leg_x_left', 'leg_x_right'),
        0.03,
        'a lower leg goes to and fro or up and down: at least 6 swings of 0.03 body sizes, each shorter than 0.3 s, '
        'while the trunk stays where it is',
        swings=6,
        swing_seconds=(0.03, 0.3),
    ),
}
"""Rule to its definition; the thresholds that a caller may change with :func:`dataclasses.replace`."""
