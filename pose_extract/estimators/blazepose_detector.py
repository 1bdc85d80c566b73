"""How many persons MediaPipe's own detector sees: its solution follows one, and says nothing of the others.

The detector's weights lie in the package beside those of the pose network, so that nothing is downloaded.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
from mediapipe.framework import calculator_pb2
from mediapipe.python.solution_base import SolutionBase

LOOK_EVERY = 10
"""Frames from one look to the next: a person who matters stays longer."""
SIDE = 320  # pixels; the detector itself looks at 224


class PersonCounter:
    """Looks now and then at how many persons are in view, in a thread beside the estimation of poses.

    Example:
        >>> counter = PersonCounter()  # doctest: +SKIP
        >>> for frame in frames:  # doctest: +SKIP
        ...     counter.look(frame.image)
        >>> counter.note()  # doctest: +SKIP
        'more than one person is in view in 3 of 8 frames looked at, and MediaPipe follows one: ...'
    """

    def __init__(self) -> None:
        node = {
            'calculator': 'PoseDetectionCpu', 'input_stream': ['IMAGE:image'],
            'output_stream': ['DETECTIONS:detections'],
        }  # fmt: skip
        graph = calculator_pb2.CalculatorGraphConfig(input_stream=['image'], output_stream=['detections'], node=[node])
        self._detector = SolutionBase(graph_config=graph, outputs=['detections'])
        self._beside = ThreadPoolExecutor(1, 'person counter')
        self._looks: list[Future[int]] = []
        self._seen = 0

    def reset(self) -> None:
        """Begin a new video."""
        self._looks, self._seen = [], 0

    def look(self, image: np.ndarray) -> None:
        """Count the persons of every :data:`LOOK_EVERY`-th frame.

        Args:
            image: (height, width, 3) uint8 BGR; it may be drawn on afterwards.
        """
        self._seen += 1
        if (self._seen - 1) % LOOK_EVERY:
            return
        scale = SIDE / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image.copy()
        if self._looks:
            self._looks[-1].result()  # one at a time: where counting is slower than the frames, they wait
        self._looks.append(self._beside.submit(self.count, small))

    def count(self, image: np.ndarray) -> int:
        """Number of persons that the detector sees in one image, (height, width, 3) uint8 BGR."""
        found = self._detector.process({'image': cv2.cvtColor(image, cv2.COLOR_BGR2RGB)}).detections
        return len(found or ())

    def note(self) -> str | None:
        """What the user should know, None when no more than one person was in view.

        A single look that finds two may be a mistake of the detector, and is told only where there were no others.
        """
        counts = [look.result() for look in self._looks]
        several = sum(count > 1 for count in counts)
        if several < min(2, len(counts)) or not several:
            return None
        return (
            f'more than one person is in view in {several} of {len(counts)} frames looked at (up to '
            f'{max(counts)}), and MediaPipe follows one: use --backend mmpose, or give --boxes'
        )
