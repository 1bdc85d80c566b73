from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from bmoe_ground.errors import UserError
from face_aux.models import TextureJointModel, Variant
from face_aux.models.targets import denormalize, normalize
from face_aux.registry import MODELS
from face_aux.structures import FaceSample

timm = importlib.import_module('timm')  # after the import cures that come with face_aux

ENCODER = {'name': 'vit_tiny_patch16_224', 'img_size': 24, 'patch_size': 6, 'embed_dim': 48, 'depth': 2, 'num_heads': 4}
HEADS = {'sex': {'num_classes': 2}, 'look': {'num_classes': 3, 'type': 'multi_label'}}
DECODER = {'dim': 32, 'depth': 1, 'heads': 4}
VARIANTS = [
    'MRGB/RLDP/CRGB',
    'MRGB/RLBP/CRGB',
    'MRGB/RRGB/CRGB',
    'MLDP/RRGB/CRGB',
    'MLDP/RLDP/CLDP',
    'MRGB/RRGB+LDP/CRGB',
]


def model(auxiliary: dict | None = None, seed: int = 0, **options: Any) -> TextureJointModel:
    torch.manual_seed(seed)
    return TextureJointModel(
        encoder={**ENCODER, **options.pop('encoder', {})},
        heads=options.pop('heads', HEADS),
        auxiliary=None if auxiliary is None else {'decoder': DECODER, **auxiliary},
        **options,
    )


def batch(size: int = 4, frames: int | None = None) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    shape = (size, 3, 24, 24) if frames is None else (size, 3, frames, 24, 24)
    labels = [{'sex': i % 2, 'look': torch.tensor([1.0, 0.0, -1.0])} for i in range(size)]
    return {
        'inputs': torch.randn(shape, generator=generator),
        'texture_source': torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator),
        'data_samples': [FaceSample(gt=gt) for gt in labels],
    }


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return sum(value for name, value in losses.items() if 'loss' in name)


@pytest.mark.parametrize('weights', ['fixed', 'uncertainty'])
@pytest.mark.parametrize('kind', ['codes', 'planes', 'kirsch', 'histogram'])
@pytest.mark.parametrize('variant', VARIANTS)
def test_gradient_reaches_every_parameter(variant: str, kind: str, weights: str) -> None:
    """DDP needs it too: a parameter without a gradient would stop it."""
    if kind == 'kirsch' and 'RLBP' in variant:
        pytest.skip('Kirsch responses belong to edge patterns')
    joint = model({'kind': kind, 'weights': {'type': weights}}, variant=variant)
    total(joint(**batch(), mode='loss')).backward()
    without = [n for n, p in joint.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert without == []
    assert all(p.grad.isfinite().all() for p in joint.parameters() if p.grad is not None)


@pytest.mark.parametrize('pool', ['token', 'avg', 'flat'])
def test_gradient_reaches_every_parameter_of_the_baseline(pool: str) -> None:
    joint = model(pool=pool)
    losses = joint(**batch(), mode='loss')
    assert set(losses) == {'loss_primary', 'sex', 'look'}
    losses['loss_primary'].backward()
    assert all(p.grad is not None and p.grad.any() for p in joint.parameters() if p.requires_grad)


def test_losses_are_weighed_and_logged_unweighted() -> None:
    losses = model({}, variant='MRGB/RRGB+LDP/CRGB')(**batch(), mode='loss')
    assert set(losses) == {'loss_primary', 'loss_auxiliary', 'sex', 'look', 'reconstruct_RGB', 'reconstruct_LDP'}
    torch.testing.assert_close(losses['loss_primary'].detach(), 0.1 * (losses['sex'] + losses['look']) / 2)
    torch.testing.assert_close(
        losses['loss_auxiliary'].detach(), 0.9 * (losses['reconstruct_RGB'] + losses['reconstruct_LDP']) / 2
    )
    assert not losses['sex'].requires_grad


def test_primary_loss_and_prediction_are_the_baselines() -> None:
    """The auxiliary task adds a pass; it does not touch the first one."""
    joint, plain = model({}), model()
    plain.load_state_dict({k: v for k, v in joint.state_dict().items() if not k.startswith('auxiliary.')})
    data = batch()
    assert torch.equal(joint(**data, mode='loss')['sex'], plain(**data, mode='loss')['sex'])
    assert torch.equal(joint.eval()(data['inputs'])['sex'], plain.eval()(data['inputs'])['sex'])


@pytest.mark.parametrize('name', ['vit_tiny_patch16_224', 'vit_small_patch16_224'])
def test_prediction_costs_what_the_plain_transformer_costs(name: str) -> None:
    joint = TextureJointModel({'name': name}, {'sex': {'num_classes': 7}}, {}, variant='MRGB/RLDP/CRGB').eval()
    plain = timm.create_model(name, num_classes=7).eval()
    image = torch.randn(1, 3, 224, 224)
    counts = []
    for run in (lambda: joint.predict(image), lambda: plain(image)):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            run()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 1e9
    assert sum(p.numel() for p in joint.remove_auxiliary().parameters()) == sum(p.numel() for p in plain.parameters())
    assert not any('auxiliary' in key for key in joint.state_dict())


def test_prediction_equals_timm() -> None:
    joint = model(heads={'sex': {'num_classes': 2}}, encoder={'pos_embed': 'learned'}).eval()
    options = {'model_name' if key == 'name' else key: value for key, value in ENCODER.items()}
    plain = timm.create_model(**options, num_classes=2).eval()
    state = {key.removeprefix('encoder.vit.'): value for key, value in joint.state_dict().items()}
    state = {key.replace('heads.sex.fc', 'head'): value for key, value in state.items()}
    plain.load_state_dict(state)
    inputs = batch()['inputs']
    samples = joint(inputs, mode='predict')
    expected = plain(inputs).softmax(dim=-1)
    torch.testing.assert_close(torch.stack([sample.scores['sex'] for sample in samples]), expected)
    assert [sample.pred['sex'] for sample in samples] == expected.argmax(dim=-1).tolist()
    features = joint.forward_features(inputs)
    torch.testing.assert_close(features, plain.forward_features(inputs))
    torch.testing.assert_close(joint.forward_head(features, pre_logits=True), plain.forward_head(features, True))


def test_targets_come_from_the_source_and_not_from_the_inputs() -> None:
    joint = model({'kind': 'codes'})
    data = batch()

    def auxiliary_target(**changes: torch.Tensor) -> torch.Tensor:
        seen = []
        target = joint.auxiliary.targets['LDP']
        original = target.loss
        target.loss = lambda predicted, truth, mask: seen.append(truth) or original(predicted, truth, mask)
        joint(**{**data, **changes}, mode='loss')
        target.loss = original
        return seen[0]

    plain = auxiliary_target()
    assert torch.equal(auxiliary_target(inputs=data['inputs'] * 3 + 1), plain)
    assert not torch.equal(auxiliary_target(texture_source=data['texture_source'].flip(-1)), plain)
    assert torch.equal(
        plain, joint.auxiliary.targets['LDP'].patches(data['texture_source'][:, :, None], joint.encoder.patch)
    )


def unlabelled(size: int = 3, frames: int | None = None) -> dict[str, Any]:
    shape = (size, 2, 3, 24, 24) if frames is None else (size, 2, 3, frames, 24, 24)
    generator = torch.Generator().manual_seed(5)
    return {
        'unlabelled_inputs': torch.randn(shape, generator=generator),
        'unlabelled_source': torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator),
    }


@pytest.mark.parametrize('frames', [None, 4], ids=['image', 'clip'])
@pytest.mark.parametrize('variant', ['MRGB/RRGB+LDP/CRGB', 'MLDP/RLBP/CRGB'])
def test_unlabelled_faces_join_the_masked_pass_alone(variant: str, frames: int | None) -> None:
    """The losses are those that the parts of the model give by hand."""
    joint = model({'kind': 'planes'}, variant=variant, encoder={} if frames is None else {'frames': 4, 'tubelet': 2})
    data, more = batch(frames=frames), unlabelled(frames=frames)
    torch.manual_seed(1)
    losses = joint(**data, **more, mode='loss')
    assert torch.equal(losses['sex'], joint(**data, mode='loss')['sex'])
    inputs = torch.cat([data['inputs'], *more['unlabelled_inputs']])
    source = torch.cat([data['texture_source'], *more['unlabelled_source']])
    torch.manual_seed(1)
    mask = joint.auxiliary.draw_mask(4 + 6, torch.device('cpu'))
    clip = source if frames else source[:, :, None]
    if variant.startswith('MLDP'):
        inputs = normalize(joint.patterns['LDP'].image(clip) * 255, joint.mean, joint.std).reshape(inputs.shape)
    predicted = joint.auxiliary.decoder(joint.encoder(inputs, mask), mask)
    for name, target in joint.auxiliary.targets.items():
        truth = target.patches(clip, joint.encoder.patch)
        error = (predicted[name] - truth).square() if name == 'RGB' else F.binary_cross_entropy_with_logits(
            predicted[name], truth, reduction='none'
        )  # fmt: skip
        torch.testing.assert_close(losses[f'reconstruct_{name}'], error.mean(dim=-1)[mask].mean())


def test_unlabelled_faces_leave_the_heads_alone() -> None:
    joint = model({})
    gradients = []
    for more in ({}, unlabelled()):
        joint.zero_grad()
        torch.manual_seed(1)
        total(joint(**batch(), **more, mode='loss')).backward()
        gradients.append([p.grad.clone() for p in joint.heads.parameters()])
        encoder = joint.encoder.vit.patch_embed.proj.weight.grad.clone()
        gradients[-1].append(encoder)
    heads, with_more = gradients
    assert all(torch.equal(a, b) for a, b in zip(heads[:-1], with_more[:-1], strict=True))
    assert not torch.equal(heads[-1], with_more[-1])
    with pytest.raises(UserError, match='unlabelled=null'):
        model()(**batch(), **unlabelled(), mode='loss')
    with pytest.raises(UserError, match='KeepTextureSource'):
        joint(**batch(), unlabelled_inputs=unlabelled()['unlabelled_inputs'], mode='loss')


def test_missing_source_says_where_it_comes_from() -> None:
    data = batch()
    del data['texture_source']
    with pytest.raises(UserError, match='KeepTextureSource'):
        model({})(**data, mode='loss')
    assert torch.isfinite(model()(**data, mode='loss')['loss_primary'])


def test_the_seed_decides_the_losses() -> None:
    joint = model({})
    values = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        values.append(float(joint(**batch(), mode='loss')['loss_auxiliary'].detach()))
    assert values[0] == values[1] != values[2]


def test_pattern_input_is_regained_from_normalised_pixels_in_a_test() -> None:
    joint = model(variant='MLDP/RRGB/CLDP').eval()
    source = batch()['texture_source']
    inputs = normalize(source[:, :, None], joint.mean, joint.std)[:, :, 0]
    with_source = joint(inputs, texture_source=source)['sex']
    assert torch.equal(joint(inputs)['sex'], with_source)
    assert not torch.equal(model(variant='MRGB/RRGB/CRGB').eval()(inputs)['sex'], with_source)


def test_clips() -> None:
    joint = model({'kind': 'planes', 'mask_ratio': 0.75}, encoder={'frames': 4, 'tubelet': 2})
    data = batch(2, frames=4)
    losses = joint(**data, mode='loss')
    total(losses).backward()
    assert all(p.grad is not None and p.grad.any() for p in joint.parameters() if p.requires_grad)
    mask = joint.auxiliary.draw_mask(2, torch.device('cpu')).view(2, 2, 16)
    assert (mask[:, 0] == mask[:, 1]).all()
    assert joint.predict(data['inputs'])[0].scores['sex'].shape == (2,)
    with pytest.raises(ValueError, match='inputs must be'):
        joint(batch(2)['inputs'])


@pytest.mark.parametrize('norm_pix', [False, True])
@pytest.mark.parametrize('kind', ['codes', 'planes', 'kirsch'])
def test_reconstructions_show_the_target_where_it_was_visible(kind: str, norm_pix: bool) -> None:
    joint = model({'kind': kind, 'norm_pix': norm_pix}, variant='MRGB/RRGB+LDP/CRGB').eval()
    data = batch(2)
    pictures = joint.reconstruct(data['inputs'], data['texture_source'])
    assert torch.equal(pictures.image[:, :, 0], data['texture_source'])
    assert set(pictures.shown) == {'RGB', 'LDP'}
    hidden = pictures.mask.view(2, 1, 1, 4, 4).repeat_interleave(6, 3).repeat_interleave(6, 4)
    for truth, shown in pictures.shown.values():
        differs = (truth != shown).any(dim=1, keepdim=True)
        assert not differs[~hidden].any()
        assert differs[hidden].float().mean() > 0.9
    assert torch.equal(denormalize(pictures.shown['RGB'][0], joint.mean, joint.std)[:, :, 0], data['texture_source'])
    with pytest.raises(ValueError, match='no auxiliary'):
        model().reconstruct(data['inputs'])


def test_pooled_shrunk_and_block_masked_targets_train_and_show() -> None:
    options = {'kind': 'planes', 'shrink': 2, 'mask': 'block', 'mask_ratio': 0.5, 'cells': 3}
    joint = model(options, variant='MRGB/RHOG+LDP/CRGB')
    losses = joint(**batch(), mode='loss')
    total(losses).backward()
    assert all(p.grad is not None and p.grad.any() for p in joint.parameters() if p.requires_grad)
    assert joint.auxiliary.decoder.heads['HOG'].out_features == 9 * 9
    assert joint.auxiliary.decoder.heads['LDP'].out_features == 8 * 3 * 3
    pictures = joint.eval().reconstruct(batch()['inputs'], batch()['texture_source'])
    truth, _ = pictures.shown['LDP']
    assert set(pictures.shown) == {'LDP'}
    assert truth.shape == (4, 8, 1, 24, 24)
    assert torch.equal(truth[..., ::2, ::2], truth[..., 1::2, 1::2])


def test_autocast_stays_finite_and_close() -> None:
    joint = model({'kind': 'planes'})
    torch.manual_seed(1)
    exact = joint(**batch(), mode='loss')
    torch.manual_seed(1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = joint(**batch(), mode='loss')
    for name, value in exact.items():
        assert half[name].dtype == torch.float32
        torch.testing.assert_close(half[name].detach(), value.detach(), rtol=0.03, atol=0.01)


def test_grad_checkpointing_changes_nothing_but_memory() -> None:
    gradients = []
    for enable in (False, True):
        joint = model({})
        joint.set_grad_checkpointing(enable)
        torch.manual_seed(1)
        total(joint(**batch(), mode='loss')).backward()
        gradients.append(joint.encoder.vit.patch_embed.proj.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_config_is_completed_from_the_data() -> None:
    tasks = {'sex': {'classes': ['m', 'f'], 'multi_label': False}, 'look': {'classes': ['a', 'b'], 'multi_label': True}}
    config: dict[str, Any] = {'type': 'face_aux.TextureJointModel', 'encoder': ENCODER, 'heads': None}
    TextureJointModel.complete_config(config, {'tasks': tasks})
    built = MODELS.build(config)
    assert built.heads['sex'].classes == ['m', 'f']
    assert built.heads['look'].multi_label
    config = {'heads': {'sex': {'label_smoothing': 0.1}}}
    TextureJointModel.complete_config(config, {'tasks': tasks})
    assert config['heads'] == {'sex': {'label_smoothing': 0.1, 'classes': ['m', 'f'], 'type': 'multi_class'}}
    with pytest.raises(UserError, match=r"heads.sex.classes is \['f', 'm'\]"):
        TextureJointModel.complete_config({'heads': {'sex': {'classes': ['f', 'm']}}}, {'tasks': tasks})
    with pytest.raises(UserError, match='heads.age: the data have no such task'):
        TextureJointModel.complete_config({'heads': {'age': {}}}, {'tasks': tasks})


def test_variants() -> None:
    assert Variant.parse('MRGB/RLDP/CRGB') == ('RGB', ('LDP',), 'RGB')
    assert Variant.parse('MLBP/RRGB+LBP/CLDN') == ('LBP', ('RGB', 'LBP'), 'LDN')
    assert Variant.parse('MRGB/RHOG+LDP/CRGB').reconstructed == ('HOG', 'LDP')
    for wrong in (
        'RGB',
        'MHOG/RRGB/CRGB',
        'MRGB/RLDP/CHOG',
        'MRGB/RRGB+RGB/CRGB',
        'MRGB/RLDP',
        'mrgb/rldp/crgb',
        'MRGB/RLDP/CRGB/',
    ):
        with pytest.raises(UserError, match='is not understood'):
            Variant.parse(wrong)


def test_wrong_descriptions_are_named() -> None:
    with pytest.raises(UserError, match="pool must be one of .*'max'"):
        model(pool='max')
    with pytest.raises(UserError, match='auxiliary: .*mask_rato'):
        model({'mask_rato': 0.5})
    with pytest.raises(UserError, match="auxiliary.mask must be one of .*'blocks'"):
        model({'mask': 'blocks'})
    with pytest.raises(ValueError, match="'tensor', 'loss' or 'predict'"):
        model()(batch()['inputs'], mode='train')
