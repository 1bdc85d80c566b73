"""An exported face model answers as the inferencer does, from pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brightness import checkpoint as brightness_checkpoint
from mmengine.config import Config

from bmoe_ground.errors import UserError
from bmoe_ground.onnx_files import read_onnx
from face_aux.checkpoint import load_face_model
from face_aux.export import FaceGraph, export_face_model
from face_aux.models import DescriptorModel, TextureJointModel
from face_aux.structures import FaceSample

ort = pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')

HEADS: dict[str, Any] = {
    'gender': {'classes': ['male', 'female']},
    'look': {'classes': ['glasses', 'beard', 'hat'], 'type': 'multi_label'},
}
ENCODER = {'name': 'vit_tiny_patch16_224', 'img_size': 32, 'patch_size': 8, 'depth': 1}


def face_checkpoint(path: Path) -> Path:
    pipeline = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': 32}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    model = {'type': 'TextureJointModel', 'encoder': ENCODER, 'heads': HEADS}
    torch.manual_seed(0)
    weights = TextureJointModel(encoder=dict(ENCODER), heads=HEADS).state_dict()
    config = Config({'model': model, 'test_dataloader': {'dataset': {'pipeline': pipeline}}})
    tasks = {name: {'classes': spec['classes'], 'multi_label': 'type' in spec} for name, spec in HEADS.items()}
    torch.save({'state_dict': weights, 'meta': {'cfg': config.pretty_text, 'dataset_meta': {'tasks': tasks}}}, path)
    return path


def test_hundred_random_faces_equal_torch(tmp_path: Path) -> None:
    path = face_checkpoint(tmp_path / 'face.pth')
    assert export_face_model(path, tmp_path / 'face.onnx') < 1e-4
    session, facts = read_onnx(tmp_path / 'face.onnx')
    assert facts['tasks']['look'] == {'classes': ['glasses', 'beard', 'hat'], 'multi_label': True}
    assert json.loads((tmp_path / 'face.onnx.json').read_text()) == facts
    graph = FaceGraph(load_face_model(path)).eval()
    images = np.random.default_rng(0).uniform(0, 255, (100, 3, 32, 32)).astype(np.float32)
    found = session.run(['gender', 'look'], {'images': images})
    with torch.no_grad():
        wanted = graph(torch.from_numpy(images))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=1e-4)
    np.testing.assert_allclose(found[0].sum(1), 1, atol=1e-5)


def descriptor_checkpoint(path: Path, descriptors: list[dict[str, Any]]) -> Path:
    pipeline = [{'type': 'LoadFace'}, {'type': 'Resize', 'size': 32}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    heads = {'gender': HEADS['gender']}
    model = DescriptorModel(32, descriptors, heads)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(20, 3, 32, 32, generator=generator)
    model.gather(inputs, [FaceSample(gt={'gender': i % 2}) for i in range(20)])
    model.fit()
    described = {'type': 'DescriptorModel', 'size': 32, 'descriptors': descriptors, 'heads': heads}
    config = Config({'model': described, 'test_dataloader': {'dataset': {'pipeline': pipeline}}})
    tasks = {'gender': {'classes': ['male', 'female'], 'multi_label': False}}
    content = {'state_dict': model.state_dict(), 'meta': {'cfg': config.pretty_text, 'dataset_meta': {'tasks': tasks}}}
    torch.save(content, path)
    return path


def test_a_descriptor_model_is_exported_with_its_gradients(tmp_path: Path) -> None:
    described = [{'type': 'HOG', 'cell': 8}, {'type': 'HOG', 'cell': 4, 'shrink': 2}, {'type': 'RGB', 'cells': 4}]
    path = descriptor_checkpoint(tmp_path / 'hog.pth', described)
    assert export_face_model(path, tmp_path / 'hog.onnx') < 1e-4
    session, _ = read_onnx(tmp_path / 'hog.onnx')
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32)).astype(np.float32)
    with torch.no_grad():
        (wanted,) = FaceGraph(load_face_model(path)).eval()(torch.from_numpy(images))
    (found,) = session.run(['gender'], {'images': images})
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    assert found[:, 0].std() > 0.01


def test_codes_of_pixels_are_refused_by_name(tmp_path: Path) -> None:
    path = descriptor_checkpoint(tmp_path / 'lbp.pth', [{'type': 'HOG'}, {'type': 'LBP'}, {'type': 'LDP'}])
    with pytest.raises(UserError, match='its descriptors LBP, LDP count codes of pixels'):
        export_face_model(path, tmp_path / 'lbp.onnx')


def test_a_model_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='BrightnessModel is no model that can be exported'):
        export_face_model(brightness_checkpoint(tmp_path / 'other.pth'), tmp_path / 'face.onnx')
