# Gender and race on UTKFace chips, reported by perceived gender, race and age; the set has no official split.
_base_ = ['_base_/joint.py']

# 96 pixels show what these two tasks need, at a fifth of the cost of 224. From a few thousand images the stem and the
# pool that keeps places learn what plain patches and the class token do not (docs/appendix/results-faces.md). With
# ImageNet's weights instead:
# --cfg-options model.encoder.pretrained=true model.encoder.stem=null optim_wrapper.optimizer.lr=1e-4
size = 96  # height and width of the input
model = dict(
    encoder=dict(name='vit_tiny_patch16_224', img_size='${size}', patch_size=8, stem=(32, 64), drop_path_rate=0.1),
    pool='flat',
    auxiliary=dict(
        kind='planes',  # as bits the pattern is learned, as one number it hardly is
        weights=dict(primary=0.5, auxiliary=0.5),  # at SSAT's 0.1 rare classes were learned worse
    ),
)

train_pipeline = dict(
    # the chips are aligned, and gender is in hair and chin as well: a crop of less than 0.7 would cut them off
    RandomResizedCrop=dict(size='${size}', scale=(0.7, 1.0), ratio=(0.9, 1.1)),
    RandomRotation=dict(degrees=5, _after_='RandomFlip'),
)
test_pipeline = dict(Resize=dict(size='${size}'), CenterCrop=dict(size='${size}'))

dataset = dict(
    type='UTKFace',
    data_root='data/utkface',
    tasks=['gender', 'race'],
    fractions=dict(train=0.7, val=0.1, test=0.2),
    stratify=['gender', 'race'],
)
train_dataloader = dict(dataset=dict(part='train'))
val_dataloader = dict(dataset=dict(part='val'))
test_dataloader = dict(dataset=dict(part='test'))
test_evaluator = dict(
    FairnessMetric=dict(columns=['gender', 'race', 'age'], intersections=[('gender', 'race')]),
)

optim_wrapper = dict(optimizer=dict(lr=5e-4))  # a tiny model on few images bears twice SSAT's rate

default_hooks = dict(checkpoint=dict(save_best='gender/accuracy'))

presets = dict(
    # the checkpoint whose worst group is best
    worst_group=dict(
        val_evaluator=dict(FairnessMetric=dict(columns=['gender', 'race'], replicates=0)),
        default_hooks=dict(checkpoint=dict(save_best='gender/worst_group')),
    ),
    # and every gender of every race drawn as often (docs/guides/fairness.md)
    balanced=dict(
        train_dataloader=dict(sampler=dict(_delete_=True, type='BalancedSampler', by=['gender', 'race'])),
        val_evaluator=dict(FairnessMetric=dict(columns=['gender', 'race'], replicates=0)),
        default_hooks=dict(checkpoint=dict(save_best='gender/worst_group')),
    ),
)
