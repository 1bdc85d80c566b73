# Race, gender and age on FairFace; validation is held out of train, since the official val is all the test there is.
_base_ = ['_base_/joint.py']

dataset = dict(type='FairFace', data_root='data/fairface')
held_out = dict(split='train', fractions=dict(train=0.95, val=0.05))
train_dataloader = dict(dataset=dict(**held_out, part='train'))
val_dataloader = dict(dataset=dict(**held_out, part='val'))
test_dataloader = dict(dataset=dict(split='val'))
test_evaluator = [
    dict(type='ClassificationMetric'),
    dict(type='FairnessMetric', columns=['gender', 'race', 'age'], intersections=[('gender', 'race')]),
]

default_hooks = dict(checkpoint=dict(save_best='gender/accuracy'))
