# Emotion on FER2013's 48 x 48 grey faces (fer2013.csv, or <split>.npz); validation is held out of Training.
_base_ = ['_base_/joint.py']

model = dict(
    encoder=dict(name='vit_tiny_patch16_224', img_size=48, patch_size=6),
    pool='avg',
    heads=dict(emotion=dict(label_smoothing=0.1)),
)

train_pipeline = [
    dict(type='LoadFace'),
    dict(type='RandomResizedCrop', size=48, scale=(0.7, 1.0)),
    dict(type='RandomFlip'),
    dict(type='RandomRotation', degrees=10),
    dict(type='KeepTextureSource'),
    dict(type='ColorJitter', saturation=0.0),
    dict(type='Normalize'),
    dict(type='RandomErasing'),
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

default_hooks = dict(checkpoint=dict(save_best='emotion/accuracy'))
