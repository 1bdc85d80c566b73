# The mixture and its training recipe. Class count, skeleton and coordinates are taken from the data.
num_frames = 64
rgb_frames = 8  # read only where the global stream is RGB

model = dict(
    type='BMoE',
    num_classes=None,
    skeleton=None,
    coordinates=None,
    dims=96,
    expert=dict(dims=(48, 64), depths=(1, 1), m3e=dict(depth=1)),
    global_stream=dict(type='SkeletonStream', dims=(64, 96), depths=(1, 2), m3e=dict(depth=1)),
    router=dict(kind='attention', top_k=None, fusion_depth=1),
    head=dict(drop=0.2, side_weight=0.2, loss=dict(label_smoothing=0.1)),
    drop_path=0.1,
)

train_pipeline = [
    dict(type='NormalizePose'),
    dict(type='SampleFrames', num_frames=num_frames, crop=(0.5, 1.0)),
    dict(type='RandomAffine', rotation=0.3, yaw=0.6, tilt=0.1, scale=0.15, stretch=0.1, shear=0.1),
    dict(type='RandomJitter', joint=0.02, frame=0.005),
    dict(type='DropJoints', joint_clip_prob=0.2, joint_prob=0.1, region_prob=0.1),
    dict(type='LoadCrops', frames=rgb_frames, size=112, optional=True),
    dict(type='PackPose'),
]
test_pipeline = [
    dict(type='NormalizePose'),
    dict(type='SampleFrames', num_frames=num_frames, random=False),
    dict(type='LoadCrops', frames=rgb_frames, size=112, random=False, optional=True),
    dict(type='PackPose'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='ActionMetric')
test_evaluator = val_evaluator

max_epochs = 60
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=2.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=5,
        end=max_epochs,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
