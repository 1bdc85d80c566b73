# Any pickle in the layout of pyskl and mmaction2 with the splits 'train' and 'test'
#   python tools/train.py configs/benchmarks/skeleton.py --cfg-options dataset.ann_file=FILE.pkl
#   python tools/test.py configs/benchmarks/skeleton.py CHECKPOINT --cfg-options dataset.ann_file=FILE.pkl
# Classes, coordinates and (from metainfo.layout, else by dataset.skeleton=NAME) the skeleton are taken from the file.
# There is no third part to choose a checkpoint by: the last one is tested.
_base_ = ['../_base_/runtime.py', '../_base_/bmoe.py']

# The steps of the base, with a pace that changes and ends that stand still, since sets and cameras are trimmed
# differently; and the mirror: left and right in a class name are seen to. Persons as the file has them.
train_pipeline = dict(
    SampleFrames=dict(crop=(0.8, 1.5), warp=0.8),
    RandomFlip=dict(prob=0.5, by_name=True, _after_='DropJoints'),
    LoadCrops=None,
    PackPose=dict(max_persons=None),
)
# The whole clip and four cuts of 90 % of it, each with its mirror image; their scores are averaged.
test_pipeline = dict(
    SampleFrames=dict(num_clips=5, crop=(0.8, 1.0)),
    AddMirrored=dict(_before_='PackPose'),
    LoadCrops=None,
    PackPose=dict(max_persons=None),
)
dataset = dict(type='PosePickleDataset', ann_file=None, skeleton=None)
# A small set is gone through several times an epoch, up to this many clips: 40 epochs are 30,000 clips at least. Longer
# schedules fitted the training views of NW-UCLA better and the other view worse (docs/appendix/results.md).
train_dataloader = dict(dataset=dict(split='train', epoch_clips=750))
test_dataloader = dict(dataset=dict(split='test'))
max_epochs = 40
warmup_epochs = 3
val_dataloader = None
val_cfg = None
val_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
