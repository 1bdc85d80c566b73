# The model in the box: everyday micro-actions, trained on generated people, for tracks of any backend
#   python tools/make_box_clips.py data/box.pkl --train 72000 --test 3000 --seed 1
#   python tools/train.py configs/benchmarks/box.py          # tools/make_box.py does both, and calibrates
# The classes are bmoe_skel/taxonomy.py's, the layout is common29, to which tracks are brought before they are asked.
_base_ = ['skeleton.py']

num_frames = 32
max_epochs = 3
warmup_epochs = 1

dataset = dict(ann_file='data/box.pkl')
model = dict(
    dims=64,
    expert=dict(dims=(24, 32)),
    global_stream=dict(dims=(32, 48), depths=(1, 1)),
    head=dict(loss=dict(label_smoothing=0.05)),
)
# What estimators guess has a low score: below 0.3 it is left out. The generator has cameras, errors and missing regions
# of its own, so that little is changed here; a cut must not take the movement away.
train_pipeline = dict(
    NormalizePose=dict(min_score=0.3),
    SampleFrames=dict(crop=(0.85, 1.0), warp=0.15),
    RandomAffine=dict(_delete_=True, rotation=0.08, scale=0.15, stretch=0.1, shear=0.05),
    RandomJitter=dict(joint=0.02, frame=0.0),
    DropJoints=dict(joint_clip_prob=0.2, joint_prob=0.1, region_prob=0.05),
)
test_pipeline = dict(
    NormalizePose=dict(min_score=0.3), SampleFrames=dict(num_clips=1, crop=(1.0, 1.0)), AddMirrored=None
)
train_dataloader = dict(batch_size=32, num_workers=0, persistent_workers=False, dataset=dict(epoch_clips=1))
test_dataloader = dict(num_workers=0, persistent_workers=False)
