"""Where a model runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bmoe_ground.errors import UserError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = 'auto') -> torch.device:
    """The device that a user names.

    Args:
        name: ``'auto'`` for the GPU of this process's place on its machine (as torchrun or Slurm number them), or the
            CPU where there is none; else a device of torch, such as ``'cpu'``, ``'cuda'`` or ``'cuda:1'``.

    Returns:
        The device; it can be used.

    Raises:
        UserError: torch knows no such device, or this machine has none.

    Example:
        >>> choose_device('cpu')
        device(type='cpu')
    """
    import torch  # the ground is imported by what needs no torch too

    if name == 'auto':
        if not torch.cuda.is_available():
            return torch.device('cpu')
        place = os.environ.get('LOCAL_RANK', os.environ.get('SLURM_LOCALID', '0'))
        return torch.device('cuda', int(place) % torch.cuda.device_count())
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'device {name!r}: not a device; expected auto, cpu, cuda or cuda:N') from error
    if device.type == 'cuda' and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        raise UserError(f'device {name!r}: this machine has {torch.cuda.device_count()} usable CUDA devices')
    if device.type not in ('cpu', 'cuda'):
        try:
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise UserError(f'device {name!r}: not usable here ({str(error).splitlines()[0]})') from error
    return device
