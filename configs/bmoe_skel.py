# B-MoE on the tracks that `python tools/extract_pose.py videos/` wrote to poses/.
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

tracks = 'poses/'
dataset = dict(type='TrackDataset', tracks=tracks, split_seed=0)

train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
