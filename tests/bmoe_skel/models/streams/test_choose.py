from __future__ import annotations

import pytest
import torch
from skeleton_clips import SMALL, random_inputs, samples, small_model
from torch import nn

from bmoe_ground.errors import UserError
from bmoe_skel.models import BMoE
from bmoe_skel.models.streams.base import GlobalStream, StreamFacts
from bmoe_skel.models.streams.choose import build_global_stream, choose_stream, stream_class, stream_names
from bmoe_skel.registry import MODELS

SKELETON = {'dims': (16, 16), 'depths': (1, 1)}
RGB = {'backbone': 'resnet18', 'frames': 4}
ALL, SOME, NONE = ({'clips': 5, 'stored': n, 'lacking': ['nod/x.mp4'] * (5 - n)} for n in (5, 4, 0))


class TestChoice:
    @pytest.mark.parametrize(
        ('name', 'crops', 'wanted', 'said'),
        [
            ('AutoStream', ALL, {'type': 'RGBStream', **RGB}, 'RGBStream (all 5 clips'),
            ('AutoStream', NONE, {'type': 'SkeletonStream', **SKELETON}, 'extract with --save-rgb 224'),
            ('AutoStream', None, {'type': 'SkeletonStream', **SKELETON}, 'the data offers no RGB crops'),
            ('RGBStream', ALL, {'type': 'RGBStream', **RGB}, None),
            ('RGBStream', None, {'type': 'RGBStream', **RGB}, None),
            ('SkeletonStream', ALL, {'type': 'SkeletonStream', **SKELETON}, None),
            ('SkeletonStream', SOME, {'type': 'SkeletonStream', **SKELETON}, None),
        ],
    )
    def test_follows_the_data(self, name, crops, wanted, said) -> None:
        stream, reason = choose_stream({'type': name, **SKELETON, 'rgb': RGB}, crops)
        assert stream == wanted
        assert (reason is None) == (said is None)
        assert said is None or said in str(reason)
        assert choose_stream(stream, crops) == (stream, None)

    @pytest.mark.parametrize(
        ('name', 'crops', 'count'), [('AutoStream', SOME, 1), ('RGBStream', SOME, 1), ('RGBStream', NONE, 5)]
    )
    def test_lacking_crops_are_named(self, name, crops, count) -> None:
        with pytest.raises(UserError, match=rf'{count} of 5 clips have no RGB crops .*nod/x\.mp4.*type=SkeletonStream'):
            choose_stream({'type': name, 'rgb': RGB}, crops)

    def test_no_stream_and_a_plain_rgb_config(self) -> None:
        assert choose_stream(None, ALL) == (None, None)
        plain = {'type': 'RGBStream', 'backbone': 'resnet34'}
        assert choose_stream(plain, ALL) == (plain, None)

    def test_model_says_what_it_chose_and_stores_it(self, capsys) -> None:
        config = {'type': 'BMoE', 'global_stream': {'type': 'AutoStream', **SKELETON, 'rgb': RGB}}
        facts = {'classes': ['a', 'b'], 'skeleton': 'coco17', 'coordinates': 2, 'rgb_crops': NONE}
        BMoE.complete_config(config, facts)
        assert config['global_stream'] == {'type': 'SkeletonStream', **SKELETON}
        assert capsys.readouterr().out == (
            'global stream: SkeletonStream (no RGB crops beside the tracks; extract with --save-rgb 224 to use them)\n'
        )

    def test_auto_without_data_is_refused(self) -> None:
        with pytest.raises(UserError, match="'AutoStream' is settled from the data"):
            BMoE(3, 'coco17', 2, global_stream={'type': 'AutoStream'})


class TestNames:
    def test_the_four_streams(self) -> None:
        assert stream_names() == ['AutoStream', 'FeatureStream', 'RGBStream', 'SkeletonStream']

    @pytest.mark.parametrize('name', ['SoundStream', 'BMoE', None, 3, 'PosePreprocessor'])
    def test_others_are_refused_with_the_options(self, name) -> None:
        with pytest.raises(UserError, match='unknown global stream .*AutoStream, FeatureStream, RGBStream, Skeleton'):
            stream_class({'type': name})

    @pytest.mark.parametrize(('kind', 'name'), [('rgb', 'RGBStream'), ('auto', 'AutoStream'), ('sound', 'NAME')])
    def test_the_old_word_is_refused_with_the_new(self, kind, name) -> None:
        for ask in (choose_stream, build_global_stream):
            with pytest.raises(UserError, match=f"kind='{kind}': .* named by type now: type='{name}'"):
                ask({'kind': kind, 'type': 'SkeletonStream'}, None)

    def test_a_name_alone_will_do(self) -> None:
        stream = build_global_stream('SkeletonStream', StreamFacts('coco17', 36, 8))
        assert type(stream).__name__ == 'SkeletonStream'
        assert build_global_stream(None, StreamFacts('coco17', 36, 8)) is None


def test_a_stream_of_ones_own_is_one_class() -> None:
    class Still(GlobalStream):
        """The same token at every step."""

        def __init__(self, out_dims: int, start: float = 0.0) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.full((out_dims,), start))

        def forward(self, batch, steps):
            return self.token.expand(len(batch.features), steps, -1), torch.ones(len(batch.features), steps).bool()

    MODELS.register_module(module=Still)
    try:
        model = small_model(global_stream={'type': 'Still', 'start': 1.0})
        model(random_inputs()).sum().backward()
        assert model.global_stream.token.grad.abs().sum() > 0
    finally:
        del MODELS.module_dict['Still']


@pytest.mark.parametrize('name', ['RGBStream', 'FeatureStream'])
def test_mixture_with_another_global_stream(name) -> None:
    own = {'RGBStream': RGB, 'FeatureStream': {'feature_channels': 6}}[name]
    torch.manual_seed(0)
    model = BMoE(3, 'coco17', 2, **{**SMALL, 'global_stream': {'type': name, **own}})
    inputs = random_inputs(cuts=2, persons=2)
    if name == 'RGBStream':
        inputs['rgb'] = torch.randn(2, 4, 3, 32, 32)
        inputs['rgb_seen'] = torch.tensor([[True] * 4, [True, True, False, False]])
    else:
        inputs['feature'] = torch.randn(2, 5, 6)
        inputs['feature_seen'] = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    losses = model(inputs, samples([0, 1]), mode='loss')
    assert 'loss_whole' in losses
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    model.eval()
    with torch.no_grad():
        together = model(inputs)
        alone = model({key: value[1:] for key, value in inputs.items()})
    torch.testing.assert_close(together[2:], alone, rtol=1e-4, atol=1e-4)
