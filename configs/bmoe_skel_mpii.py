# B-MoE on MPIIGroupInteraction: 14 behaviours, several at once, 64-frame windows; docs/benchmarks/mpii.md
# Other places: --cfg-options dataset.tracks=FOLDER train_dataloader.dataset.ann_file=FILE.csv and so on.
# The variant of 19 names, one a clip (lists "clip label", one track file a clip): --cfg-options preset=single
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

dataset = dict(type='MPIIGroupInteraction', tracks='data/mpii/poses')
train_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(ann_file='data/mpii/train_samples.csv'))
val_dataloader = dict(batch_size=256, dataset=dict(ann_file='data/mpii/val_samples.csv'))
test_dataloader = val_dataloader
val_evaluator = dict(type='MultiLabelMetric')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='mean_ap'))

# Positives are from below 1 % to 40 % of the windows; binary cross-entropy moved by the log prior of each class.
# A group of neighbouring windows is one motion: fewer epochs than clips that are cut once.
model = dict(head=dict(drop=0.3, loss=dict(label_smoothing=0.0, balance='logit_adjusted', tau=0.5)))

# 29,955 windows: 469 steps an epoch. One GPU: as it stands. Eight GPUs: torchrun --nproc-per-node 8 ... --launcher
# pytorch --auto-scale-lr with train_dataloader.batch_size=16. CPU: --epochs 6.
max_epochs = 20
warmup_epochs = 1
train_cfg = dict(val_interval=1)
auto_scale_lr = dict(base_batch_size=64)

presets = dict(
    single=dict(
        classes=[
            *('Adjusting Clothing', 'Fold Arms', 'Fumble', 'Gesture', 'Groom', 'Hand-face', 'Hand-mouth'),
            *('Lean Towards Straight', 'Leg Movement', 'Legs Crossed', 'Scratch', 'Settle', 'Shrug', 'Smearing Hands'),
            *('Stretching', 'Relax', 'Crouch', 'Lean Left', 'Lean Right'),
        ],
        # region group of each class: 0 head, 1 body, 2 upper, 3 lower
        body_parts=[2, 2, 2, 2, 0, 0, 0, 1, 3, 3, 2, 1, 1, 2, 1, 1, 3, 1, 1],
        dataset=dict(
            _delete_=True,
            type='TrackDataset',
            tracks='data/mpii/clips',
            classes='${classes}',
            crops=False,
            metainfo=dict(body_parts='${body_parts}', body_part_names=['head', 'body', 'upper', 'lower']),
        ),
        train_dataloader=dict(dataset=dict(ann_file='data/mpii/train_list.txt')),
        val_dataloader=dict(dataset=dict(ann_file='data/mpii/val_list.txt')),
        test_dataloader=dict(dataset=dict(ann_file='data/mpii/val_list.txt')),
        val_evaluator=dict(type='MicroActionMetric', body_of_action='${body_parts}'),
        test_evaluator=dict(type='MicroActionMetric', body_of_action='${body_parts}'),
        default_hooks=dict(checkpoint=dict(save_best='f1_mean')),
        model=dict(head=dict(drop=0.2, body_mode='own', loss=dict(label_smoothing=0.1))),
        max_epochs=60,
        warmup_epochs=5,
        train_cfg=dict(val_interval=5),
    ),
)
