# Deepfakes in clips of FaceForensics++ c23 (folders of face crops in place of the videos), with tube masking.
_base_ = ['_base_/joint.py']

frames = 16
model = dict(encoder=dict(frames=frames, tubelet=2), auxiliary=dict(mask_ratio=0.9))

train_pipeline = [
    dict(type='LoadFaceClip', length=frames, interval=2, jitter=True),
    dict(type='RandomResizedCrop', size=224, scale=(0.7, 1.0)),
    dict(type='RandomFlip'),
    dict(type='KeepTextureSource'),
    dict(type='JpegCompression'),
    dict(type='ColorJitter'),
    dict(type='Normalize'),
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    dict(type='LoadFaceClip', length=frames, interval=2),
    dict(type='Resize', size=224),
    dict(type='Normalize'),
    dict(type='PackFaceInputs'),
]

dataset = dict(type='FaceForensics', data_root='data/faceforensics', media='frames')
train_dataloader = dict(batch_size=8, dataset=dict(split='train', pipeline=train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(split='val', frames_per_video=2, pipeline=test_pipeline))
test_dataloader = dict(batch_size=8, dataset=dict(split='test', frames_per_video=4, pipeline=test_pipeline))
val_evaluator = [dict(type='DeepfakeMetric')]
test_evaluator = [dict(type='DeepfakeMetric'), dict(type='FairnessMetric', by_video=True)]

default_hooks = dict(checkpoint=dict(save_best='fake/video_auc'))
auto_scale_lr = dict(base_batch_size=8)
