# B-MoE on SocialGesture, four-way; docs/benchmarks/socialgesture.md describes the table.
#   gesture or none:  --cfg-options dataset.task=binary
#   localisation:     configs/bmoe_skel_socialgesture_localization.py
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

max_persons = 4  # of a clip whose initiator's box is not given
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackPose', max_persons=max_persons)]
test_pipeline = [*_base_.test_pipeline[:-1], dict(type='PackPose', max_persons=max_persons)]

dataset = dict(type='SocialGestureDataset', tracks='data/socialgesture/poses', task='gesture', max_persons=max_persons)
train_dataloader = dict(
    batch_size=32, num_workers=4, dataset=dict(table='data/socialgesture/train.csv', pipeline=train_pipeline)
)
val_dataloader = dict(batch_size=64, dataset=dict(table='data/socialgesture/val.csv', pipeline=test_pipeline))
test_dataloader = dict(batch_size=64, dataset=dict(table='data/socialgesture/test.csv', pipeline=test_pipeline))
default_hooks = dict(checkpoint=dict(save_best='top1'))

# tens of thousands of gestures in four classes. One GPU: as it stands. Eight GPUs: torchrun --nproc-per-node 8 ...
# --launcher pytorch --auto-scale-lr with train_dataloader.batch_size=4. CPU: --epochs 6.
model = dict(head=dict(loss=dict(balance='logit_adjusted', tau=0.5)))
max_epochs = 30
train_cfg = dict(max_epochs=max_epochs, val_interval=1)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=2),
    dict(_base_.param_scheduler[1], begin=2, end=max_epochs),
]
auto_scale_lr = dict(base_batch_size=32)
