"""The part of ``pkg_resources`` that mmengine 0.10 uses, on importlib.metadata.

Loaded under the name ``pkg_resources`` by :mod:`bmoe_ground.import_cures`, only where setuptools no longer ships it.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path


class DistributionNotFound(Exception):
    """No distribution of this name is installed."""


class Distribution:
    """An installed distribution: ``project_name``, ``version``, and ``location``, the folder it is importable from."""

    def __init__(self, distribution: importlib.metadata.Distribution) -> None:
        self._distribution = distribution
        self.project_name: str = distribution.metadata['Name']
        self.version: str = distribution.version
        self.location = str(Path(str(distribution.locate_file(''))).resolve())

    def has_metadata(self, name: str) -> bool:
        """Whether the distribution carries the metadata file ``name``."""
        return self._distribution.read_text(name) is not None

    def get_metadata(self, name: str) -> str:
        """Text of the metadata file ``name``; FileNotFoundError if there is none."""
        text = self._distribution.read_text(name)
        if text is None:
            raise FileNotFoundError(f'{self.project_name} {self.version} has no metadata file {name}')
        return text


def get_distribution(name: str) -> Distribution:
    """The installed distribution ``name``; :class:`DistributionNotFound` if there is none."""
    try:
        return Distribution(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError as error:
        raise DistributionNotFound(f"The '{name}' distribution was not found") from error
