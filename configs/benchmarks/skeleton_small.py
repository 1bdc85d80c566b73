# skeleton.py with a third of the parameters, half the frames and a short schedule: two minutes on a CPU, for comparing
# variants (tools/cross_validate.py --config configs/benchmarks/skeleton_small.py). On JHMDB the whole one was better.
_base_ = ['skeleton.py']

num_frames = 32
max_epochs = 16

model = dict(
    dims=64,
    expert=dict(dims=(32, 32)),
    global_stream=dict(dims=(32, 48), depths=(1, 1)),
)
train_pipeline = [
    dict(step, num_frames=num_frames) if step['type'] == 'SampleFrames' else step for step in _base_.train_pipeline
]
test_pipeline = [
    dict(step, num_frames=num_frames) if step['type'] == 'SampleFrames' else step for step in _base_.test_pipeline
]
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline, epoch_clips=500))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=test_pipeline))
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=2),
    dict(_base_.param_scheduler[1], begin=2, end=max_epochs),
]
