# B-MoE on the tracks that `python tools/extract_pose.py videos/` wrote to poses/.
# Another folder: --cfg-options dataset.tracks=FOLDER
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

dataset = dict(type='TrackDataset', tracks='poses/', split_seed=0)
train_dataloader = dict(dataset=dict(split='train'))
val_dataloader = dict(dataset=dict(split='val'))
test_dataloader = dict(dataset=dict(split='test'))
