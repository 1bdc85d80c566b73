from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import face_trees as trees
import numpy as np
import pytest
import torch
from mmengine.dataset import worker_init_fn
from torch.utils.data import DataLoader

import face_aux.datasets as datasets
import face_aux.transforms as transforms
from bmoe_ground.errors import UserError
from face_aux.registry import TRANSFORMS
from face_aux.transforms.photometric import adjust_color, adjust_hue

SIZE = 32
RANDOM = [
    {'type': 'LoadFace'},
    {'type': 'RandomRotation', 'degrees': 20},
    {'type': 'RandomResizedCrop', 'size': SIZE},
    {'type': 'RandomFlip'},
    {'type': 'KeepTextureSource'},
    {'type': 'ColorJitter', 'hue': 0.1},
    {'type': 'RandomGray'},
    {'type': 'GaussianBlur'},
    {'type': 'JpegCompression'},
    {'type': 'Normalize'},
    {'type': 'RandomErasing', 'prob': 1.0},
    {'type': 'PackFaceInputs'},
]


def item(shape: tuple[int, int] = (40, 50), frames: int = 1, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    pixels = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for _ in range(frames)]
    return {'frames': pixels, 'path': 'x.png', 'gt': {}, 'groups': {}, 'is_clip': frames > 1}


def run(pipeline: list[dict], result: dict[str, Any]) -> dict[str, Any]:
    for step in pipeline:
        result = TRANSFORMS.build(step)(result)
    return result


def test_texture_source_is_geometric_but_not_photometric() -> None:
    torch.manual_seed(5)
    packed = run(RANDOM, {**item(), 'media': 'image'})
    assert packed['inputs'].shape == packed['texture_source'].shape == (3, SIZE, SIZE)
    assert packed['inputs'].dtype == torch.float32
    assert packed['texture_source'].dtype == torch.uint8
    torch.manual_seed(5)
    geometric = run(RANDOM[:4], {**item(), 'media': 'image'})['frames'][0]
    np.testing.assert_array_equal(packed['texture_source'].permute(1, 2, 0).numpy(), geometric)


def test_without_photometric_changes_inputs_are_the_normalised_source() -> None:
    torch.manual_seed(1)
    steps = [s for s in RANDOM if s['type'] in ('LoadFace', 'RandomResizedCrop', 'KeepTextureSource', 'PackFaceInputs')]
    steps.insert(-1, {'type': 'Normalize', 'mean': [0.5, 0.4, 0.3], 'std': [0.2, 0.3, 0.4]})
    packed = run(steps, item())
    mean, std = torch.tensor([0.5, 0.4, 0.3])[:, None, None], torch.tensor([0.2, 0.3, 0.4])[:, None, None]
    torch.testing.assert_close(packed['inputs'], (packed['texture_source'] / 255 - mean) / std)


def test_clips_change_alike_in_every_frame() -> None:
    torch.manual_seed(2)
    one = item(seed=3)
    clip = {**one, 'frames': [one['frames'][0].copy() for _ in range(4)], 'is_clip': True}
    packed = run(RANDOM, clip)
    assert packed['inputs'].shape == (3, 4, SIZE, SIZE)
    assert packed['texture_source'].shape == (3, 4, SIZE, SIZE)
    for t in range(1, 4):
        torch.testing.assert_close(packed['inputs'][:, t], packed['inputs'][:, 0])


def test_no_texture_source_without_the_transform() -> None:
    steps = [{'type': 'Resize', 'size': 16}, {'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    assert set(run(steps, item())) == {'inputs', 'data_samples'}


def test_labels_are_packed() -> None:
    steps = [{'type': 'Normalize'}, {'type': 'PackFaceInputs'}]
    result = {**item(), 'gt': {'gender': 1, 'attributes': [1, -1, 0]}, 'groups': {'race': 'Asian'}, 'video_id': 'v'}
    sample = run(steps, result)['data_samples']
    assert sample.gt['gender'] == 1
    assert sample.gt['attributes'].tolist() == [1.0, -1.0, 0.0]
    assert (sample.groups, sample.path, sample.video_id) == ({'race': 'Asian'}, 'x.png', 'v')


def test_resize_and_crop_geometry() -> None:
    pixels = cv2.resize(np.arange(100, dtype=np.uint8).reshape(10, 10), (100, 200), interpolation=cv2.INTER_NEAREST)
    result = {**item(), 'frames': [np.repeat(pixels[..., None], 3, axis=2)]}
    assert transforms.Resize(30, keep_ratio=True)(result)['frames'][0].shape == (60, 30, 3)
    small = transforms.Resize(10)(result)['frames'][0]
    np.testing.assert_array_equal(small[..., 0], np.arange(100).reshape(10, 10))  # areas are averaged exactly
    cropped = transforms.CenterCrop(20)(result)['frames'][0]
    np.testing.assert_array_equal(cropped[..., 0], pixels[90:110, 40:60])
    assert transforms.CenterCrop(300)(result)['frames'][0].shape == (300, 300, 3)
    boxed = transforms.CropFaceBox(margin=0.5)({**result, 'face_box': (90, 10, 8, 20)})['frames'][0]
    np.testing.assert_array_equal(boxed[..., 0], pixels[0:40, 86:100])


@pytest.mark.parametrize('shape', [(1, 1), (1, 300), (400, 2), (37, 41)])
def test_random_crop_stays_inside_any_image(shape: tuple[int, int]) -> None:
    crop = transforms.RandomResizedCrop(16, scale=(0.05, 1.0))
    torch.manual_seed(0)
    for _ in range(50):
        top, left, height, width = crop.sample(*shape)
        assert 0 <= top <= top + height <= shape[0]
        assert 0 <= left <= left + width <= shape[1]
        assert height > 0 < width
    assert crop(item(shape))['frames'][0].shape == (16, 16, 3)


def test_random_crop_covers_the_asked_area() -> None:
    crop = transforms.RandomResizedCrop(16, scale=(0.2, 0.5), ratio=(0.75, 1.25))
    torch.manual_seed(0)
    parts = [crop.sample(200, 200) for _ in range(200)]
    areas = [h * w / 200**2 for _, _, h, w in parts]
    ratios = [w / h for _, _, h, w in parts]
    assert 0.19 < min(areas) < 0.23
    assert 0.47 < max(areas) < 0.51
    assert 0.73 < min(ratios) < 0.8
    assert 1.2 < max(ratios) < 1.28


def test_flip_and_rotation() -> None:
    result = item()
    np.testing.assert_array_equal(transforms.RandomFlip(1.0)(result)['frames'][0], result['frames'][0][:, ::-1])
    assert transforms.RandomFlip(0.0)(result) is result
    same = transforms.RandomRotation(0.0)(result)['frames'][0]
    np.testing.assert_array_equal(same, result['frames'][0])
    flat = {**result, 'frames': [np.full((30, 30, 3), 200, np.uint8)]}
    assert (transforms.RandomRotation(45)(flat)['frames'][0] == 200).all()  # no black corners


def test_colour_factors_by_hand() -> None:
    pixels = np.array([[[100, 50, 200], [10, 20, 30]]], np.uint8)
    np.testing.assert_array_equal(adjust_color(pixels, 1, 1, 1), pixels)
    np.testing.assert_array_equal(adjust_color(pixels, 0.5, 1, 1), [[[50, 25, 100], [5, 10, 15]]])
    grey = adjust_color(pixels, 1, 1, 0)
    assert grey[0, 0].tolist() == [82, 82, 82]  # 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05
    mean = (82.05 + 18.15) / 2
    np.testing.assert_array_equal(adjust_color(pixels, 1, 0, 1), np.full((1, 2, 3), round(mean)))
    turned = adjust_hue(np.array([[[255, 0, 0]]], np.uint8), 1 / 3)
    assert turned[0, 0].tolist() == [0, 255, 0]


def test_erasing_is_normal_noise_in_one_rectangle() -> None:
    torch.manual_seed(0)
    pixels = np.full((64, 64, 3), 9.0, np.float32)
    erased = transforms.RandomErasing(1.0, scale=(0.2, 0.3))({**item(), 'frames': [pixels]})['frames'][0]
    changed = (erased != 9.0).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert 0.19 < changed.mean() < 0.31
    assert abs(erased[changed].mean()) < 0.1
    assert abs(erased[changed].std() - 1) < 0.1
    assert (pixels == 9.0).all()
    flat = transforms.RandomErasing(1.0, mode='const')({**item(), 'frames': [pixels]})['frames'][0]
    assert set(np.unique(flat)) == {0.0, 9.0}


def test_misuse_is_explained() -> None:
    with pytest.raises(ValueError, match='must come after Normalize'):
        transforms.RandomErasing()(item())
    with pytest.raises(ValueError, match='must come before Normalize'):
        transforms.KeepTextureSource()(transforms.Normalize()(item()))
    with pytest.raises(ValueError, match='must come after Normalize'):
        transforms.PackFaceInputs()(item())
    with pytest.raises(ValueError, match="mode must be 'pixel' or 'const', got 'x'"):
        transforms.RandomErasing(mode='x')
    with pytest.raises(ValueError, match='interpolation must be one of'):
        transforms.Resize(3, interpolation='nearest')


def folder(root: Path, n: int = 12) -> Path:
    for i in range(n):
        trees.image(root / ('a' if i % 2 else 'b') / f'{i}.png', seed=i)
    return root


@pytest.mark.parametrize('workers', [0, 2])
def test_augmentation_repeats_under_one_seed(tmp_path: Path, workers: int) -> None:
    faces = datasets.FolderFaces(data_root=folder(tmp_path), pipeline=RANDOM)

    def batches() -> torch.Tensor:
        torch.manual_seed(11)
        loader = DataLoader(
            faces,
            batch_size=4,
            num_workers=workers,
            collate_fn=lambda batch: torch.stack([b['inputs'] for b in batch]),
            worker_init_fn=lambda i: worker_init_fn(i, num_workers=workers, rank=0, seed=11),
        )
        return torch.cat(list(loader))

    first, second = batches(), batches()
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.manual_seed(12)
    assert not torch.equal(torch.stack([faces[i]['inputs'] for i in range(12)]), first)


def test_a_driven_epoch_does_not_depend_on_workers(tmp_path: Path) -> None:
    faces = datasets.FolderFaces(data_root=folder(tmp_path), pipeline=RANDOM)

    def epoch(number: int, workers: int) -> torch.Tensor:
        faces.shared_epoch.seed, faces.shared_epoch.epoch = 7, number
        torch.manual_seed(workers)
        collate = lambda batch: torch.stack([b['inputs'] for b in batch])  # noqa: E731
        return torch.cat(list(DataLoader(faces, batch_size=4, num_workers=workers, collate_fn=collate)))

    first = epoch(0, 0)
    assert torch.equal(first, epoch(0, 2))
    second = epoch(1, 2)
    assert not torch.equal(first, second)
    assert torch.equal(second, epoch(1, 0))


def test_bad_image_in_training(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / 'a' / '1.png').write_bytes(b'broken')
    strict = datasets.FolderFaces(data_root=tmp_path, pipeline=RANDOM)
    with pytest.raises(UserError, match=r'a/1.png: not an image'):
        strict[0]
    lenient = datasets.FolderFaces(data_root=tmp_path, pipeline=RANDOM, bad_images='skip')
    assert not lenient[0]['data_samples'].path.endswith('a/1.png')
    testing = datasets.FolderFaces(data_root=tmp_path, pipeline=RANDOM, bad_images='skip', test_mode=True)
    with pytest.raises(UserError, match=r'a/1.png'):
        testing[0]


def test_records_live_in_one_byte_array(tmp_path: Path) -> None:
    faces = datasets.FolderFaces(data_root=folder(tmp_path))
    assert not faces.data_list
    assert faces.data_bytes.dtype == np.uint8
    assert len(faces) == 12
    assert faces.get_cat_ids(0) == [0]
