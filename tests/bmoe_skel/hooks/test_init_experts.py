from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from skeleton_clips import SMALL, small_model

from bmoe_ground.errors import UserError
from bmoe_skel.hooks import InitExpertsHook
from bmoe_skel.models import BMoE, RegionRecognizer
from pose_extract.skeletons import REGIONS, get_skeleton


def recognizer(region: str, **kwargs: Any) -> RegionRecognizer:
    torch.manual_seed(3)
    return RegionRecognizer(region, 3, **{'skeleton': 'coco17', 'dims': 32, 'expert': SMALL['expert'], **kwargs})


def save(path: Path, model: torch.nn.Module, clips: str | None = None) -> str:
    meta = {} if clips is None else {'dataset_meta': {'clips_digest': clips}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    return str(path)


def start(hook: InitExpertsHook, model: torch.nn.Module, resume: bool = False, load_from: str | None = None) -> None:
    """Let the hook do what it does before a training on the clips 'ours'."""
    dataset = SimpleNamespace(metainfo={'clips_digest': 'ours'})
    loader = SimpleNamespace(dataset=dataset)
    hook.before_train(SimpleNamespace(model=model, train_dataloader=loader, _resume=resume, _load_from=load_from))


def weights(model: BMoE) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def test_mixture_starts_from_a_trained_expert_and_is_else_as_it_was(tmp_path) -> None:
    expert, mixture = recognizer('upper'), small_model()
    before = weights(mixture)
    start(InitExpertsHook(upper=save(tmp_path / 'upper.pth', expert), lower=None), mixture)
    for name, value in expert.expert.state_dict().items():
        assert torch.equal(mixture.experts['upper'].state_dict()[name], value)
    after = weights(mixture)
    assert all(torch.equal(after[key], before[key]) for key in before if not key.startswith('experts.upper.'))
    assert any(not torch.equal(after[key], before[key]) for key in before)


def test_a_resumed_run_reads_no_file(tmp_path) -> None:
    mixture = small_model()
    before = weights(mixture)
    start(InitExpertsHook(upper=str(tmp_path / 'gone.pth')), mixture, resume=True)
    assert all(torch.equal(value, before[key]) for key, value in mixture.state_dict().items())
    with pytest.raises(UserError, match=r'not found: .*gone\.pth'):
        start(InitExpertsHook(upper=str(tmp_path / 'gone.pth')), mixture)


def test_an_unknown_region_is_named_at_once() -> None:
    with pytest.raises(UserError, match="unknown region 'tail'; choose of .*'upper'"):
        InitExpertsHook(tail='x.pth')


def test_wrong_region_is_refused_even_when_shapes_fit(tmp_path) -> None:
    layout = get_skeleton('coco17')
    assert len(layout.regions['upper']) == len(layout.regions['lower'])
    path = save(tmp_path / 'lower.pth', recognizer('lower'))
    with pytest.raises(UserError, match="another region or skeleton.*'upper'"):
        start(InitExpertsHook(upper=path), small_model())


def test_another_width_is_refused(tmp_path) -> None:
    path = save(tmp_path / 'wide.pth', recognizer('upper', expert={'dims': (24, 24)}))
    with pytest.raises(UserError, match="does not fit the expert of region 'upper'"):
        start(InitExpertsHook(upper=path), small_model())


def test_other_checkpoints_are_refused(tmp_path) -> None:
    path = save(tmp_path / 'whole.pth', small_model())
    with pytest.raises(UserError, match='no checkpoint of a single expert'):
        start(InitExpertsHook(upper=path), small_model())


def test_an_expert_of_other_clips_is_refused_unless_they_are_not_looked_at(tmp_path) -> None:
    same, other = (save(tmp_path / f'{clips}.pth', recognizer('upper'), clips) for clips in ('ours', 'theirs'))
    start(InitExpertsHook(upper=same), small_model())
    with pytest.raises(UserError, match=r'other clips .*init_experts\.check_clips=false'):
        start(InitExpertsHook(upper=other), small_model())
    start(InitExpertsHook(upper=other, check_clips=False), small_model())


def test_only_a_mixture_has_experts_and_only_one_may_start_them(tmp_path) -> None:
    path = save(tmp_path / 'upper.pth', recognizer('upper'))
    with pytest.raises(UserError, match='RegionRecognizer has no experts'):
        start(InitExpertsHook(upper=path), recognizer('upper'))
    with pytest.raises(UserError, match=r"load_from='b\.pth' would both start"):
        start(InitExpertsHook(upper=path), small_model(), load_from='b.pth')
    start(InitExpertsHook(**dict.fromkeys(REGIONS)), recognizer('upper'))  # nothing asked, nothing refused
