# Race, gender and age on FairFace; CelebA's forty attributes with --cfg-options preset=celeba
_base_ = ['_base_/joint.py']

# Validation is held out of train, since the official val is all the test there is.
dataset = dict(type='FairFace', data_root='data/fairface')
fractions = dict(train=0.95, val=0.05)
train_dataloader = dict(dataset=dict(split='train', fractions='${fractions}', part='train'))
val_dataloader = dict(dataset=dict(split='train', fractions='${fractions}', part='val'))
test_dataloader = dict(dataset=dict(split='val'))
test_evaluator = dict(
    FairnessMetric=dict(columns=['gender', 'race', 'age'], intersections=[('gender', 'race')]),
)

default_hooks = dict(checkpoint=dict(save_best='gender/accuracy'))

presets = dict(
    # each attribute a yes or no, on the official splits
    celeba=dict(
        dataset=dict(type='CelebA', data_root='data/celeba'),
        train_dataloader=dict(
            dataset=dict(
                _delete_=True,
                pipeline='${train_pipeline}',
                bad_images='skip',
                unlabelled='${unlabelled}',
                unlabelled_ratio='${unlabelled_ratio}',
                split='train',
            )
        ),
        val_dataloader=dict(dataset=dict(_delete_=True, pipeline='${test_pipeline}', test_mode=True, split='val')),
        test_dataloader=dict(dataset=dict(split='test')),
        test_evaluator=dict(
            FairnessMetric=dict(_delete_=True, columns=['gender', 'age', 'skin'], replicates=200),
        ),
        max_epochs=30,
        warmup_epochs=2,
        default_hooks=dict(checkpoint=dict(save_best='attributes/balanced_accuracy')),
    ),
)
