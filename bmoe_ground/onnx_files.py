"""Networks as ONNX files that say themselves what they take and give, checked against torch before they are written."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bmoe_ground.errors import UserError
from bmoe_ground.files import atomic_write

if TYPE_CHECKING:
    from torch import Tensor, nn

FACTS = 'bmoe'
"""Key of an ONNX file's metadata under which its facts stand, as JSON."""

SAME = 1e-4
"""Largest difference from torch's own answer that an exported network may have."""

OPSET = 17
_MOST_BYTES = 2**31  # protobuf's own limit; more than that is no network of ours


def write_onnx(
    path: str | os.PathLike[str],
    network: nn.Module,
    samples: Sequence[Mapping[str, Tensor]],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    facts: Mapping[str, Any],
) -> float:
    """Export a network, compare it with torch on all samples, and only then write it, with its facts beside it.

    Args:
        path: The ``.onnx`` file; the facts also stand in ``<path>.json``, for people and for other languages.
        network: In evaluation mode; takes the inputs in order, returns a tuple of tensors.
        samples: Inputs by name. The first is traced, with no size of 1 among those that may change; the others, of
            other sizes, show that none was frozen.
        outputs: Names of what the network returns.
        axes: Input or output to its dimensions that may change, by number, each with a name.
        facts: What a program that runs it must know; JSON types.

    Returns:
        The largest absolute difference from torch over all samples and outputs.

    Raises:
        UserError: A package of the extra ``onnx`` is missing, the network cannot be exported or answers otherwise than
            in torch, or the file cannot be written.
    """
    onnx, ort = _packages()
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # that sizes are traced, which the samples check
        try:
            torch.onnx.export(
                network,
                tuple(samples[0].values()),
                file,  # type: ignore[arg-type]  # the exporter writes to buffers too
                input_names=list(samples[0]),
                output_names=list(outputs),
                dynamic_axes={name: dict(dims) for name, dims in axes.items()},
                opset_version=OPSET,
                dynamo=False,
            )
        except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
            raise UserError(f'{path}: the network cannot be exported: {" ".join(str(error).split())[:300]}') from error
    model = onnx.load_from_string(file.getvalue())
    model.producer_name = 'bmoe-skel'
    onnx.helper.set_model_props(model, {FACTS: json.dumps(facts)})
    content = model.SerializeToString()
    session = ort.InferenceSession(content, providers=['CPUExecutionProvider'])
    worst = max(_difference(session, network, sample) for sample in samples)
    if not worst <= SAME:
        raise UserError(f'{path}: not written: it differs from torch by {worst:.1e}, more than {SAME:.0e}')
    with atomic_write(path) as target:
        target.write(content)
    with atomic_write(f'{path}.json') as target:
        target.write((json.dumps(facts, indent=2) + '\n').encode())
    return worst


def _difference(session: Any, network: nn.Module, sample: Mapping[str, Tensor]) -> float:
    import torch

    with torch.no_grad():
        wanted: Iterable[Tensor] = network(*sample.values())
    found = session.run(None, {name: value.numpy() for name, value in sample.items()})
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, wanted, strict=True))


def read_onnx(path: str | os.PathLike[str], threads: int = 1) -> tuple[Any, dict[str, Any]]:
    """Open an exported network with ONNX Runtime; torch is not needed.

    The file is data: nothing that it names is opened, weights in further files included.

    Args:
        path: A file of :func:`write_onnx`.
        threads: Processor threads of a run.

    Returns:
        The session, and the facts.

    Raises:
        UserError: ONNX Runtime is not installed, the file cannot be read, or it says nothing of itself.
    """
    try:
        import onnxruntime as ort
    except ModuleNotFoundError as error:
        raise UserError("exported models need onnxruntime: pip install 'bmoe-skel[onnx]'") from error
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise UserError(f'{path}: more than 2 GB, which no ONNX file of this project has')
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    try:
        session = ort.InferenceSession(content, options, providers=['CPUExecutionProvider'])
        text = session.get_modelmeta().custom_metadata_map.get(FACTS)
    except Exception as error:  # ONNX Runtime's own errors have no common base but this
        raise UserError(f'{path}: no ONNX network that can be run: {" ".join(str(error).split())[:200]}') from error
    if text is None:
        raise UserError(f'{path}: says nothing of itself; was it made by tools/export.py?')
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path}: what it says of itself is no JSON') from error
    if not isinstance(facts, dict):
        raise UserError(f'{path}: what it says of itself is no JSON object')
    return session, facts


def _packages() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime as ort
    except ModuleNotFoundError as error:
        raise UserError(f"export needs the package {error.name}: pip install 'bmoe-skel[onnx]'") from error
    return onnx, ort
