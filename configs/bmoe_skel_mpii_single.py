# B-MoE on the single-label variant of MPIIGroupInteraction: 19 names, lists "clip label", one track file a clip.
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

classes = [
    *('Adjusting Clothing', 'Fold Arms', 'Fumble', 'Gesture', 'Groom', 'Hand-face', 'Hand-mouth'),
    *('Lean Towards Straight', 'Leg Movement', 'Legs Crossed', 'Scratch', 'Settle', 'Shrug', 'Smearing Hands'),
    *('Stretching', 'Relax', 'Crouch', 'Lean Left', 'Lean Right'),
]
# region group of each class: 0 head, 1 body, 2 upper, 3 lower
body_parts = [2, 2, 2, 2, 0, 0, 0, 1, 3, 3, 2, 1, 1, 2, 1, 1, 3, 1, 1]

dataset = dict(
    type='TrackDataset',
    tracks='data/mpii/clips',
    classes=classes,
    crops=False,
    metainfo=dict(body_parts=body_parts, body_part_names=['head', 'body', 'upper', 'lower']),
)
train_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(ann_file='data/mpii/train_list.txt'))
val_dataloader = dict(batch_size=256, dataset=dict(ann_file='data/mpii/val_list.txt'))
test_dataloader = val_dataloader
val_evaluator = dict(type='MicroActionMetric', body_of_action=body_parts)
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='f1_mean'))
model = dict(head=dict(body_mode='own', loss=dict(balance='logit_adjusted', tau=0.5)))
auto_scale_lr = dict(base_batch_size=64)
