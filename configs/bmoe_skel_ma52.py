# B-MoE on MA-52 with PCAN's 28 keypoints; docs/benchmarks/ma52.md says where the files come from
# Elsewhere: --cfg-options dataset.data_root=FOLDER. MMN's 44 keypoints: dataset.poses={split}_data.pkl
# Our own tracks: dataset.poses=poses/{split}
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

dataset = dict(type='MA52Dataset', data_root='data/ma52', poses='MA52_{split}.pkl')
train_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(split='train'))
val_dataloader = dict(batch_size=256, dataset=dict(split='val'))
test_dataloader = dict(batch_size=256, dataset=dict(split='test'))
# body='own' scores the body-level classifier instead of the body part of the predicted action
val_evaluator = dict(type='MicroActionMetric', body='action')
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='f1_mean'))

# Classes have from 6 to 1,283 training clips. Half of F1_mean is micro and half macro, so that the logits are moved by
# half of the log prior only; balance='class_balanced' weighs the classes instead, None leaves the tail alone.
model = dict(
    # RGB where the tracks have stored crops of every clip, else the whole skeleton
    global_stream=dict(type='AutoStream', rgb=dict(backbone='resnet18', frames='${rgb_frames}', pretrained=None)),
    head=dict(
        drop=0.2,
        body_mode='own',
        tree_weight=0.5,
        loss=dict(label_smoothing=0.1, balance='logit_adjusted', tau=0.5),
        # word vectors of the class names, with MANet's weight of 50: data/ma52/label_embeddings_300d.npy
        label_embeddings=None,
    ),
)
presets = dict(stage1=dict(dataset=dict(crops=False)))
stage1_dir = 'work_dirs/ma52_stage1'

# 11,250 clips: 176 steps an epoch. One GPU: as it stands. Eight GPUs: torchrun --nproc-per-node 8 ... --launcher
# pytorch --auto-scale-lr with train_dataloader.batch_size=16. CPU: --epochs 12.
max_epochs = 50
warmup_epochs = 3
train_cfg = dict(val_interval=2)
auto_scale_lr = dict(base_batch_size=64)
