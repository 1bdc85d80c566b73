"""How the network of a pose model is run: as MMPose runs it, or the fastest way that gives the same keypoints.

What pays was measured (see docs/guides/extract.md): on a CPU, ONNX Runtime in float32; on a GPU, half precision and
channels-last. bfloat16 on a CPU with AMX is faster still, but moves keypoints by more than half a pixel now and then,
so it is never chosen unasked.
"""

from __future__ import annotations

import importlib.util
import io
import types
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bmoe_ground.errors import UserError

RawOutput = Tensor | tuple[Tensor, ...]
Network = Callable[[Tensor], RawOutput]

PRECISIONS = ('auto', 'float32', 'float16', 'bfloat16')
SAME = 1e-3  # relative deviation from torch that an exported network may have


def choose_execution(
    network: nn.Module, input_size: tuple[int, int], device: torch.device, precision: str, accelerate: bool
) -> tuple[Network, str]:
    """Choose how to run a network.

    Args:
        network: From crops (N, 3, h, w) float32 to one raw output or a tuple of them, on its device, in eval mode.
        input_size: (width, height) of its input.
        device: Where it is.
        precision: One of :data:`PRECISIONS`; ``auto`` is float16 on a GPU and float32 on a CPU.
        accelerate: False runs it in float32 as it is, whatever ``precision`` says ``auto`` is.

    Returns:
        The function to call in place of the network, and what it is, for the record.

    Raises:
        UserError: The precision is unknown, or this device does not have it.
    """
    if precision not in PRECISIONS:
        raise UserError(f"unknown precision '{precision}'; choose from {', '.join(PRECISIONS)}")
    if precision == 'float16' and device.type == 'cpu':
        raise UserError('precision float16 needs a GPU; on a CPU choose float32 or bfloat16')
    if precision == 'auto':
        precision = 'float16' if accelerate and device.type == 'cuda' else 'float32'
    if precision != 'float32':
        return _autocast(network, device, getattr(torch, precision)), f'torch {device.type} {precision}'
    if not accelerate:
        return network, f'torch {device.type} float32'
    if device.type == 'cpu':
        session = _onnx_runtime(network, input_size)
        if session is not None:
            return session, 'onnxruntime cpu float32'
    return _channels_last(network), f'torch {device.type} float32 channels-last'


def _channels_last(network: nn.Module) -> Network:
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return lambda inputs: network(inputs.contiguous(memory_format=torch.channels_last))


def _autocast(network: nn.Module, device: torch.device, dtype: torch.dtype) -> Network:
    fast = _channels_last(network)

    def run(inputs: Tensor) -> RawOutput:
        with torch.autocast(device.type, dtype):
            outputs = fast(inputs)
        if isinstance(outputs, Tensor):
            return outputs.float()
        return tuple(output.float() for output in outputs)

    return run


def _onnx_runtime(network: nn.Module, input_size: tuple[int, int]) -> Network | None:
    """The network in ONNX Runtime; None where its packages are missing or the network does not come out the same."""
    if importlib.util.find_spec('onnxruntime') is None or importlib.util.find_spec('onnx') is None:
        return None
    import onnxruntime

    width, height = input_size
    sample = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    expected = network(sample)
    try:
        session = _session(onnxruntime, _export(network, sample))
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        warnings.warn(f'this network cannot be exported to ONNX, torch runs it ({str(error)[:200]})', stacklevel=2)
        return None
    single = isinstance(expected, Tensor)

    def run(inputs: Tensor) -> RawOutput:
        outputs = tuple(torch.from_numpy(output) for output in session.run(None, {'input': inputs.numpy()}))
        return outputs[0] if single else outputs

    # Another batch size than the one it was exported with, so that no size got frozen into it.
    sample = sample[:1]
    deviation = max(
        float((found - wanted).abs().max() / wanted.abs().max())
        for found, wanted in zip(_listed(run(sample)), _listed(network(sample)), strict=True)
    )
    if not deviation <= SAME:
        warnings.warn(f'this network changes by {deviation:.1e} in ONNX Runtime, torch runs it', stacklevel=2)
        return None
    return run


def _export(network: nn.Module, sample: Tensor) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        outputs = _listed(network(sample))
        names = [f'output{number}' for number in range(len(outputs))]
        torch.onnx.export(
            network,
            (sample,),
            file,  # type: ignore[arg-type]  # the exporter writes to buffers too
            input_names=['input'],
            output_names=names,
            dynamic_axes={name: {0: 'batch'} for name in ['input', *names]},
            opset_version=17,
            dynamo=False,
        )
    return file.getvalue()


def _session(onnxruntime: types.ModuleType, model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    # Spinning threads would take the cores from the threads that decode and crop meanwhile.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])


def _listed(outputs: RawOutput) -> tuple[Tensor, ...]:
    return (outputs,) if isinstance(outputs, Tensor) else outputs
