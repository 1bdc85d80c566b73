from __future__ import annotations

import numpy as np
import pytest
import torch

from bmoe_ground.errors import UserError
from bmoe_skel.structures import ActionSample
from face_aux.structures import FaceSample
from mm_runtime.finite import check_sample, check_scores, is_finite

BAD = (float('nan'), float('inf'), -float('inf'))


@pytest.mark.parametrize('bad', BAD)
def test_sample_and_checkpoint_are_named(bad: float) -> None:
    scores = torch.tensor([0.2, bad])
    clip = ActionSample(metainfo={'name': 'nod/01.mp4'})
    clip.pred_scores = torch.tensor([0.2, 0.8])
    check_sample(clip)
    clip.part_scores = scores[None]
    with pytest.raises(UserError, match=r"^checkpoint a\.pth: part_scores of 'nod/01\.mp4' are NaN or infinite"):
        check_sample(clip, 'checkpoint a.pth')
    face = FaceSample(gt={'age': 0}, path='1.jpg', scores={'age': torch.tensor([0.5, 0.5]), 'gender': scores})
    with pytest.raises(UserError, match=r"the model in training: scores 'gender' of '1\.jpg' are NaN"):
        check_sample(face.to_dict())
    check_sample({'x': scores, 'gt': float('nan')})  # no scores


@pytest.mark.parametrize('bad', BAD)
def test_rows_are_counted(bad: float) -> None:
    check_scores(np.zeros((0, 3)))
    check_scores([1, 2])
    with pytest.raises(ValueError, match=r'body: hold NaN or infinite numbers, 2 of 3 samples, the first 1'):
        check_scores([[0.0, 1.0], [bad, 0.0], [bad, bad]], 'body')
    assert is_finite(np.array(['a']))
    assert is_finite(torch.tensor([1]))
    assert not is_finite(torch.tensor([bad]))
