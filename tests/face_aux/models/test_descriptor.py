from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.feature import hog, local_binary_pattern

from bmoe_ground.errors import UserError
from face_aux.models import DescriptorModel
from face_aux.models.descriptor_parts import ImageDescriptor, reduced, whole_pixels
from face_aux.models.targets import normalize
from face_aux.structures import FaceSample
from face_aux.textures import to_gray

HEADS: dict[str, Any] = {'lines': {'classes': ['lie', 'stand']}}
HOG = {'type': 'HOG', 'cell': 4}
LBP = {'type': 'LBP', 'cells': 2, 'method': 'nri_uniform'}


def pixels(count: int = 4, side: int = 16, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)


def striped(count: int, seed: int) -> tuple[torch.Tensor, list[int]]:
    """Normalised images whose stripes lie or stand."""
    rng = np.random.default_rng(seed)
    labels = [i % 2 for i in range(count)]
    images = []
    for label in labels:
        waves = 128 + 60 * np.sin(np.arange(16) * 1.1 + rng.uniform(0, 6)) + rng.normal(0, 30, (16, 16))
        images.append(np.repeat((waves if label else waves.T).clip(0, 255)[None], 3, axis=0))
    shown = torch.from_numpy(np.stack(images)).to(torch.uint8)
    return normalised(shown), labels


def normalised(images: torch.Tensor) -> torch.Tensor:
    model = DescriptorModel(16, [HOG], HEADS)
    return normalize(images[:, :, None], model.mean, model.std)[:, :, 0]


def fitted(model: DescriptorModel, count: int = 40) -> DescriptorModel:
    inputs, labels = striped(count, 0)
    model.gather(inputs, [FaceSample(gt={'lines': label}) for label in labels])
    model.fit()
    return model.eval()


def test_the_parts_are_scikit_images_side_by_side() -> None:
    images = pixels()
    found = ImageDescriptor(16, [HOG, {**HOG, 'shrink': 2}, LBP], mirror=False)(images.float())
    for image, row in zip(images, found, strict=True):
        shown = image.permute(1, 2, 0).numpy().astype(np.float64)
        small = reduced(image[None].float(), 2)[0].permute(1, 2, 0).numpy().astype(np.float64)
        codes = local_binary_pattern(to_gray(image[None])[0].numpy(), 8, 1, 'nri_uniform').astype(int)
        cells = [codes[y : y + 8, x : x + 8] for y in (0, 8) for x in (0, 8)]
        expected = [
            *(hog(each, 9, (4, 4), (2, 2), 'L2-Hys', channel_axis=2) for each in (shown, small)),
            *(np.sqrt(np.bincount(cell.ravel(), minlength=59) / 64) for cell in cells),
        ]
        np.testing.assert_allclose(row, np.concatenate(expected), atol=2e-5)


def test_mirror_images_have_one_description() -> None:
    images = pixels().float()
    both = ImageDescriptor(16, [HOG, LBP])
    torch.testing.assert_close(both(images), both(images.flip(-1)))
    one = ImageDescriptor(16, [HOG, LBP], mirror=False)
    assert not torch.allclose(one(images), one(images.flip(-1)))


def test_colours_are_means_of_cells() -> None:
    images = pixels().float()
    found = ImageDescriptor(16, [{'type': 'RGB', 'cells': 2}], mirror=False)(images)
    torch.testing.assert_close(found[:, 0], images[:, 0, :8, :8].mean(dim=(1, 2)) / 255)
    assert found.shape == (4, 12)


def test_pixels_come_back_from_normalised_inputs() -> None:
    images = pixels()
    model = DescriptorModel(16, [HOG], HEADS)
    torch.testing.assert_close(whole_pixels(normalised(images), model.mean, model.std), images.float())


def test_it_learns_what_it_is_shown_and_its_checkpoint_holds_tensors() -> None:
    model = fitted(DescriptorModel(16, [HOG, LBP], HEADS))
    inputs, labels = striped(30, 1)
    samples = model(inputs, mode='predict')
    assert [sample.pred['lines'] for sample in samples] == labels
    assert all(abs(float(sample.scores['lines'].sum()) - 1) < 1e-5 for sample in samples)
    again = DescriptorModel(16, [HOG, LBP], HEADS)
    again.load_state_dict(model.state_dict())
    torch.testing.assert_close(again(inputs)['lines'], model(inputs)['lines'])
    assert model.gathered == 0


def test_each_descriptor_is_given_the_same_variance() -> None:
    model = DescriptorModel(16, [HOG, {'type': 'RGB', 'cells': 1}], HEADS)
    inputs, labels = striped(40, 0)
    model.gather(inputs, [FaceSample(gt={'lines': label}) for label in labels])
    values = torch.cat(model._gathered)
    model.fit()
    edges, colours = ((values - model.center) / model.deviation).split(model.descriptor.widths, dim=1)
    for part in (edges, colours):
        assert float(part.square().sum(dim=1).mean()) == pytest.approx(1, rel=1e-3)


def test_labels_that_are_not_known_are_left_out() -> None:
    heads = {**HEADS, 'look': {'classes': ['stripes', 'dark'], 'type': 'multi_label'}}
    inputs, labels = striped(40, 0)
    model = DescriptorModel(16, [HOG], heads)
    rng = np.random.default_rng(3)
    truth = [torch.tensor([float(label), float(rng.integers(2))]) for label in labels]
    for i in range(0, 40, 5):
        truth[i][1] = -1
    known = [-1 if i < 8 else label for i, label in enumerate(labels)]
    model.gather(inputs, [FaceSample(gt={'lines': a, 'look': b}) for a, b in zip(known, truth, strict=True)])
    said = model.fit()
    assert said['lines'].startswith('32 images')
    found = model(striped(20, 4)[0], mode='predict')
    assert [int(sample.pred['look'][0]) for sample in found] == [sample.pred['lines'] for sample in found]
    alone = DescriptorModel(16, [HOG], HEADS)
    alone.gather(inputs[8:], [FaceSample(gt={'lines': label}) for label in labels[8:]])
    alone.center.zero_()
    alone.fit()
    test = striped(20, 5)[0]
    torch.testing.assert_close(alone(test)['lines'], model(test)['lines'], rtol=0.05, atol=0.05)


def test_what_cannot_be_fitted_is_refused() -> None:
    inputs, _ = striped(4, 0)
    model = DescriptorModel(16, [HOG], HEADS, max_samples=6)
    with pytest.raises(UserError, match='is not fitted; custom_hooks need a FitDescriptorHook'):
        model(inputs)
    with pytest.raises(UserError, match='no images to fit'):
        model.fit()
    model.gather(inputs, [FaceSample(gt={'lines': 1})] * 4)
    with pytest.raises(UserError, match='more than 6 images to fit in closed form'):
        model.gather(inputs, [FaceSample(gt={'lines': 0})] * 4)
    model.forget()
    model.gather(inputs, [FaceSample(gt={'lines': 1})] * 4)
    with pytest.raises(UserError, match="task 'lines': the images to fit on have no two classes"):
        model.fit()
    with pytest.raises(UserError, match=r'takes single images \(B, 3, 16, 16\), but got'):
        model.gather(inputs[..., :8], [])
    with pytest.raises(ValueError, match='this model has no loss'):
        model(inputs, mode='loss')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'descriptors': []}, 'describes nothing'),
        ({'descriptors': ['HOG']}, r"expected dict\(type='HOG', \.\.\.\), but got 'HOG'"),
        ({'descriptors': [{'type': 'SIFT'}]}, "unknown type 'SIFT'; there are HOG, RGB, LBP"),
        ({'descriptors': [{'type': 'HOG', 'cells': 4}]}, 'HOG: .*cells'),
        ({'descriptors': [{'type': 'HOG', 'cell': 5}]}, 'does not fit 16 x 16 pixels: cells of 5 x 5'),
        ({'descriptors': [{'type': 'HOG', 'shrink': 3}]}, 'shrink=3 must be a whole number that divides 16'),
        ({'descriptors': [{'type': 'RGB', 'cells': 3}]}, 'does not fit 16 x 16 pixels: 3 cells'),
        ({'descriptors': [{'type': 'LBP', 'cells': 17}]}, 'does not fit 16 x 16 pixels: grid'),
        ({'descriptors': [{'type': 'LBP', 'turns': 2}]}, 'pattern LBP: '),
        ({'strengths': [0.0]}, 'strengths must be numbers above 0'),
        ({'heads': {'lines': {'classes': ['a', 'b'], 'dropout': 0.1}}}, r"closed form has no \['dropout'\]"),
    ],
)
def test_a_wrong_description_is_refused(change: dict[str, Any], message: str) -> None:
    options: dict[str, Any] = {'size': 16, 'descriptors': [HOG], 'heads': HEADS, **change}
    with pytest.raises(UserError, match=message):
        DescriptorModel(**options)
