"""Cameras as people set them up: a webcam above a screen, a camera in an interview, one anywhere.

Heights, distances, angles and fields of view are assumed from the devices (webcams: 60 to 90 degrees across; lenses of
interviews: 35 to 65).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.box.body import rotation

SIZES = ((640, 480), (1280, 720), (1920, 1080), (1080, 1296))
KINDS = ('webcam', 'interview', 'anywhere')


class Camera(NamedTuple):
    """Of each of N clips."""

    place: np.ndarray  # (N, 3) centimetres
    matrix: np.ndarray  # (N, 3, 3) rows: right, up, towards the camera
    focal: np.ndarray  # (N,) pixels
    size: np.ndarray  # (N, 2) width and height


def make_cameras(eyes: np.ndarray, hips: np.ndarray, kinds: np.ndarray, rng: np.random.Generator) -> Camera:
    """Place a camera before each person.

    Args:
        eyes: (N, 3) middle of the eyes.
        hips: (N, 3) middle of the hips.
        kinds: (N,) index of :data:`KINDS`.
        rng: Random numbers.
    """
    count = len(eyes)

    def choose(*ranges: tuple[float, float]) -> np.ndarray:
        return np.choose(kinds, [rng.uniform(low, high, count) for low, high in ranges])

    far = choose((45, 110), (150, 380), (120, 500))
    azimuth = np.deg2rad(np.choose(kinds, [rng.normal(0, spread, count) for spread in (8, 28, 35)]).clip(-75, 75))
    height = eyes[:, 1] + choose((-25, 25), (-35, 45), (-50, 110))
    aim = choose((0.0, 0.45), (0.25, 0.8), (0.2, 1.0))[:, None]  # 0 at the eyes, 1 at the hips
    target = eyes * (1 - aim) + hips * aim
    place = target + np.stack([far * np.sin(azimuth), 0 * far, far * np.cos(azimuth)], 1)
    place[:, 1] = height
    back = place - target
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    right = np.cross((0.0, 1.0, 0.0), back)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    level = np.stack([right, np.cross(back, right), back], 1)
    off = rng.normal(0, (3, 2, 1.5), (count, 3))
    matrix = rotation(off[:, 0], off[:, 1], off[:, 2]) @ level
    size = np.array(SIZES, float)[rng.integers(len(SIZES), size=count)]
    across = np.deg2rad(choose((55, 90), (35, 65), (35, 80)))
    return Camera(place, matrix, size.max(1) / 2 / np.tan(across / 2), size)


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pixels of points.

    Args:
        points: (N, T, K, 3) centimetres.
        camera: Of each clip.

    Returns:
        (N, T, K, 2), x to the right and y down; what is nearer than 8 cm to the camera is put 8 cm from it.
    """
    seen = np.einsum('nij,ntkj->ntki', camera.matrix, points - camera.place[:, None, None])
    depth = np.maximum(-seen[..., 2], 8.0)
    flat = camera.focal[:, None, None, None] * seen[..., :2] / depth[..., None]
    return flat * (1, -1) + camera.size[:, None, None] / 2
