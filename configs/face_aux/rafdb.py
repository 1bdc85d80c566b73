# Emotion on RAF-DB's basic part, reported by perceived gender, race and age.
_base_ = ['_base_/joint.py']

model = dict(heads=dict(emotion=dict(label_smoothing=0.1)))

dataset = dict(type='RafDb', data_root='data/rafdb')
held_out = dict(split='train', fractions=dict(train=0.9, val=0.1))
train_dataloader = dict(dataset=dict(**held_out, part='train'))
val_dataloader = dict(dataset=dict(**held_out, part='val'))
test_dataloader = dict(dataset=dict(split='test'))
test_evaluator = [
    dict(type='ClassificationMetric'),
    dict(type='FairnessMetric', intersections=[('gender', 'race')]),
]

default_hooks = dict(checkpoint=dict(save_best='emotion/accuracy'))
