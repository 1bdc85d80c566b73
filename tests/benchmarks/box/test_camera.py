from __future__ import annotations

import cv2
import numpy as np

from benchmarks.box.camera import Camera, make_cameras, project


def test_projection_is_that_of_opencv() -> None:
    rng = np.random.default_rng(0)
    eyes, hips = rng.normal((0, 70, 8), 5, (9, 3)), rng.normal(0, 3, (9, 3))
    camera = make_cameras(eyes, hips, rng.integers(3, size=9), rng)
    points = rng.normal((0, 40, 0), 8, (9, 2, 5, 3))
    ours = project(points, camera)
    flip = np.diag([1.0, -1.0, -1.0])  # OpenCV looks along z, with y down
    for n in range(9):
        turned = flip @ camera.matrix[n]
        inner = np.diag([camera.focal[n], camera.focal[n], 1.0])
        inner[:2, 2] = camera.size[n] / 2
        theirs, _ = cv2.projectPoints(
            points[n].reshape(-1, 3), cv2.Rodrigues(turned)[0], -turned @ camera.place[n], inner, None
        )
        np.testing.assert_allclose(ours[n].reshape(-1, 2), theirs[:, 0], atol=1e-6)


def test_the_persons_left_is_the_pictures_right_and_up_is_up() -> None:
    camera = Camera(np.array([[0.0, 0, 200]]), np.eye(3)[None], np.array([500.0]), np.array([[640.0, 480]]))
    left, up = project(np.array([[[[10.0, 0, 0], [0, 10, 0]]]]), camera)[0, 0]
    assert left.tolist() == [345.0, 240.0] and up.tolist() == [320.0, 215.0]
