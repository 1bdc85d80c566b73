# Deepfakes in clips of FaceForensics++ c23 (folders of face crops in place of the videos), with tube masking.
_base_ = ['_base_/joint.py']

frames = 16
model = dict(encoder=dict(frames='${frames}', tubelet=2), auxiliary=dict(mask_ratio=0.9))

train_pipeline = dict(
    _delete_=True,
    LoadFaceClip=dict(length='${frames}', interval=2, jitter=True),
    RandomResizedCrop=dict(size=224, scale=(0.7, 1.0)),
    RandomFlip=dict(),
    KeepTextureSource=dict(),
    JpegCompression=dict(),
    ColorJitter=dict(),
    Normalize=dict(),
    PackFaceInputs=dict(),
)
test_pipeline = dict(
    _delete_=True,
    LoadFaceClip=dict(length='${frames}', interval=2),
    Resize=dict(size=224),
    Normalize=dict(),
    PackFaceInputs=dict(),
)

dataset = dict(type='FaceForensics', data_root='data/faceforensics', media='frames')
train_dataloader = dict(batch_size=8, dataset=dict(split='train'))
val_dataloader = dict(batch_size=8, dataset=dict(split='val', frames_per_video=2))
test_dataloader = dict(batch_size=8, dataset=dict(split='test', frames_per_video=4))
val_evaluator = dict(_delete_=True, DeepfakeMetric=dict())
test_evaluator = dict(_delete_=True, DeepfakeMetric=dict(), FairnessMetric=dict(by_video=True))

default_hooks = dict(checkpoint=dict(save_best='fake/video_auc'))
auto_scale_lr = dict(base_batch_size=8)
