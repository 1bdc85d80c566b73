"""Which way a head faces, from its face points: a rigid template fitted under weak perspective.

The template is an adult head in centimetres (eyes 6.3, ears 14.4 apart), with the middle of the eyes as origin, x to
the person's left, y up and z out of the face. Of each frame the rotation, scale and shift are sought that bring the
template's points, seen from afar along z, nearest to the face points in the picture. The start is the affine solution
(DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 1995, without its perspective iterations),
made a rotation; Gauss-Newton steps on the rotation follow.

Needed are at least four seen points that do not lie in a plane, such as nose, both eyes and one ear. Angles are
relative to the line of sight: a person beside the optical axis who looks straight ahead has a yaw. A face whose
proportions are not the template's shifts all its angles, pitch most; their differences over time are kept better.
"""

from __future__ import annotations

import numpy as np

from bmoe_app.signals.points import Points

_SIDED = {
    'eye': (3.15, 0.0, 0.0),
    'eye_inner': (1.7, -0.1, 0.0),
    'eye_outer': (4.5, 0.0, -0.6),
    'ear': (7.2, -2.2, -8.0),
    'mouth': (2.5, -6.8, 1.0),
}
_MIDDLE = {'nose': (0.0, -3.8, 3.8), 'mouth': (0.0, -6.8, 2.2), 'nose_base': (0.0, -5.0, 2.4)}
_LIPS = {'upper_lip': (0.0, -6.2, 2.4), 'lower_lip': (0.0, -7.5, 2.1)}
# the 68 points of the face that hardly move with expression: corners of eyes and mouth, tip and base of the nose
_FACE = {
    'face_30': (0.0, -3.8, 3.8),
    'face_33': (0.0, -5.0, 2.4),
    'face_36': (-4.5, 0.0, -0.6),
    'face_39': (-1.7, -0.1, 0.0),
    'face_42': (1.7, -0.1, 0.0),
    'face_45': (4.5, 0.0, -0.6),
    'face_48': (-2.5, -6.8, 1.0),
    'face_54': (2.5, -6.8, 1.0),
}
TEMPLATE: dict[str, tuple[float, float, float]] = {
    **{f'left_{part}': place for part, place in _SIDED.items()},
    **{f'right_{part}': (-x, y, z) for part, (x, y, z) in _SIDED.items()},
    **_MIDDLE,
    **_LIPS,
    **_FACE,
}
"""Keypoint to its place on the template in centimetres."""
MIN_DEPTH = 1.0
"""Centimetres that the seen points must spread, root mean square, in their flattest direction, times their number."""
MAX_RESIDUAL = 2.5
"""Centimetres, root mean square, by which a fitted face may miss its points; beyond, they are no face."""
MAX_YAW = 65.0
"""Degrees beyond which pitch and roll are not told: in profile one passes for the other, and half a face is guessed."""
MAX_PITCH = 75.0
"""Degrees beyond which a face cannot be seen."""
_STEPS = 12
_CHUNK = 20_000  # frames at a time, so that memory stays small


def head_angles(points: Points) -> np.ndarray:
    """Yaw, pitch and roll of a person's head.

    Args:
        points: The person.

    Returns:
        (T, 3) degrees: yaw, positive when the face turns to the right of the picture (an unmirrored person's own
        left); pitch, positive when it rises; roll, positive when the crown tilts to the right of the picture. NaN
        where fewer than four points or only points in a plane are seen, or nothing like a face fits; pitch and roll
        also beyond :data:`MAX_YAW`, and all beyond :data:`MAX_PITCH`.
    """
    names = [name for name in TEMPLATE if points.has(name)]
    angles = np.full((len(points.xy), 3), np.nan)
    if not enough_points(names):
        return angles
    model = np.array([TEMPLATE[name] for name in names])
    seen = points.xy[:, [points.skeleton.index(name) for name in names]]
    for start in range(0, len(seen), _CHUNK):
        angles[start : start + _CHUNK] = to_angles(fit_rotation(model, seen[start : start + _CHUNK]))
    with np.errstate(invalid='ignore'):
        angles[np.abs(angles[:, 1]) > MAX_PITCH] = np.nan
        angles[np.abs(angles[:, 0]) > MAX_YAW, 1:] = np.nan
    return angles


def enough_points(names: list[str]) -> bool:
    """Whether these keypoints of the template, all seen, would say which way a head faces."""
    model = np.array([TEMPLATE[name] for name in names]).reshape(-1, 3)
    return len(model) >= 4 and bool(_flatness(model, np.ones((1, len(model))))[0] >= MIN_DEPTH)


def fit_rotation(model: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Fit a rigid body under weak perspective, frame by frame.

    Args:
        model: (P, 3) the body.
        seen: (T, P, 2) its points in the picture, y upwards, NaN where unseen.

    Returns:
        (T, 3, 3) rotations from the body to the camera (x right, y up, z towards the viewer); NaN where the points
        do not tell.
    """
    weight = np.isfinite(seen).all(-1).astype(np.float64)
    count = weight.sum(-1)
    usable = (count >= 4) & (_flatness(model, weight) >= MIN_DEPTH)
    result = np.full((len(seen), 3, 3), np.nan)
    if not usable.any():
        return result
    weight, places = weight[usable], np.nan_to_num(seen[usable])
    body = _centred(np.broadcast_to(model, (*places.shape[:2], 3)), weight)
    places = _centred(places, weight)
    rotation, scale = _affine_start(body, places)
    for _ in range(_STEPS):
        rotation, scale = _step(rotation, scale, body, places, weight)
    missed = scale[:, None, None] * np.einsum('tij,tpj->tpi', rotation[:, :2], body) - places
    residual = np.sqrt((missed**2).sum((1, 2)) / weight.sum(-1)) / np.maximum(scale, 1e-12)
    rotation[~((residual <= MAX_RESIDUAL) & (scale > 0))] = np.nan
    result[usable] = rotation
    return result


def to_angles(rotation: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) as yaw, pitch, roll (T, 3) in degrees; roll is the outermost turn, pitch the innermost."""
    # rotation = tilt @ turn @ nod, whose last row is (-sin yaw, -cos yaw sin pitch, cos yaw cos pitch)
    yaw = np.arcsin(np.clip(-rotation[:, 2, 0], -1, 1))
    pitch = np.arctan2(-rotation[:, 2, 1], rotation[:, 2, 2])
    roll = np.arctan2(-rotation[:, 1, 0], rotation[:, 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], -1))


def from_angles(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation (3, 3) of these angles in degrees: the inverse of :func:`to_angles`.

    Example:
        >>> np.round(to_angles(from_angles(20, -10, 5)[None])[0], 6).tolist()
        [20.0, -10.0, 5.0]
    """
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return tilt @ turn @ nod


def _centred(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values (T, P, D) about the mean of the seen points; 0 where unseen."""
    mean = (values * weight[..., None]).sum(1, keepdims=True) / weight.sum(1)[:, None, None]
    return (values - mean) * weight[..., None]


def _flatness(model: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How far the seen points reach out of their best plane, (T,) centimetres; few patterns, each looked at once."""
    patterns, which = np.unique(weight > 0, axis=0, return_inverse=True)
    spread = np.zeros(len(patterns))
    for i, pattern in enumerate(patterns):
        if pattern.sum() >= 4:
            body = model[pattern] - model[pattern].mean(0)
            spread[i] = np.linalg.svd(body, compute_uv=False)[-1]
    return spread[which.reshape(-1)]


def _affine_start(body: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest rotation (T, 3, 3) and scale (T,) to the affine map of the body to the picture."""
    inner = np.einsum('tpi,tpj->tij', body, body)
    affine = np.einsum('tpi,tpj->tij', places, body) @ np.linalg.inv(inner)
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], 1), sizes.mean(-1)


def _step(
    rotation: np.ndarray, scale: np.ndarray, body: np.ndarray, places: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One Gauss-Newton step on a small turn after the rotation, and on the scale."""
    turned = np.einsum('tij,tpj->tpi', rotation, body)
    x, y, z = np.moveaxis(turned, -1, 0)
    none = np.zeros_like(x)
    # unknowns: turn about x, y, z (times scale), scale; rows: x and y of each point
    jacobian = np.stack([np.stack([none, z, -y, x], -1), np.stack([-z, none, x, y], -1)], 2)
    missed = places - scale[:, None, None] * turned[..., :2]
    normal = np.einsum('tpci,tpcj->tij', jacobian, jacobian)
    normal += 1e-6 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(4)
    change = np.linalg.solve(normal, np.einsum('tpci,tpc->ti', jacobian, missed)[..., None])[..., 0]
    turn = change[:, :3] / np.where(np.abs(scale) > 1e-9, scale, 1e-9)[:, None]
    turn *= np.minimum(1, 0.5 / np.maximum(np.linalg.norm(turn, axis=-1, keepdims=True), 1e-12))
    return _rotation_of(turn) @ rotation, np.maximum(scale + change[:, 3], 1e-9)


def _rotation_of(turn: np.ndarray) -> np.ndarray:
    """Rotation vectors (T, 3) as matrices, by Rodrigues' formula."""
    angle = np.linalg.norm(turn, axis=-1)[:, None, None]
    x, y, z = np.moveaxis(turn, -1, 0)
    none = np.zeros_like(x)
    cross = np.stack([none, -z, y, z, none, -x, -y, x, none], -1).reshape(-1, 3, 3)
    small = angle < 1e-8
    safe = np.where(small, 1, angle)
    first = np.where(small, 1, np.sin(safe) / safe)
    second = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * cross + second * cross @ cross
