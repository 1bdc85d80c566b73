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
train_pipeline = dict(
    NormalizePose=dict(min_score=0.5),
    SampleFrames=dict(crop=(0.7, 1.0)),
    RandomAffine=dict(_delete_=True, rotation=0.1, scale=0.15, stretch=0.1, shear=0.05),
    RandomJitter=dict(joint=0.1),
    DropJoints=None,
    LoadCrops=None,
)
test_pipeline = dict(NormalizePose=dict(min_score=0.5), LoadCrops=None)
train_dataloader = dict(num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)

train_cfg = dict(val_interval=10)
default_hooks = dict(checkpoint=dict(interval=10))
