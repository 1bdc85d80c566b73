"""Weights from the checkpoint files of MMPose and MMDetection, without running anything that is in them."""

from __future__ import annotations

import contextlib
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bmoe_ground.errors import UserError

# Objects of the training run that OpenMMLab's files carry beside the weights. None of them is wanted, so each is
# replaced by an empty stand-in while the file is read.
IGNORED_MODULES = ('mmengine.', 'mmcv.', 'mmpose.', 'mmdet.', 'mmdeploy.', 'mmyolo.')
IGNORED_NAMES = frozenset(('builtins.getattr', '__builtin__.getattr', 'collections.deque', 'pathlib.PosixPath'))


class _Ignored:
    """Stands in for an object that is not wanted; making or filling one does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        return

    def __setstate__(self, _: Any) -> None:
        return


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the state dict and the ``meta`` of a checkpoint with torch's ``weights_only`` unpickler.

    Args:
        path: A file written by torch.save: a state dict, or a dict with ``state_dict`` and perhaps ``meta``.

    Returns:
        Tensors by name, and ``meta`` (empty when there is none).

    Raises:
        UserError: The file is not a checkpoint, or holds objects that are not loaded for safety.
    """
    try:
        with torch.serialization.safe_globals(_numpy_globals()), _stand_ins(path):
            checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r'(?:GLOBAL|[Bb]locked|type) ([\w.]+\.\w+)', str(error))
        what = named.group(1) if named else (str(error).strip().splitlines() or ['damaged'])[-1]
        raise UserError(
            f'{path}: refused, since it holds more than weights ({what}) and reading it could run code; save it '
            "again with torch.save({'state_dict': ..., 'meta': {'dataset_meta': ...}}) where you trust it"
        ) from error
    except Exception as error:  # torch's unpickler is plain Python, and trips over damaged bytes in every way
        raise UserError(f'{path}: not a readable checkpoint: {str(error) or type(error).__name__}') from error
    if not isinstance(checkpoint, dict):
        raise UserError(f'{path}: expected a dict of weights, got {type(checkpoint).__name__}')
    state = checkpoint.get('state_dict', checkpoint)
    meta = checkpoint.get('meta', {})
    entries = state.items() if isinstance(state, dict) else ()
    tensors = {str(key).removeprefix('module.'): value for key, value in entries if isinstance(value, Tensor)}
    if not tensors:
        raise UserError(f'{path}: no weights in it; expected a state dict, or a dict with the key state_dict')
    return tensors, meta if isinstance(meta, dict) else {}


def _numpy_globals() -> list[Any]:
    """What numpy arrays and numbers are made of; loading them runs nothing else."""
    core = np.core if int(np.__version__.split('.')[0]) < 2 else np._core  # type: ignore[attr-defined]
    dtypes = {type(np.dtype(code)) for code in '?bBhHiIlLqQefdSU'}
    return [np.ndarray, np.dtype, core.multiarray._reconstruct, core.multiarray.scalar, *dtypes]


def _stand_ins(path: Path) -> contextlib.AbstractContextManager[Any]:
    """Let torch's loader meet OpenMMLab's bookkeeping objects, and make nothing of them.

    torch before 2.6 cannot list what a file holds; there such files are refused.
    """
    listing = getattr(torch.serialization, 'get_unsafe_globals_in_checkpoint', None)
    if listing is None:
        return contextlib.nullcontext()
    try:
        names = listing(str(path))
    except Exception:  # as above
        return contextlib.nullcontext()  # the legacy format, or no checkpoint: torch.load says which
    ignored = [name for name in names if name.startswith(IGNORED_MODULES) or name in IGNORED_NAMES]
    return torch.serialization.safe_globals([(_Ignored, name) for name in ignored])
