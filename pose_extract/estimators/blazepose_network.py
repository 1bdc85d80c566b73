"""MediaPipe's pose graph without the part of its network that outlines the person.

MediaPipe computes the outline also where it is switched off, and throws it away: over a quarter of the time of the
network. Nothing of the keypoints comes from it, so without it they are the same, bit for bit.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.framework import calculator_pb2
from mediapipe.python._framework_bindings import resource_util, validated_graph_config
from mediapipe.python.solution_base import SolutionBase
from mediapipe.tasks.metadata import schema_py_generated as tflite

from bmoe_ground.errors import UserError

FOLDER = Path(mediapipe.__file__).parent / 'modules/pose_landmark'
GRAPH, NETWORK = FOLDER / 'pose_landmark_cpu.binarypb', FOLDER / 'pose_landmark_full.tflite'
OUTLINE, SURENESS = 2, 1
"""Places among the network's outputs: the person's outline (1, 256, 256, 1), and one number, whether there is one."""
FULL = 1  # which of MediaPipe's three networks, as its graph numbers them


def pose_graph(still: bool = False) -> SolutionBase:
    """BlazePose full, as :class:`mediapipe.solutions.pose.Pose` runs it without smoothing.

    Args:
        still: Look for the person anew in each image, in place of following it.

    Returns:
        Its ``process({'image': rgb}).pose_landmarks`` are the keypoints, None where nobody is seen.

    Raises:
        UserError: This release of MediaPipe has no such network, or another one.
    """
    if not NETWORK.is_file():
        raise UserError(_other('lacks the pose weights'))
    resource_util.set_resource_dir(str(FOLDER.parents[2]))
    graph = validated_graph_config.ValidatedGraphConfig()
    graph.initialize(binary_graph_path=str(GRAPH))
    config = calculator_pb2.CalculatorGraphConfig.FromString(graph.binary_config)
    config.input_side_packet.append('MODEL_BLOB:network')
    for node in config.node:
        if node.calculator == 'TfLiteModelCalculator':
            node.input_side_packet[:] = ['MODEL_BLOB:network']
    read = [node for node in config.node if node.calculator == 'ResourceProviderCalculator']
    for node in read:  # what would read the whole network from its file
        config.node.remove(node)
    given = {
        'network': without_outline(NETWORK.read_bytes()), 'model_complexity': FULL, 'use_prev_landmarks': not still,
        'smooth_landmarks': False, 'enable_segmentation': False, 'smooth_segmentation': False,
    }  # fmt: skip
    return SolutionBase(graph_config=config, side_inputs=given, outputs=['pose_landmarks'])


def without_outline(network: bytes) -> bytes:
    """The network without the operators that serve its outline alone.

    The other outputs keep their places; in that of the outline stands a number, which nobody reads.

    Args:
        network: A TFLite file.

    Raises:
        UserError: It has no such output.
    """
    changed = bytearray(network)
    graph = tflite.Model.GetRootAsModel(changed, 0).Subgraphs(0)
    outputs = graph.OutputsAsNumpy()
    if len(outputs) != 5 or graph.Tensors(outputs[OUTLINE]).ShapeAsNumpy().tolist() != [1, 256, 256, 1]:
        raise UserError(_other('has other pose weights'))
    outputs[OUTLINE] = outputs[SURENESS]
    operators = [graph.Operators(place) for place in range(graph.OperatorsLength())]
    maker = {output: place for place, one in enumerate(operators) for output in one.OutputsAsNumpy().tolist()}
    needed: set[int] = set()
    wanted = outputs.tolist()
    while wanted:
        place = maker.get(wanted.pop())  # None for weights, and for the image
        if place is not None and place not in needed:
            needed.add(place)
            wanted += operators[place].InputsAsNumpy().tolist()
    # a FlatBuffer's list is its length and, for each element, how many bytes further on it lies: the rest can stay
    first = graph._tab.Vector(graph._tab.Offset(10))
    listed = np.frombuffer(changed, '<u4', len(operators) + 1, first - 4)
    listed[0] = len(needed)
    for number, place in enumerate(sorted(needed)):
        listed[number + 1] = operators[place]._tab.Pos - (first + 4 * number)
    return bytes(changed)


def _other(what: str) -> str:
    return f'mediapipe {version("mediapipe")} {what} that this project runs: pip install mediapipe==0.10.21'
