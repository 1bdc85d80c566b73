"""The examples of the public names run as they stand, in a folder that has what they name."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import os
import pathlib
from pathlib import Path
from typing import Any

import brightness
import numpy as np
import own_layout
import pytest
import torch
from PIL import Image
from pose_fixtures import BlockEstimator, VideoMaker
from skeleton_clips import write_checkpoint, write_tracks

PACKAGES = ('bmoe_app', 'bmoe_skel', 'face_aux', 'pose_extract')


def public(package: str) -> dict[str, Any]:
    """The classes and functions at a package's door."""
    module = importlib.import_module(package)
    found = {name: getattr(module, name) for name in module.__all__}
    return {name: thing for name, thing in found.items() if inspect.isclass(thing) or inspect.isfunction(thing)}


NAMES = [(package, name) for package in PACKAGES for name in public(package)]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples name: tracks, a pickle of clips, a checkpoint of each kind, face crops."""
    from pose_extract.convert import ConvertSettings, convert_poses

    folder = tmp_path_factory.mktemp('examples')
    write_tracks(folder / 'poses', 2)
    convert_poses(folder / 'poses', folder / 'clips.pkl', ConvertSettings())
    write_checkpoint(folder / 'best.pth')
    brightness.checkpoint(folder / 'face.pth')
    (folder / 'mine.yaml').write_text(own_layout.SOFA9.replace('sofa9', 'mine9'))
    (folder / 'crops').mkdir()
    for name, level in (('bright', 200), ('dark', 40)):
        Image.fromarray(np.full((32, 32, 3), level, np.uint8)).save(folder / 'crops' / f'{name}.png')
    return folder


@pytest.mark.parametrize(('package', 'name'), NAMES)
def test_every_public_name_has_an_example(package: str, name: str) -> None:
    text = inspect.getdoc(public(package)[name]) or ''
    assert 'Example:' in text
    assert '>>> ' in text


@pytest.mark.parametrize(('package', 'name'), NAMES)
def test_the_example_runs(
    package: str,
    name: str,
    folder: Path,
    make_video: VideoMaker,
    block_backend: type[BlockEstimator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = make_video('clip.mp4')
    for file in folder.iterdir():
        (clip.parent / file.name).symlink_to(file)
    monkeypatch.chdir(clip.parent)
    known: dict[str, Any] = {'np': np, 'torch': torch, 'json': json, 'os': os, 'pathlib': pathlib, **public(package)}
    known |= {package: importlib.import_module(package) for package in PACKAGES}
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(public(package)[name], name, module=False, globs=known)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    own_layout.forget_layouts()
    assert result.attempted > 0
    assert result.failed == 0, ''.join(said)
