# Emotion on FER2013's 48 x 48 grey faces (fer2013.csv, or <split>.npz); validation is held out of Training.
_base_ = ['_base_/joint.py']

# From scratch, with a stem and places kept (docs/appendix/results-faces.md says why). 73 is what VGG19 and ResNet18
# reach; with ImageNet's weights a transformer starts nearer to it:
# --cfg-options model.encoder.pretrained=true model.encoder.stem=null optim_wrapper.optimizer.lr=1e-4
model = dict(
    encoder=dict(name='vit_tiny_patch16_224', img_size=48, patch_size=4, stem=(64,), drop_path_rate=0.1),
    pool='flat',
    heads=dict(emotion=dict(label_smoothing=0.1)),  # the labels are noisy
    auxiliary=dict(
        kind='planes',  # as bits the pattern is learned, as one number it hardly is
        weights=dict(primary=0.5, auxiliary=0.5),  # at SSAT's 0.1 rare classes were learned worse (UTKFace)
    ),
)

train_pipeline = [
    dict(type='LoadFace'),
    dict(type='RandomResizedCrop', size=48, scale=(0.7, 1.0)),
    dict(type='RandomFlip'),
    dict(type='RandomRotation', degrees=10),
    dict(type='KeepTextureSource'),
    dict(type='ColorJitter', saturation=0.0),
    dict(type='Normalize'),
    dict(type='RandomErasing', scale=(0.02, 0.2)),  # at most a fifth: an emotion may be the mouth alone
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    dict(type='LoadFace'),
    dict(type='Resize', size=48),
    dict(type='Normalize'),
    dict(type='PackFaceInputs'),
]

dataset = dict(type='Fer2013', data_root='data/fer2013')
held_out = dict(split='Training', fractions=dict(train=0.9, val=0.1))
train_dataloader = dict(dataset=dict(**held_out, part='train', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**held_out, part='val', pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(split='PrivateTest', pipeline=test_pipeline))
test_evaluator = [dict(type='ClassificationMetric')]  # the set has no groups

max_epochs = 150  # a transformer from scratch on 26,000 small pictures is not done after 100
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=5e-4))  # a tiny model bears twice SSAT's rate
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]

default_hooks = dict(checkpoint=dict(save_best='emotion/accuracy'))
