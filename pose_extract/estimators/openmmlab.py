"""MMPose and MMDetection models: importing them, resolving names, loading weights safely."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import socket
import sys
import types
import urllib.error
import urllib.parse
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from bmoe_ground.errors import UserError
from bmoe_ground.import_cures import apply_import_cures
from pose_extract.estimators.checkpoints import load_weights

DETECTOR_CONFIG = 'demo/mmdetection_cfg/rtmdet_m_640-8xb32_coco-person.py'
DETECTOR_WEIGHTS = (
    'https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmdet_m_8xb32-100e_coco-obj365-person-235e8209.pth'
)
DOWNLOAD_TIMEOUT = 30.0


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Non-maximum suppression in plain torch, with the signature of mmcv's compiled operator.

    Args:
        boxes: (N, 4), xyxy.
        scores: (N,).
        iou_threshold: Boxes that overlap a better one by more are dropped.
        offset: 1 where boxes are counted in whole pixels, else 0.

    Returns:
        Indices of the boxes kept, best first.
    """
    order = scores.argsort(descending=True, stable=True)
    boxes = boxes[order]
    area = (boxes[:, 2:] - boxes[:, :2] + offset).prod(-1)
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    kept = []
    for i in range(len(boxes)):
        if not alive[i]:
            continue
        kept.append(i)
        low, high = torch.maximum(boxes[i, :2], boxes[:, :2]), torch.minimum(boxes[i, 2:], boxes[:, 2:])
        overlap = (high - low + offset).clamp(min=0).prod(-1)
        alive &= overlap <= iou_threshold * (area[i] + area - overlap)
    return order[torch.tensor(kept, dtype=torch.long, device=boxes.device)]


class _MissingExtension(types.ModuleType):
    """Stands in for mmcv's compiled operators; all but ``nms`` fail when they are called."""

    __file__ = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        if name == 'nms':
            return nms

        def missing(*_: Any, **__: Any) -> NoReturn:
            raise NotImplementedError(f'mmcv operator {name} is compiled and mmcv-lite has none; install the full mmcv')

        return missing


@functools.cache
def import_openmmlab() -> None:
    """Import mmpose and mmdet, also where mmcv is the lite edition without compiled operators.

    mmpose and mmdet import ``mmcv.ops`` whether or not a model needs it. While it is imported once, a placeholder
    takes the place of ``mmcv._ext``; mmengine looks that module up later and must not find it, so it goes again.
    """
    apply_import_cures()
    importlib.import_module('mmcv')
    if 'mmcv.ops' not in sys.modules:
        lite = importlib.util.find_spec('mmcv._ext') is None
        if lite:
            sys.modules['mmcv._ext'] = _MissingExtension('mmcv._ext')
        try:
            importlib.import_module('mmcv.ops')
        finally:
            if lite:
                del sys.modules['mmcv._ext']
    importlib.import_module('mmdet.models')
    importlib.import_module('mmdet.datasets.transforms')
    importlib.import_module('mmpose.apis')


def packaged_files(package: str) -> Path:
    """The folder where an OpenMMLab package keeps its configs."""
    module = importlib.import_module(package)
    root = Path(next(iter(module.__path__)))
    return root / '.mim' if (root / '.mim').is_dir() else root.parent


def find_model(name: str) -> tuple[Path, str | None]:
    """Resolve an MMPose alias (``body17``) or config name to a config file and the address of its weights.

    Args:
        name: As in MMPose's metafiles, or the name of one of its config files.

    Raises:
        UserError: MMPose knows no such model; the message lists the aliases.
    """
    from mmengine.fileio import load

    base = packaged_files('mmpose')
    aliases: set[str] = set()
    for metafile in load(base / 'model-index.yml')['Import']:
        for model in load(base / metafile).get('Models', []):
            alias = model.get('Alias', [])
            names = [alias] if isinstance(alias, str) else list(alias)
            aliases.update(names)
            if name.lower() in [entry.lower() for entry in (model['Name'], *names)]:
                weights = model.get('Weights')
                return base / model['Config'], weights[0] if isinstance(weights, list) else weights
    for config in (base / 'configs').rglob(f'{Path(name).stem}.py'):
        return config, None
    raise UserError(
        f"MMPose knows no model '{name}'; give --config FILE and --checkpoint FILE, the name of one of its configs, "
        f'or an alias: {", ".join(sorted(aliases))}'
    )


def fetch_weights(url: str, what: str, ways_out: str) -> Path:
    """Download weights into torch's cache, or find them there.

    Args:
        url: Where they are.
        what: What they are for, to be named in an error.
        ways_out: What to do without them, to be named in an error.

    Raises:
        UserError: They cannot be had.
    """
    name = os.path.basename(urllib.parse.urlparse(url).path)
    target = Path(torch.hub.get_dir()) / 'checkpoints' / name
    if target.is_file():
        return target
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # OpenMMLab's names end in the first digits of the file's SHA-256.
        digest = target.stem.rsplit('-', 1)[-1].split('_')[0]
        hashed = len(digest) == 8 and all(c in '0123456789abcdef' for c in digest)
        print(f'downloading {url}', file=sys.stderr)
        torch.hub.download_url_to_file(url, str(target), hash_prefix=digest if hashed else None, progress=False)
    except (OSError, RuntimeError, urllib.error.URLError) as error:
        raise UserError(
            f'the weights of {what} cannot be downloaded from {url} ({error}); without internet, {ways_out}'
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return target


def load_config(path: str | Path) -> Any:
    """Read an MMPose or MMDetection config file.

    Raises:
        UserError: It cannot be read.
    """
    from mmengine.config import Config

    try:
        return Config.fromfile(str(path))
    except Exception as error:  # a config is Python code and may fail in any way
        raise UserError(f'{path}: not a readable MMPose config: {type(error).__name__}: {error}') from error


def build_model(config: Any, checkpoint: Path, registry: Any, scope: str) -> tuple[nn.Module, dict[str, Any]]:
    """Build a network from its config and load the weights, every one of them.

    Args:
        config: A loaded config with a ``model`` section.
        checkpoint: File with the weights.
        registry: mmpose's or mmdet's MODELS.
        scope: ``mmpose`` or ``mmdet``.

    Returns:
        The network in eval mode on the CPU, and the checkpoint's ``meta``.

    Raises:
        UserError: The weights do not fit the config.
    """
    from mmengine.model.utils import revert_sync_batchnorm
    from mmengine.registry import init_default_scope

    init_default_scope(config.get('default_scope', scope))
    if 'backbone' in config.model:
        config.model.backbone.init_cfg = None  # it would download what the checkpoint replaces
    config.model.train_cfg = None
    try:
        model = revert_sync_batchnorm(registry.build(config.model))
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise UserError(f'{config.filename}: the model cannot be built: {error}') from error
    state, meta = load_weights(checkpoint)
    wanted = {k: v.shape for k, v in model.state_dict().items()}
    missing = [k for k in wanted if k not in state and not k.endswith('num_batches_tracked')]
    differing = [k for k, v in state.items() if k in wanted and v.shape != wanted[k]]
    if missing or differing:
        first = (differing or missing)[0]
        detail = (
            f'{first} is {tuple(state[first].shape)}, the config wants {tuple(wanted[first])}'
            if differing
            else f'{first} is missing'
        )
        raise UserError(
            f'{checkpoint}: these weights do not fit {config.filename}: {len(missing)} of {len(wanted)} tensors '
            f'missing, {len(differing)} of another shape ({detail}); give the --config they were trained with'
        )
    model.load_state_dict({k: v for k, v in state.items() if k in wanted}, strict=False)
    model.eval()
    model.requires_grad_(False)
    return model, meta
