# Emotion on AffectNet, eight classes; the official validation set is the test, as is the custom.
_base_ = ['_base_/joint.py']

model = dict(heads=dict(emotion=dict(label_smoothing=0.1)))

dataset = dict(type='AffectNet', data_root='data/affectnet', missing='skip')
held_out = dict(split='train', fractions=dict(train=0.98, val=0.02))
train_dataloader = dict(dataset=dict(**held_out, part='train'))
val_dataloader = dict(dataset=dict(**held_out, part='val'))
test_dataloader = dict(dataset=dict(split='val'))

default_hooks = dict(checkpoint=dict(save_best='emotion/balanced_accuracy'))
