# The mixture and its training recipe. Class count, skeleton and coordinates are taken from the data.
#
# Two stages, with any config below: first the expert of each region alone (head, body, upper, lower; or whole)
#   for region in head body upper lower; do
#     python tools/train.py CONFIG --cfg-options preset=stage1 model.region=$region --work-dir work_dirs/stage1/$region
#   done
# then the mixture that starts from the four (stage1_dir says where they lie; an expert set to null starts anew)
#   python tools/train.py CONFIG --cfg-options preset=stage2
# Both stages must have the same training clips (same tracks, annotations, split_seed): an expert that saw clips of
# the second stage's validation or test would leak them, and is refused.
num_frames = 64
rgb_frames = 8  # read only where the global stream is RGB
stage1_dir = 'work_dirs/stage1'

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

presets = dict(
    stage1=dict(
        model=dict(
            _delete_=True,
            type='RegionRecognizer',
            region='upper',
            num_classes=None,
            skeleton=None,
            coordinates=None,
            dims='${_base_.model.dims}',
            expert='${_base_.model.expert}',
            drop_path='${_base_.model.drop_path}',
            head='${_base_.model.head}',
        ),
    ),
    stage2=dict(
        custom_hooks=dict(
            init_experts=dict(
                type='InitExpertsHook',
                head='${stage1_dir}/head/epoch_${max_epochs}.pth',
                body='${stage1_dir}/body/epoch_${max_epochs}.pth',
                upper='${stage1_dir}/upper/epoch_${max_epochs}.pth',
                lower='${stage1_dir}/lower/epoch_${max_epochs}.pth',
            ),
        ),
    ),
    # From the model that comes with the package: its layout and sizes, and a lower rate for what it has learnt. For
    # few clips; any layout of keypoints. Some parts as they are: start_from.frozen=['experts']
    from_box=dict(
        num_frames=32,
        dataset=dict(layout='common29'),
        model=dict(
            dims=64,
            expert=dict(dims=(24, 32)),
            global_stream=dict(_delete_=True, type='SkeletonStream', dims=(32, 48), depths=(1, 1), m3e=dict(depth=1)),
        ),
        train_pipeline=dict(NormalizePose=dict(min_score=0.3), LoadCrops=None),
        test_pipeline=dict(NormalizePose=dict(min_score=0.3), LoadCrops=None),
        optim_wrapper=dict(
            optimizer=dict(lr=5e-4),
            paramwise_cfg=dict(custom_keys={'head.classifier': dict(lr_mult=4.0)}),
        ),
        custom_hooks=dict(start_from=dict(type='StartFromHook')),
    ),
)

train_pipeline = dict(
    NormalizePose=dict(),
    SampleFrames=dict(num_frames='${num_frames}', crop=(0.5, 1.0)),
    RandomAffine=dict(rotation=0.3, yaw=0.6, tilt=0.1, scale=0.15, stretch=0.1, shear=0.1),
    RandomJitter=dict(joint=0.02, frame=0.005),
    DropJoints=dict(joint_clip_prob=0.2, joint_prob=0.1, region_prob=0.1),
    LoadCrops=dict(frames='${rgb_frames}', size=112, optional=True),
    PackPose=dict(),
)
test_pipeline = dict(
    NormalizePose=dict(),
    SampleFrames=dict(num_frames='${num_frames}', random=False),
    LoadCrops=dict(frames='${rgb_frames}', size=112, random=False, optional=True),
    PackPose=dict(),
)

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline='${train_pipeline}'),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline='${test_pipeline}', test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='ActionMetric')
test_evaluator = val_evaluator

max_epochs = 60
warmup_epochs = 5
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='${max_epochs}', val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=2.0),
)
param_scheduler = dict(
    LinearLR=dict(start_factor=0.01, by_epoch=True, begin=0, end='${warmup_epochs}', convert_to_iter_based=True),
    CosineAnnealingLR=dict(
        by_epoch=True,
        begin='${warmup_epochs}',
        end='${max_epochs}',
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
)
auto_scale_lr = dict(enable=False, base_batch_size=16)
