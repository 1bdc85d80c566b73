# Emotion on AffectNet, eight classes; on RAF-DB's basic part with --cfg-options preset=rafdb
_base_ = ['_base_/joint.py']

model = dict(heads=dict(emotion=dict(label_smoothing=0.1)))

# The official validation set is the test, as is the custom.
dataset = dict(type='AffectNet', data_root='data/affectnet', missing='skip')
fractions = dict(train=0.98, val=0.02)
train_dataloader = dict(dataset=dict(split='train', fractions='${fractions}', part='train'))
val_dataloader = dict(dataset=dict(split='train', fractions='${fractions}', part='val'))
test_dataloader = dict(dataset=dict(split='val'))

default_hooks = dict(checkpoint=dict(save_best='emotion/balanced_accuracy'))

presets = dict(
    # reported by perceived gender, race and age
    rafdb=dict(
        dataset=dict(_delete_=True, type='RafDb', data_root='data/rafdb'),
        fractions=dict(train=0.9, val=0.1),
        test_dataloader=dict(dataset=dict(split='test')),
        test_evaluator=dict(FairnessMetric=dict(intersections=[('gender', 'race')])),
        default_hooks=dict(checkpoint=dict(save_best='emotion/accuracy')),
    ),
)
