# Gender and race on UTKFace chips, reported by perceived gender, race and age; the set has no official split.
_base_ = ['_base_/joint.py']

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
test_evaluator = [
    dict(type='ClassificationMetric'),
    dict(type='FairnessMetric', columns=['gender', 'race', 'age'], intersections=[('gender', 'race')]),
]

default_hooks = dict(checkpoint=dict(save_best='gender/accuracy'))
