"""Cutting clips in time: from any length to as many steps as the model takes."""

from __future__ import annotations

import numpy as np

from bmoe_skel.clip import Clip
from bmoe_skel.registry import TRANSFORMS

MODES = ('resample', 'window')
STEPS = ('even', 'one_a_part', 'drawn')
_PHASES = 5  # parts of a cut that differ in pace
_RATE = 30.0  # frames a second in whose steps the pace is given


@TRANSFORMS.register_module()
class SampleFrames:
    """Cut a clip in time and bring it to ``num_frames``.

    'resample' stretches what was cut to exactly ``num_frames`` by linear interpolation. 'window' keeps the frame rate:
    longer clips are cut to ``num_frames``, shorter ones stay short (the batch is padded, and the model masks the
    padding). How much time passes between two steps is kept as the clip's ``pace``, so that the model knows how fast a
    movement really was: a walk that is stretched like a run differs from it in little else.

    Args:
        num_frames: T.
        crop: Smallest and largest share of the clip that a random cut keeps ('resample'). Above 1 the cut reaches
            beyond the clip, whose first or last frame then stands still: clips are seldom trimmed alike.
        num_clips: Cuts a clip; more than one for testing, whose scores the model averages.
        random: Whether cuts are random (training) or spread evenly (testing).
        mode: 'resample' or 'window'.
        min_frames: Shortest cut in frames.
        warp: Strength of the random change of pace within a cut, 0 for none: a cut falls into ``_PHASES`` parts whose
            durations are multiplied by ``exp(N(0, warp))``, so that when something happens tells nothing.
        steps: Where a random cut is read ('resample'): 'even' at even distances; 'one_a_part' at one random moment of
            each of ``num_frames`` equal parts (PYSKL's uniform sampling); 'drawn' at moments drawn at random and put in
            order (the loader of CTR-GCN's line). A test's cuts, ``random=False``, are even.
    """

    def __init__(
        self,
        num_frames: int = 64,
        crop: tuple[float, float] = (0.5, 1.0),
        num_clips: int = 1,
        random: bool = True,
        mode: str = 'resample',
        min_frames: int = 8,
        warp: float = 0.0,
        steps: str = 'even',
    ) -> None:
        if mode not in MODES:
            raise ValueError(f'unknown mode {mode!r}; choose one of {MODES}')
        if not 0 < crop[0] <= crop[1] <= 2:
            raise ValueError(f'crop must satisfy 0 < low <= high <= 2, got {tuple(crop)}')
        if warp < 0:
            raise ValueError(f'warp must be at least 0, got {warp}')
        if steps not in STEPS:
            raise ValueError(f'unknown steps {steps!r}; choose one of {STEPS}')
        self.steps = steps
        self.num_frames, self.crop, self.num_clips = num_frames, tuple(crop), num_clips
        self.random, self.mode, self.min_frames, self.warp = random, mode, min_frames, warp

    def positions(self, length: int, rng: np.random.Generator, index: int = 0) -> np.ndarray:
        """Choose the (fractional) frames of one cut.

        Args:
            length: Frames of the clip.
            rng: Random numbers.
            index: Number of the cut, for even spreading.

        Returns:
            (T',) float64 positions in 0..length-1, rising; T' is ``num_frames`` except for short windows.
        """
        if self.mode == 'window':
            count = min(self.num_frames, length)
            first = round(self._start(length - count, rng, index))
            return np.arange(first, first + count, dtype=np.float64)
        low = self.crop[0] if self.random or self.num_clips > 1 else self.crop[1]
        share = rng.uniform(low, self.crop[1]) if self.random else (low + self.crop[1]) / 2
        if not self.random and index == 0:
            share = self.crop[1]  # the first cut of a test sees the whole clip
        span = max(share * length, min(self.min_frames, length))
        start = self._start(length - span, rng, index)
        moments = draw_moments(self.num_frames, rng, self.steps if self.random else 'even')
        if self.random and self.warp:
            moments = warp_time(moments, rng, self.warp)
        return (start + (span - 1) * moments).clip(0, length - 1)

    def _start(self, room: float, rng: np.random.Generator, index: int) -> float:
        if self.random:
            return float(rng.uniform(min(0, room), max(0, room)))
        if self.num_clips == 1 or index == 0:
            return room / 2
        return room * (index - 1) / max(self.num_clips - 2, 1)

    def __call__(self, clip: Clip) -> Clip:
        """Cut one clip: ``keypoint`` becomes (S, M, T, V, C), ``visible`` (S, M, T, V), with S cuts.

        ``span`` is added: first and last moment of all cuts together, as shares of the clip; and ``pace`` (S, T)
        float32: time from each step to the next, in 1/30 s where the clip has ``frame_times`` (T,), else in its own
        frames; 0 where the clip stands still.

        Raises:
            ValueError: ``frame_times`` of another number of frames.
        """
        length = clip['keypoint'].shape[1]
        times = clip.get('frame_times')
        if times is not None and len(times) != length:
            raise ValueError(f'{clip.get("frame_dir", "clip")}: {len(times)} frame_times for {length} frames')
        positions = [self.positions(length, clip['rng'], i) for i in range(self.num_clips)]
        cuts = [interpolate_frames(clip['keypoint'], clip['visible'], places) for places in positions]
        clip['span'] = (min(p[0] for p in positions) / length, (max(p[-1] for p in positions) + 1) / length)
        if self.random and (self.warp or self.crop[1] > 1 or self.steps != 'even'):
            clip['uneven'] = True  # other streams, which spread their steps evenly over the span, cannot follow
        clip['keypoint'] = np.stack([keypoint for keypoint, _ in cuts])
        clip['visible'] = np.stack([visible for _, visible in cuts])
        clip['pace'] = np.stack([pace(places, times) for places in positions])
        return clip


def draw_moments(count: int, rng: np.random.Generator, steps: str) -> np.ndarray:
    """Choose when a cut is read.

    Args:
        count: T'.
        rng: Random numbers.
        steps: 'even', 'one_a_part' or 'drawn', see :class:`SampleFrames`.

    Returns:
        (T',) rising within 0..1.
    """
    if steps == 'one_a_part':
        return (np.arange(count) + rng.random(count)) / count
    if steps == 'drawn':
        return np.sort(rng.random(count))
    return np.linspace(0, 1, count)


def warp_time(moments: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Run through a stretch of time at a pace that changes.

    Args:
        moments: (T,) rising from 0 to 1.
        rng: Random numbers.
        strength: Standard deviation of the logarithm of each part's duration.

    Returns:
        (T,) the moments read instead, rising from 0 to 1.
    """
    ends = np.concatenate([[0], np.exp(rng.normal(0, strength, _PHASES)).cumsum()])
    return np.interp(moments, ends / ends[-1], np.linspace(0, 1, _PHASES + 1))


def pace(positions: np.ndarray, times: np.ndarray | None = None) -> np.ndarray:
    """Time from each step to the next.

    Args:
        positions: (T',) fractional frames, rising.
        times: (T,) seconds of the clip's frames; None counts frames.

    Returns:
        (T',) float32, in 1/30 s or in frames; the last step has the pace of the one before it, a single step 1.
    """
    if len(positions) < 2:
        return np.ones(len(positions), np.float32)
    moments = positions if times is None else _RATE * np.interp(positions, np.arange(len(times)), times)
    steps = np.diff(moments)
    return np.append(steps, steps[-1]).astype(np.float32)


def interpolate_frames(
    keypoint: np.ndarray, visible: np.ndarray, positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Read a clip at fractional frames; an invisible neighbour is ignored, not mixed in.

    Args:
        keypoint: (M, T, V, C), 0 where invisible.
        visible: (M, T, V) bool.
        positions: (T',) in 0..T-1.

    Returns:
        keypoint (M, T', V, C) float32, and visible (M, T', V): whether the nearer neighbour (both at a tie) is.
    """
    low = np.floor(positions).astype(np.int64)
    high = np.minimum(low + 1, keypoint.shape[1] - 1)
    part = (positions - low).astype(np.float32)[:, None]
    weight_low = visible[:, low] * (1 - part)
    weight_high = visible[:, high] * part
    total = weight_low + weight_high
    seen = total >= 0.5
    mixed = keypoint[:, low] * weight_low[..., None] + keypoint[:, high] * weight_high[..., None]
    return np.where(seen[..., None], mixed / np.maximum(total, 1e-6)[..., None], 0).astype(np.float32), seen
