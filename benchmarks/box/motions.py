"""How each class moves: joint angles and hands over time, of one clip.

Where a source gives durations, amplitudes or repetitions they are taken from it; everything else is assumed and says
nothing of how often or how far people do it.

* Nods and shakes: 0.8 to 3.5 Hz, by the bands of Hadar, Steiner, Grant and Clifford Rose, "Kinematics of head movements
  accompanying speech during conversation", Human Movement Science 2 (1983): slow 0.2 to 1.8, ordinary 1.8 to 3.7 Hz.
* Reaches and postures: bell-shaped speed, the minimum-jerk course of Flash and Hogan, J. Neuroscience 5 (1985).
* Leg shaking: 3 to 7 Hz, about the band of voluntary and habitual leg bouncing; assumed.

``size`` scales a movement: 1 for one that counts as its class, a third or less for one that does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.box.body import FRAMES, SIDES

OTHER = {'left': 'right', 'right': 'left'}


class Player:
    """One clip that is being made: its moments, its channels and where its hands go.

    Args:
        times: (T,) seconds from the beginning of the window.
        moves: Channel to (T,), written into.
        touch: Side to ``share`` (T,), ``frame`` (), ``place`` (3,), ``wiggle`` (T, 3) and, written into.
        standing: Whether the person stands.
        lengths: Lengths of the body in centimetres.
        rng: Random numbers.
    """

    def __init__(
        self,
        times: np.ndarray,
        moves: dict[str, np.ndarray],
        touch: dict[str, dict[str, np.ndarray]],
        standing: bool,
        lengths: dict[str, float],
        rng: np.random.Generator,
    ) -> None:
        self.times, self.moves, self.touch = times, moves, touch
        self.standing, self.lengths, self.rng = standing, lengths, rng

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return float(self.times[-1])

    def between(self, low: float, high: float) -> float:
        """A random number."""
        return float(self.rng.uniform(low, high))

    def side(self) -> str:
        """A random side."""
        return str(self.rng.choice(list(SIDES)))

    def step(self, seconds: tuple[float, float]) -> np.ndarray:
        """From 0 to 1 once within the window, with a bell-shaped speed, (T,)."""
        lasts = self.between(*seconds)
        middle = self.between(0.15, 0.8) * self.seconds
        return minimum_jerk((self.times - middle) / lasts + 0.5)

    def hold(self, seconds: tuple[float, float], stays: float = 0.5) -> np.ndarray:
        """From 0 to 1 and, unless it stays, back; at times it has begun before the window, (T,)."""
        lasts = self.between(*seconds)
        begin = self.between(-0.1, 0.5) * self.seconds
        rise = minimum_jerk((self.times - begin) / lasts)
        if self.rng.random() < stays:
            return rise
        end = begin + lasts + self.between(0.1, 0.9)
        return rise - minimum_jerk((self.times - end) / (lasts * self.between(0.8, 1.3)))

    def swing(self, hertz: tuple[float, float], cycles: tuple[float, float]) -> np.ndarray:
        """To and fro between -1 and 1 with soft ends and a pace and width that change a little, (T,)."""
        pace = self.between(*hertz)
        lasts = min(self.between(*cycles) / pace, 1.3 * self.seconds)
        room = self.seconds - lasts
        begin = self.between(min(0.0, room), max(0.0, room))
        inside = np.clip((self.times - begin) / lasts, 0, 1)
        edge = np.clip(np.minimum(inside, 1 - inside) * lasts * pace * 2.5, 0, 1)
        bent = inside + self.between(-0.06, 0.06) * np.sin(2 * np.pi * inside)
        fading = 1 - self.between(0, 0.6) * inside
        return np.sin(2 * np.pi * pace * lasts * bent) * np.sin(np.pi / 2 * edge) * fading

    def add(self, channel: str, values: np.ndarray) -> None:
        """Add to a channel."""
        self.moves[channel] += values

    def lead(self, side: str, frame: str, place: tuple[float, float, float], share: np.ndarray) -> None:
        """Lead a hand to a place on the body, whose x counts to the person's left."""
        slot = self.touch[side]
        slot['share'][:] = share
        slot['frame'][...] = FRAMES.index(frame)
        slot['place'][:] = place

    def rub(self, side: str, width: float, hertz: tuple[float, float] = (1.0, 4.0), chance: float = 0.6) -> None:
        """Let a hand move to and fro where it is, in one direction."""
        if self.rng.random() < chance:
            way = self.rng.normal(0, 1, 3)
            course = self.swing(hertz, (2, 9)) * self.touch[side]['share']
            self.touch[side]['wiggle'] += width * course[:, None] * way / np.linalg.norm(way)


def minimum_jerk(share: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1 with the least jerk.

    Example:
        >>> minimum_jerk(np.array([-1, 0.5, 2])).tolist()
        [0.0, 0.5, 1.0]
    """
    x = np.clip(share, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def nod(p: Player, size: float) -> None:
    """Pitch down and up, 6 to 26 degrees."""
    course = p.swing((0.8, 3.5), (1, 4.5))
    degrees = size * p.between(6, 26) / 2
    p.add('head_pitch', degrees * (course - p.between(0, 1) * np.abs(course)))
    p.add('head_yaw', degrees * p.between(-0.12, 0.12) * course)


def head_shake(p: Player, size: float) -> None:
    """Yaw to and fro, 10 to 50 degrees from side to side."""
    course = p.swing((0.7, 3.2), (1.2, 4.5)) * np.sign(p.between(-1, 1))
    degrees = size * p.between(10, 50) / 2
    p.add('head_yaw', degrees * course)
    p.add('head_pitch', degrees * p.between(-0.12, 0.12) * course)


def _head_posture(channel: str, low: float, high: float, sign: float = 0.0) -> Callable[[Player, float], None]:
    def play(p: Player, size: float) -> None:
        course = p.hold((0.3, 0.9), 0.6) * (sign or np.sign(p.between(-1, 1)))
        degrees = size * p.between(low, high)
        p.add(channel, degrees * course)
        for other in ('head_yaw', 'head_pitch', 'head_roll'):
            if other != channel:
                p.add(other, degrees * p.between(-0.18, 0.18) * course)

    return play


def _lean(channel: str, sign: float) -> Callable[[Player, float], None]:
    def play(p: Player, size: float) -> None:
        course = size * p.between(8, 28) * p.hold((0.4, 1.2), 0.7)
        p.add(channel, sign * course)
        p.add('trunk_side' if channel == 'trunk_lean' else 'trunk_lean', p.between(-0.2, 0.2) * course)
        p.add('trunk_yaw', p.between(-0.2, 0.2) * course)

    return play


def shrug(p: Player, size: float) -> None:
    """Both shoulders up by 2.5 to 7 cm and down; hands turn out at times."""
    course = size * p.between(2.5, 7) * p.hold((0.2, 0.5), 0.1)
    for side in SIDES:
        p.add(f'shoulder_{side}', course * p.between(0.8, 1.15))
    p.add('head_pitch', p.between(-1, 1) * course)
    if p.rng.random() < 0.35:
        for side, sign in SIDES.items():
            p.add(f'hand_x_{side}', sign * course * 1.5)
            p.add(f'hand_y_{side}', course * 1.5)


def sway(p: Player, size: float) -> None:
    """The trunk to and fro, sideways, forwards or turning, 5 to 16 degrees to a side."""
    course = size * p.between(5, 16) * p.swing((0.5, 2.2), (1.3, 4))
    for channel, share in zip(('trunk_side', 'trunk_lean', 'trunk_yaw'), p.rng.dirichlet((1.0, 0.4, 0.4)), strict=True):
        p.add(channel, course * share * 1.3)


def rise(p: Player, size: float) -> None:
    """From the seat or half way up, or back; the feet stay."""
    way = p.step((0.8, 1.8))
    if p.standing:
        way = way if p.rng.random() < 0.5 else 1 - way
        bent = size * p.between(40, 85) * way
    else:
        up = way if p.rng.random() < 0.6 else 1 - way
        bent = size * p.between(50, 88) * up
    angle = np.deg2rad(bent)
    # standing: the knees bend and the seat sinks; seated: the thighs come down and the seat rises
    sign = -1.0 if p.standing else 1.0
    thigh = p.lengths['thigh']
    for side in SIDES:
        p.add(f'thigh_up_{side}', -sign * bent)
    sunk = thigh * (1 - np.cos(angle)) if p.standing else thigh * np.sin(angle)
    p.add('pelvis_y', sign * sunk)
    p.add('pelvis_z', sign * (thigh * np.sin(angle) if p.standing else thigh * (1 - np.cos(angle))))
    p.add('trunk_lean', 25 * size * np.sin(np.pi * way))


_FACE = ((3, 0, 2), (5.5, -5, 2), (0, 4, 3), (0.5, -3.8, 4.5), (1, -7, 3.5), (0, -10.5, 3), (5, -9, 0))
_HAIR = ((2, 11, -6), (7.5, 5, -7), (7.8, -2, -8), (2, 4, -17), (4, 8, -14), (6.5, 5, 0))
_NECK = ((5, 6, 1), (0, 5, 5), (2, 8, -5), (4, 4, 4))
_CHEST = ((0, -12, 10), (4, -8, 9), (-4, -10, 10), (5, -16, 10))


def _hand_to(
    frame: str, places: tuple[tuple[float, float, float], ...], both: float
) -> Callable[[Player, float], None]:
    """A hand to one of the places, which are given for the left side and hand."""

    def play(p: Player, size: float) -> None:
        side = p.side()
        sides = (side, OTHER[side]) if p.rng.random() < both else (side,)
        share = _contact(p) * min(size, 1.0)
        place = np.array(places[p.rng.integers(len(places))], float)
        for one in sides:
            sign = SIDES[one] * (1 if len(sides) == 2 or p.rng.random() < 0.8 else -1)
            where = place * (sign, 1, 1) + p.rng.normal(0, 0.8, 3)
            p.lead(one, frame, tuple(where), share)
            p.rub(one, p.between(0.5, 3))
        if frame == 'head' and p.rng.random() < 0.5:  # the head comes to meet the hand
            p.add('head_pitch', -p.between(0, 12) * share)
            p.add('head_roll', SIDES[side] * p.between(-5, 8) * share)

    return play


def _contact(p: Player) -> np.ndarray:
    """A hand that comes, comes and goes, goes, or is there all the time."""
    kind = p.rng.choice(4, p=(0.4, 0.3, 0.15, 0.15))
    if kind == 3:
        return np.ones_like(p.times)
    if kind == 2:
        return 1 - p.step((0.4, 1.0))
    return p.step((0.4, 1.0)) if kind == 0 else p.hold((0.35, 0.8), 0.0)


def hand_to_arm(p: Player, size: float) -> None:
    """A hand to the other forearm, elbow, upper arm or shoulder."""
    side = p.side()
    share = _contact(p) * min(size, 1.0)
    if p.rng.random() < 0.55:
        p.lead(side, 'arm', tuple(p.rng.normal((0, 2, 2), (3, 2, 1))), share)
    else:
        half = p.lengths['shoulders'] / 2
        high = p.rng.random() < 0.5
        p.lead(side, 'trunk', (-SIDES[side] * (half + 2), -1 if high else -p.between(8, 20), 5), share)
    p.rub(side, p.between(1, 5))


def hands_together(p: Player, size: float) -> None:
    """Both hands to one place before the body, or apart, with rubbing."""
    share = p.step((0.3, 0.9)) if p.rng.random() < 0.6 else p.hold((0.3, 0.8), 0.3)
    share = share if p.rng.random() < 0.85 else 1 - share
    moving = p.rng.random() < 0.5
    share = np.ones_like(share) if moving and p.rng.random() < 0.5 else share
    place = p.rng.normal((0, -28, 25), (3, 7, 5))
    hand = p.lengths['hand']
    course = p.swing((1, 3.5), (2, 9)) * p.between(2, 6) if moving else 0 * p.times
    for side, sign in SIDES.items():
        p.lead(side, 'trunk', tuple(place + (-sign * 0.35 * hand, 0, 0)), share * min(size, 1.0))
        p.touch[side]['wiggle'] += size * sign * course[:, None] * (0.3, 1, 0.5)


def crossed_arms(p: Player, size: float) -> None:
    """Each hand to the other upper arm, before the chest."""
    share = _contact(p) * min(size, 1.0)
    over = p.side()
    half = p.lengths['shoulders'] / 2
    for side, sign in SIDES.items():
        height = -17 + (3 if side == over else -3)
        p.lead(side, 'trunk', (-sign * (half - p.between(0, 4)), height, 13 if side == over else 9), share)


def gesture(p: Player, size: float) -> None:
    """One hand or both before the body, with beats, a wave, a point or an offer."""
    side = p.side()
    sides = (side, OTHER[side]) if p.rng.random() < 0.5 else (side,)
    lift = p.hold((0.3, 0.7), 0.5) if p.rng.random() < 0.75 else np.ones_like(p.times)
    width, height, depth = p.between(-4, 18), p.between(8, 40), p.between(0, 20)
    shape, pace = p.rng.normal(0, 1, 3), (0.6, 3.0)
    shape /= np.linalg.norm(shape)
    beats = [p.swing(pace, (1, 5)) for _ in range(2)]
    reach = p.between(3, 13)
    for one in sides:
        sign = SIDES[one]
        way = beats[0] * shape[0], beats[0] * shape[1] + 0.4 * beats[1], beats[1] * shape[2]
        p.add(f'hand_x_{one}', size * sign * (width * lift + reach * way[0]))
        p.add(f'hand_y_{one}', size * (height * lift + reach * way[1]))
        p.add(f'hand_z_{one}', size * (depth * lift + reach * way[2]))
    p.add('head_pitch', size * p.between(-2, 2) * beats[0])


def fidget(p: Player, size: float) -> None:
    """Small, quick and often: wrists by 0.7 to 2.5 cm, fingers that curl, hands where they rest."""
    together = p.rng.random() < 0.6
    sides = tuple(SIDES) if together else (p.side(),)
    if together and p.rng.random() < 0.7:
        place = p.rng.normal((0, -33, 24), (3, 6, 4))
        for side, sign in SIDES.items():
            p.lead(side, 'trunk', tuple(place - (sign * 3.0, 0, 0)), np.ones_like(p.times))
    for side in sides:
        for axis in 'xyz':
            course = p.swing((1.2, 4.5), (5, 14)) + 0.6 * p.swing((1.2, 4.5), (5, 14))
            values = size * p.between(0.5, 2.0) * course
            p.add(f'hand_{axis}_{side}', values)
            p.touch[side]['wiggle'][:, 'xyz'.index(axis)] += values
        p.add(f'curl_{side}', size * p.between(0.2, 0.9) * (0.5 + 0.5 * p.swing((0.8, 4), (3, 12))))


def leg_shaking(p: Player, size: float) -> None:
    """A heel that bobs or a knee that swings, 3 to 7 Hz, 1 to 5 cm at the knee."""
    side = p.side()
    sides = (side, OTHER[side]) if p.rng.random() < 0.25 else (side,)
    course = p.swing((3.0, 7.0), (6, 18))
    upright = p.rng.random() < 0.75
    degrees = size * p.between(1.5, 6)
    for one in sides:
        p.add(f'thigh_up_{one}' if upright else f'thigh_out_{one}', degrees * course)
        p.add(f'shin_forward_{one}', degrees * p.between(-0.3, 0.3) * course)


def cross_legs(p: Player, size: float) -> None:
    """One thigh over the other, or the ankle on the knee, or the ankles crossed."""
    side, way = p.side(), p.step((0.6, 1.3))
    way = size * (way if p.rng.random() < 0.7 else 1 - way)
    kind = p.rng.choice(3, p=(0.55, 0.25, 0.2))
    lifted = np.sin(np.pi * np.clip(way / max(size, 1e-6), 0, 1)) * size
    if kind == 0:
        _bend(p, side, -p.between(22, 34) * way, p.between(12, 20) * way + 12 * lifted, 30 * way, -15 * way)
    elif kind == 1:
        _bend(p, side, p.between(25, 45) * way, p.between(5, 18) * way + 10 * lifted, 15 * way, -75 * way)
    else:
        for one in SIDES:
            _bend(p, one, 0 * way, 4 * lifted, p.between(10, 25) * way, -p.between(16, 26) * way)


def spread_legs(p: Player, size: float) -> None:
    """Both thighs out or in by 10 to 25 degrees."""
    way = p.step((0.4, 1.1))
    degrees = size * p.between(10, 25) * (way if p.rng.random() < 0.5 else 1 - way)
    for one in SIDES:
        _bend(p, one, degrees * p.between(0.7, 1.2), 0 * way, 0 * way, degrees * p.between(-0.1, 0.5))


def stretch_leg(p: Player, size: float) -> None:
    """A foot or both forward by 20 to 60 degrees of the shin, or under the seat."""
    side = p.side()
    sides = (side, OTHER[side]) if p.rng.random() < 0.5 else (side,)
    way = p.step((0.5, 1.2)) if p.rng.random() < 0.75 else p.hold((0.4, 0.9), 0)
    way = way if p.rng.random() < 0.6 else 1 - way
    degrees = size * (p.between(20, 60) if p.rng.random() < 0.65 else -p.between(18, 40))
    for one in sides:
        _bend(p, one, 0 * way, -0.1 * np.abs(degrees) * way, degrees * way, 0 * way)


def _bend(p: Player, side: str, out: np.ndarray, up: np.ndarray, forward: np.ndarray, aside: np.ndarray) -> None:
    for name, values in (('thigh_out', out), ('thigh_up', up), ('shin_forward', forward), ('shin_out', aside)):
        p.add(f'{name}_{side}', values)


MOTIONS: dict[str, Callable[[Player, float], None]] = {
    'nod': nod,
    'head_shake': head_shake,
    'turn': _head_posture('head_yaw', 18, 65),
    'tilt': _head_posture('head_roll', 10, 32),
    'bow_head': _head_posture('head_pitch', 12, 45, -1),
    'raise_head': _head_posture('head_pitch', 10, 35, 1),
    'lean_forward': _lean('trunk_lean', 1),
    'lean_back': _lean('trunk_lean', -1),
    'lean_left': _lean('trunk_side', 1),
    'lean_right': _lean('trunk_side', -1),
    'shrug': shrug,
    'sway': sway,
    'rise': rise,
    'hand_to_face': _hand_to('head', _FACE, 0.12),
    'hand_to_head': _hand_to('head', _HAIR, 0.12),
    'hand_to_neck': _hand_to('trunk', _NECK, 0.05),
    'hand_to_chest': _hand_to('trunk', _CHEST, 0.05),
    'hand_to_arm': hand_to_arm,
    'hands_together': hands_together,
    'crossed_arms': crossed_arms,
    'gesture': gesture,
    'fidget': fidget,
    'leg_shaking': leg_shaking,
    'cross_legs': cross_legs,
    'spread_legs': spread_legs,
    'stretch_leg': stretch_leg,
}
"""Class of :data:`bmoe_skel.taxonomy.TAXONOMY` to what plays it in a clip, at a size."""
