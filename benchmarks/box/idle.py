"""Movement of people who do nothing: they sway, breathe, look about a little and talk.

Postural sway has long-range correlations, a spectrum of about 1/f in power up to 1 Hz and steeper beyond (Duarte and
Zatsiorsky, Neuroscience Letters 283, 2000, for standing; taken over for sitting). Breathing is 12 to 20 a minute. How
far each part moves is assumed.
"""

from __future__ import annotations

import numpy as np

RATE = 30.0
"""Frames a second of generated clips."""
# root mean square over about ten seconds, degrees or centimetres
_SWAY = {
    'pelvis_x': 0.25,
    'pelvis_z': 0.3,
    'trunk_yaw': 0.7,
    'trunk_lean': 0.7,
    'trunk_side': 0.6,
    'head_yaw': 1.6,
    'head_pitch': 1.3,
    'head_roll': 0.8,
    **{f'hand_{axis}_{side}': 0.35 for side in ('left', 'right') for axis in 'xyz'},
    **{f'{name}_{side}': 0.5 for side in ('left', 'right') for name in ('thigh_out', 'shin_forward', 'shin_out')},
    **{f'curl_{side}': 0.05 for side in ('left', 'right')},
}


def coloured(shape: tuple[int, int], rng: np.random.Generator, knee: float = 1.0, slope: float = 3.0) -> np.ndarray:
    """Noise with power 1/f up to ``knee`` hertz and 1/f^``slope`` above, mean 0 and deviation 1 over four windows.

    Args:
        shape: (N, T): rows, and frames of the window that is cut out of four times as many.
        rng: Random numbers.
        knee: Hertz.
        slope: Exponent of the power above it.

    Returns:
        (N, T); a window need not have mean 0 or deviation 1.
    """
    count, frames = shape
    total = 4 * frames
    hertz = np.fft.rfftfreq(total, 1 / RATE)[1:]
    power = np.where(hertz < knee, 1 / hertz, (1 / knee) * (knee / hertz) ** slope)
    spectrum = rng.normal(0, 1, (2, count, len(hertz))) * np.sqrt(power)
    full = np.concatenate([np.zeros((count, 1)), spectrum[0] + 1j * spectrum[1]], 1)
    noise = np.fft.irfft(full, total, axis=1)
    return (noise / noise.std(1, keepdims=True))[:, frames : 2 * frames]


def rest_moves(count: int, frames: int, rng: np.random.Generator, strength: float = 1.0) -> dict[str, np.ndarray]:
    """Sway, breath and, of one in three, the head of somebody who talks.

    Args:
        count: N.
        frames: T.
        rng: Random numbers.
        strength: Of all; 0 for statues.

    Returns:
        Channel of :data:`benchmarks.box.body.CHANNELS` to (N, T).
    """
    lively = strength * np.exp(rng.normal(-0.2, 0.6, (count, 1)))
    moves = {name: size * lively * coloured((count, frames), rng) for name, size in _SWAY.items()}
    talks = strength * (rng.random((count, 1)) < 0.35) * rng.uniform(0.3, 1.2, (count, 1))
    for name, size in (('head_yaw', 1.3), ('head_pitch', 1.2), ('head_roll', 0.6)):
        moves[name] = moves[name] + size * talks * coloured((count, frames), rng, knee=2.5)
    seconds = np.arange(frames) / RATE
    pace, phase = rng.uniform(0.2, 0.33, (count, 1)), rng.uniform(0, 2 * np.pi, (count, 1))
    breath = strength * rng.uniform(0.1, 0.5, (count, 1)) * np.sin(2 * np.pi * pace * seconds + phase)
    for side in ('left', 'right'):
        moves[f'shoulder_{side}'] = breath + 0.15 * lively * coloured((count, frames), rng)
    moves['trunk_lean'] = moves['trunk_lean'] - 0.8 * breath
    return moves
