"""After-care of tracks: short gaps bridged, jitter reduced, both only when asked and both on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.signal import savgol_filter

from bmoe_ground.errors import UserError
from pose_extract.tracks import PoseTracks

METHODS: tuple[str, ...] = ('none', 'savgol', 'one_euro')


@dataclass(frozen=True)
class AfterCare:
    """What is done to tracks once a video is through. The defaults change nothing; `docs/guides/smooth.md` says why.

    Attributes:
        max_gap: Longest gap to interpolate across, in seconds from the last frame that is there to the next one;
            0 interpolates nothing.
        smooth: One of :data:`METHODS`.
        window: Length of the Savitzky-Golay window in seconds.
        order: Degree of its polynomials.
        min_cutoff: One-Euro: cut-off frequency at rest in Hz; lower removes more jitter and lags more.
        beta: One-Euro: how fast the cut-off rises with speed, in Hz for each person's height a second.
        d_cutoff: One-Euro: cut-off of the speed's own filter in Hz.

    Raises:
        UserError: A value is out of range.

    Example:
        >>> pose_extract.AfterCare(max_gap=0.1, smooth='savgol').window
        0.17
    """

    max_gap: float = 0.0
    smooth: str = 'none'
    window: float = 0.17
    order: int = 2
    min_cutoff: float = 5.0
    beta: float = 100.0
    d_cutoff: float = 1.0

    def __post_init__(self) -> None:
        if self.smooth not in METHODS:
            raise UserError(f'smooth: unknown method {self.smooth!r}: choose one of {", ".join(METHODS)}')
        for name, low in (('max_gap', 0), ('window', 0), ('beta', 0), ('order', 0)):
            value = getattr(self, name)
            if not low <= value < np.inf:
                raise UserError(f'{name}: must be a number of at least {low}, got {value}')
        for name in ('min_cutoff', 'd_cutoff'):
            if not 0 < getattr(self, name) < np.inf:
                raise UserError(f'{name}: must be a frequency above 0 Hz, got {getattr(self, name)}')


def apply_after_care(tracks: PoseTracks, care: AfterCare) -> PoseTracks:
    """Interpolate and smooth tracks as asked.

    Where several people share a row of the tracks (extra ``identities``), each is treated by itself: nothing is
    bridged or smoothed from one person to another.

    Interpolation adds the extra ``interpolated`` (M, T, K) bool (joined with one that is there already), and the
    settings that had an effect go into the provenance. Boxes are interpolated too, never smoothed.

    Args:
        tracks: The tracks; they are not changed.
        care: What to do.

    Returns:
        New tracks, or the same object when nothing is asked.

    Example:
        >>> tracks = pose_extract.load_tracks('poses/head/head_00.mp4.npz')
        >>> tracks.keypoints[0, 5], tracks.scores[0, 5] = np.nan, 0
        >>> mended = pose_extract.apply_after_care(tracks, pose_extract.AfterCare(max_gap=0.1))
        >>> int(mended.extras['interpolated'].sum()), bool(np.isnan(mended.keypoints).any())
        (17, False)
    """
    identities = tracks.extras.get('identities')
    if identities is None or all(len(np.unique(row[row >= 0])) < 2 for row in identities):
        return _care_for(tracks, care)
    if care.max_gap <= 0 and care.smooth == 'none':
        return tracks
    rows = [_care_for_row(tracks, m, care) for m in range(tracks.num_persons)]
    filled = [row.extras['interpolated'] for row in rows if 'interpolated' in row.extras]
    return replace(
        tracks,
        keypoints=np.concatenate([row.keypoints for row in rows]),
        scores=np.concatenate([row.scores for row in rows]),
        boxes=np.concatenate([row.boxes for row in rows]),
        provenance=rows[0].provenance,
        extras={**tracks.extras, **({'interpolated': np.concatenate(filled)} if filled else {})},
    )


def _care_for_row(tracks: PoseTracks, m: int, care: AfterCare) -> PoseTracks:
    """One row, person by person; what one fills in never replaces another who is there."""
    identities = tracks.extras['identities'][m]
    marked = tracks.extras.get('interpolated')
    extras = {} if marked is None else {'interpolated': marked[m : m + 1]}
    whole = replace(
        tracks, keypoints=tracks.keypoints[m : m + 1], scores=tracks.scores[m : m + 1], boxes=tracks.boxes[m : m + 1],
        extras=extras,
    )  # fmt: skip
    result = whole
    for identity in np.unique(identities[identities >= 0]).tolist():
        own, other = identities == identity, (identities >= 0) & (identities != identity)
        alone = _care_for(_only(whole, own), care)
        mine = ~other & alone.person_visible[0] & (own | ~result.person_visible[0])
        result = replace(_merged(result, alone, mine), provenance=alone.provenance)
    return result


def _only(tracks: PoseTracks, frames: np.ndarray) -> PoseTracks:
    """The tracks with nobody but in some frames, (T,) bool."""
    return replace(
        tracks,
        keypoints=np.where(frames[:, None, None], tracks.keypoints, np.float32(np.nan)),
        scores=np.where(frames[:, None], tracks.scores, np.float32(0)),
        boxes=np.where(frames[:, None], tracks.boxes, np.float32(np.nan)),
    )


def _merged(first: PoseTracks, second: PoseTracks, frames: np.ndarray) -> PoseTracks:
    """The first tracks, and in some frames, (T,) bool, the second."""
    extras = dict(second.extras)
    if 'interpolated' in extras:
        before = first.extras.get('interpolated', np.zeros_like(extras['interpolated']))
        extras['interpolated'] = np.where(frames[:, None], extras['interpolated'], before)
    return replace(
        first,
        keypoints=np.where(frames[:, None, None], second.keypoints, first.keypoints),
        scores=np.where(frames[:, None], second.scores, first.scores),
        boxes=np.where(frames[:, None], second.boxes, first.boxes),
        extras=extras,
    )


def _care_for(tracks: PoseTracks, care: AfterCare) -> PoseTracks:
    """Interpolate and smooth rows that hold one person each."""
    if care.max_gap > 0:
        keypoints, scores, filled = interpolate_gaps(tracks.keypoints, tracks.scores, tracks.frame_times, care.max_gap)
        # a box has no score of its own: its presence is one
        present = np.isfinite(tracks.boxes[..., :1]).astype(np.float32)
        boxes, _, _ = interpolate_gaps(tracks.boxes[:, :, None], present, tracks.frame_times, care.max_gap)
        filled |= tracks.extras.get('interpolated', False)
        done = {**tracks.provenance, 'interpolation': {'max_gap': care.max_gap}}
        extras = {**tracks.extras, 'interpolated': filled}
        tracks = replace(
            tracks, keypoints=keypoints, scores=scores, boxes=boxes[:, :, 0], provenance=done, extras=extras
        )
    if care.smooth == 'none':
        return tracks
    if care.smooth == 'savgol':
        smooth = savitzky_golay(tracks.keypoints, tracks.frame_times, care.window, care.order)
        used = {'smooth', 'window', 'order'}
    else:
        times, scale = tracks.frame_times, _heights(tracks)[:, None, None]
        smooth = one_euro(tracks.keypoints, times, care.min_cutoff, care.beta, care.d_cutoff, scale)
        used = {'smooth', 'min_cutoff', 'beta', 'd_cutoff'}
    settings = {name: value for name, value in asdict(care).items() if name in used}
    return replace(tracks, keypoints=smooth, provenance={**tracks.provenance, 'smoothing': settings})


def _heights(tracks: PoseTracks) -> np.ndarray:
    """The median height of each person's box in pixels, (M,); the picture's where a person has no box."""
    heights = np.full(tracks.num_persons, float(tracks.image_size[0]))
    for m, boxes in enumerate(tracks.boxes):
        tall = boxes[:, 3] - boxes[:, 1]
        if np.isfinite(tall).any():
            heights[m] = max(float(np.nanmedian(tall)), 1.0)
    return heights


def interpolate_gaps(
    keypoints: np.ndarray, scores: np.ndarray, frame_times: np.ndarray, max_gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bridge short gaps with straight lines in time; nothing is ever continued past its first or last frame.

    Args:
        keypoints: (M, T, K, C) coordinates, NaN where absent.
        scores: (M, T, K) confidences.
        frame_times: (T,) seconds.
        max_gap: Longest gap to bridge, in seconds between the frames on its two sides (0.2 at 30 frames a second
            bridges up to five missing frames).

    Returns:
        New coordinates, scores (the lower of both sides' in a bridged gap), and the mask (M, T, K) of bridged points.
    """
    keypoints, scores = keypoints.copy(), scores.copy()
    absent = np.isnan(keypoints[..., 0])
    frame = np.arange(len(frame_times))[None, :, None]
    last = np.maximum.accumulate(np.where(absent, -1, frame), axis=1)
    following = np.flip(np.minimum.accumulate(np.flip(np.where(absent, len(frame_times), frame), 1), axis=1), 1)
    inside = absent & (last >= 0) & (following < len(frame_times))
    m, t, k = np.nonzero(inside)
    start, end = last[m, t, k], following[m, t, k]
    span = frame_times[end] - frame_times[start]
    # half a millisecond of slack: 0.2 s must bridge the same gaps whatever the rounding of the times
    short = span <= max_gap + 5e-4
    m, t, k, start, end, span = (values[short] for values in (m, t, k, start, end, span))
    share = np.where(span > 0, (frame_times[t] - frame_times[start]) / np.maximum(span, 1e-12), 0.5)[:, None]
    keypoints[m, t, k] = (1 - share) * keypoints[m, start, k] + share * keypoints[m, end, k]
    scores[m, t, k] = np.minimum(scores[m, start, k], scores[m, end, k])
    filled = np.zeros_like(absent)
    filled[m, t, k] = True
    return keypoints, scores, filled


def savitzky_golay(keypoints: np.ndarray, frame_times: np.ndarray, window: float, order: int = 2) -> np.ndarray:
    """Replace each point by the value of a polynomial fitted to the frames around it (Savitzky and Golay, 1964).

    Every stretch without gaps is smoothed on its own. Where frames are evenly spaced this is scipy's
    ``savgol_filter(mode='interp')``; where they are not, the same fit is made at the true times. A stretch of
    ``order + 1`` frames or fewer stays as it is; one shorter than the window is smoothed with all its frames.

    Args:
        keypoints: (M, T, K, C) coordinates, NaN where absent.
        frame_times: (T,) seconds.
        window: Length of the window in seconds, rounded to an odd number of frames of the median frame rate.
        order: Degree of the polynomial; 2 and 3 are the same inside a stretch.

    Returns:
        (M, T, K, C), of the same type and absent at the same places.
    """
    smooth = keypoints.copy()
    if len(frame_times) < 3:
        return smooth
    step = float(np.median(np.diff(frame_times)))
    frames = int(round(window / max(step, 1e-6))) // 2 * 2 + 1
    for index, start, stop in _runs(keypoints):
        length = min(frames, (stop - start - 1) // 2 * 2 + 1)
        if length > order + 1:
            smooth[index][start:stop] = _fit(keypoints[index][start:stop], frame_times[start:stop], length, order)
    return smooth


def _fit(values: np.ndarray, times: np.ndarray, length: int, order: int) -> np.ndarray:
    """Savitzky-Golay over one stretch (n, C) of at least ``length`` frames."""
    steps = np.diff(times)
    if np.ptp(steps) <= 0.02 * steps.mean():
        return savgol_filter(values.astype(np.float64), length, order, axis=0, mode='interp')
    first = np.clip(np.arange(len(times)) - length // 2, 0, len(times) - length)
    member = first[:, None] + np.arange(length)  # (n, length)
    # in units of the window, around the frame itself, so that the fitted value is the constant term
    offsets = (times[member] - times[:, None]) / max(times[-1] - times[0], 1e-6) * len(times) / length
    weights = np.linalg.pinv(offsets[..., None] ** np.arange(order + 1))[:, 0]  # (n, length)
    return np.einsum('nl,nlc->nc', weights, values[member].astype(np.float64))


def one_euro(
    keypoints: np.ndarray,
    frame_times: np.ndarray,
    min_cutoff: float = 5.0,
    beta: float = 100.0,
    d_cutoff: float = 1.0,
    scale: np.ndarray | float = 1.0,
) -> np.ndarray:
    """The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012): a low pass whose cut-off rises with speed.

    It looks back only, so that it lags; it starts afresh after each gap.

    Args:
        keypoints: (M, T, K, C) coordinates, NaN where absent.
        frame_times: (T,) seconds.
        min_cutoff: Cut-off at rest in Hz.
        beta: Hz that the cut-off gains for each ``scale`` a second of speed.
        d_cutoff: Cut-off for the speed in Hz.
        scale: Length that speeds are measured in, in pixels, broadcast against (M, K, C): with a person's height,
            the same movement is smoothed alike in small and in large pictures.

    Returns:
        (M, T, K, C), of the same type and absent at the same places.
    """
    values = keypoints.astype(np.float64)
    smooth = values.copy()
    speed = np.zeros_like(values[:, 0])
    for t in range(1, len(frame_times)):
        step = frame_times[t] - frame_times[t - 1]
        fresh = np.isnan(smooth[:, t - 1]) | (step <= 0)
        step = max(step, 1e-9)
        before = np.where(fresh, values[:, t], smooth[:, t - 1])
        raw_speed = np.where(fresh, 0.0, (values[:, t] - before) / step)
        speed = np.where(fresh, raw_speed, speed + _pull(d_cutoff, step) * (raw_speed - speed))
        pull = _pull(min_cutoff + beta * np.abs(speed) / scale, step)
        smooth[:, t] = before + pull * (values[:, t] - before)
    return smooth.astype(keypoints.dtype)


def _pull(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """Weight of the new sample in a low pass of this cut-off (Hz) for one step (seconds); equation 5 of the paper."""
    rate = 2 * np.pi * cutoff * step
    return rate / (rate + 1)


def _runs(keypoints: np.ndarray) -> Iterator[tuple[tuple[slice | int, ...], int, int]]:
    """Every stretch of a keypoint without gaps, as (index of the (T, C) series, first frame, frame after the last)."""
    persons, _, points, _ = keypoints.shape
    there = ~np.isnan(keypoints[..., 0])
    for m in range(persons):
        for k in range(points):
            edges = np.flatnonzero(np.diff(there[m, :, k].astype(np.int8), prepend=0, append=0))
            for start, stop in zip(edges[::2], edges[1::2], strict=True):
                yield (m, slice(None), k), int(start), int(stop)
