# B-MoE on MPIIGroupInteraction: 14 behaviours, several at once, 64-frame windows; docs/benchmarks/mpii.md.
# Other places: --cfg-options dataset.tracks=FOLDER train_dataloader.dataset.ann_file=FILE.csv and so on.
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
train_cfg = dict(max_epochs=max_epochs, val_interval=1)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=1),
    dict(_base_.param_scheduler[1], begin=1, end=max_epochs),
]
auto_scale_lr = dict(base_batch_size=64)
