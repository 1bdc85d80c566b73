# skeleton.py with a third of the parameters, half the frames and a short schedule: two minutes on a CPU
# For comparing variants (tools/cross_validate.py --config configs/benchmarks/skeleton_small.py). On JHMDB the whole one
# was better.
_base_ = ['skeleton.py']

num_frames = 32
max_epochs = 16
warmup_epochs = 2

model = dict(
    dims=64,
    expert=dict(dims=(32, 32)),
    global_stream=dict(dims=(32, 48), depths=(1, 1)),
)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(epoch_clips=500))
test_dataloader = dict(num_workers=0, persistent_workers=False)
