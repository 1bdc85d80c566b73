from __future__ import annotations

import pytest
import torch
from mmengine.dataset import default_collate

from face_aux.structures import FaceSample


def test_fields_are_kept_and_survive_collating() -> None:
    samples = [
        {'inputs': torch.full((3, 2, 2), float(i)), 'data_samples': FaceSample(gt={'sex': i}, groups={'race': 'x'})}
        for i in range(2)
    ]
    batch = default_collate(samples)
    assert batch['inputs'].shape == (2, 3, 2, 2)
    assert [s.gt['sex'] for s in batch['data_samples']] == [0, 1]
    assert batch['data_samples'][0].to('cpu').groups == {'race': 'x'}


@pytest.mark.parametrize(('field', 'value'), [('gt', 3), ('groups', 'male'), ('path', 5), ('scores', [0.1])])
def test_wrong_type_is_named(field: str, value: object) -> None:
    with pytest.raises(TypeError, match=f'FaceSample.{field} must be'):
        FaceSample(**{field: value})


def test_absent_fields_are_absent() -> None:
    sample = FaceSample(path='a.jpg')
    assert 'scores' not in sample
    assert sample.get('video_id') is None
