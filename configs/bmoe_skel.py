# B-MoE on the tracks that `python tools/extract_pose.py videos/` wrote to poses/.
# Another folder: --cfg-options dataset.tracks=FOLDER
_base_ = ['_base_/runtime.py', '_base_/bmoe.py']

dataset = dict(type='TrackDataset', tracks='poses/', split_seed=0)
train_dataloader = dict(dataset=dict(split='train'))
val_dataloader = dict(dataset=dict(split='val'))
test_dataloader = dict(dataset=dict(split='test'))

# The global stream is RGB where extraction stored crops of every clip (--save-rgb 224), and the skeleton elsewhere;
# training says which. Skeletons only: --cfg-options model.global_stream.type=SkeletonStream dataset.crops=false
# pretrained: None, a torchvision name such as 'IMAGENET1K_V1' (downloaded once), or a checkpoint file. MANet's own is
# resnet50 with ImageNet weights on 224 pixels (size of LoadCrops), several times slower.
model = dict(
    global_stream=dict(type='AutoStream', rgb=dict(backbone='resnet18', frames=_base_.rgb_frames, pretrained=None)),
)
