# CelebA's forty attributes, each a yes or no, on the official splits.
_base_ = ['_base_/joint.py']

dataset = dict(type='CelebA', data_root='data/celeba')
train_dataloader = dict(dataset=dict(split='train'))
val_dataloader = dict(dataset=dict(split='val'))
test_dataloader = dict(dataset=dict(split='test'))
test_evaluator = [
    dict(type='ClassificationMetric'),
    dict(type='FairnessMetric', columns=['gender', 'age', 'skin'], replicates=200),
]

max_epochs = 30
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=2),
    dict(_base_.param_scheduler[1], begin=2, end=max_epochs),
]
default_hooks = dict(checkpoint=dict(save_best='attributes/balanced_accuracy'))
