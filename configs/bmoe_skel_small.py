# The same model, narrower and on half the frames: for a few hundred clips, or for a CPU. `make demo` trains it.
_base_ = ['bmoe_skel.py']

num_frames = 32
max_epochs = 40

dataset = dict(crops=False)
model = dict(
    dims=48,
    expert=dict(dims=(16, 24)),
    global_stream=dict(type='SkeletonStream', dims=(16, 24), depths=(1, 1)),
)

# BlazePose guesses the keypoints that lie outside of the picture: those it is not sure of are left out.
train_pipeline = [
    dict(type='NormalizePose', min_score=0.5),
    dict(type='SampleFrames', num_frames=num_frames, crop=(0.7, 1.0)),
    dict(type='RandomAffine', rotation=0.1, scale=0.15, stretch=0.1, shear=0.05),
    dict(type='RandomJitter', joint=0.1, frame=0.005),
    dict(type='PackPose'),
]
test_pipeline = [
    dict(type='NormalizePose', min_score=0.5),
    dict(type='SampleFrames', num_frames=num_frames, random=False),
    dict(type='PackPose'),
]
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=max_epochs, val_interval=10)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]
default_hooks = dict(checkpoint=dict(interval=10))
