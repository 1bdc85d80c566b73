# B-MoE on SocialGesture, four-way; docs/benchmarks/socialgesture.md describes the table
#   gesture or none:  --cfg-options dataset.task=binary
#   localisation:     --cfg-options preset=localization
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

max_persons = 4  # of a clip whose initiator's box is not given
train_pipeline = dict(PackPose=dict(max_persons='${max_persons}'))
test_pipeline = dict(PackPose=dict(max_persons='${max_persons}'))

dataset = dict(
    type='SocialGestureDataset', tracks='data/socialgesture/poses', task='gesture', max_persons='${max_persons}'
)
train_dataloader = dict(batch_size=32, num_workers=4, dataset=dict(table='data/socialgesture/train.csv'))
val_dataloader = dict(batch_size=64, dataset=dict(table='data/socialgesture/val.csv'))
test_dataloader = dict(batch_size=64, dataset=dict(table='data/socialgesture/test.csv'))
default_hooks = dict(checkpoint=dict(save_best='top1'))

# tens of thousands of gestures in four classes. One GPU: as it stands. Eight GPUs: torchrun --nproc-per-node 8 ...
# --launcher pytorch --auto-scale-lr with train_dataloader.batch_size=4. CPU: --epochs 6.
model = dict(head=dict(loss=dict(balance='logit_adjusted', tau=0.5)))
max_epochs = 30
warmup_epochs = 2
train_cfg = dict(val_interval=1)
auto_scale_lr = dict(base_batch_size=32)

presets = dict(
    # windows that slide over each clip, scored as segments of the tables
    localization=dict(
        dataset=dict(task='localization', window=2.0, step=0.5),
        val_evaluator=dict(_delete_=True, type='LocalizationMetric', table='${val_dataloader.dataset.table}'),
        test_evaluator=dict(_delete_=True, type='LocalizationMetric', table='${test_dataloader.dataset.table}'),
        default_hooks=dict(checkpoint=dict(save_best='map')),
    ),
)
