# Any pickle in the layout of pyskl and mmaction2 with the splits 'train' and 'test':
#   python tools/train.py configs/benchmarks/skeleton.py --cfg-options dataset.ann_file=FILE.pkl
#   python tools/test.py configs/benchmarks/skeleton.py CHECKPOINT --cfg-options dataset.ann_file=FILE.pkl
# Classes, coordinates and (from metainfo.layout, else by dataset.skeleton=NAME) the skeleton are taken from the file.
# There is no third part to choose a checkpoint by: the last one is tested.
_base_ = ['../_base_/runtime.py', '../_base_/bmoe.py']

dataset = dict(type='PosePickleDataset', ann_file=None, skeleton=None)
train_dataloader = dict(dataset=dict(split='train'))
test_dataloader = dict(dataset=dict(split='test'))
val_dataloader = None
val_cfg = None
val_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
