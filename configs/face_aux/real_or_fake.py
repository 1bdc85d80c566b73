# Real or generated still faces, listed in a CSV with columns file, label (real or fake) and, where known, groups.
_base_ = ['_base_/joint.py']

# A few hundred images: a tiny model with a stem (docs/appendix/results-faces.md); larger ones learn them by heart.
model = dict(
    encoder=dict(
        name='vit_tiny_patch16_224', img_size=128, patch_size=8, stem=(16, 32), embed_dim=96, depth=2, num_heads=4
    ),
    pool='flat',
    auxiliary=dict(
        kind='planes',  # as bits the pattern is learned, as one number it hardly is
        weights=dict(primary=0.5, auxiliary=0.5),  # with SSAT's 0.1 so few labels are hardly heard
    ),
)

train_pipeline = [
    dict(type='LoadFace'),
    # nearly the whole image, hardly moved: HOG told the two apart by which edges lie where, not by texture as such
    dict(type='RandomResizedCrop', size=128, scale=(0.9, 1.0), ratio=(0.97, 1.03)),
    dict(type='RandomFlip'),
    dict(type='KeepTextureSource'),
    dict(type='JpegCompression', quality=(60, 100)),  # else the compression of one source becomes the cue
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2),
    dict(type='Normalize'),
    dict(type='RandomErasing', prob=0.3, mode='const', scale=(0.02, 0.2)),
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    dict(type='LoadFace'),
    dict(type='Resize', size=132, keep_ratio=True),  # the centre at the scale of the training crops
    dict(type='CenterCrop', size=128),
    dict(type='Normalize'),
    dict(type='PackFaceInputs'),
]

dataset = dict(
    type='CsvFaces',
    data_root='data/real_or_fake',
    ann_name='labels.csv',
    path_column='file',
    labels=dict(fake=dict(column='label', classes=['real', 'fake'])),
    group_columns=['gender', dict(age=[0, 18, 30, 45, 60])],
    fractions=dict(train=0.6, val=0.15, test=0.25),
)
# 64 a batch would be three steps an epoch on 250 images
train_dataloader = dict(batch_size=16, dataset=dict(part='train', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(part='val', pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(part='test', pipeline=test_pipeline))
val_evaluator = [dict(type='DeepfakeMetric')]
test_evaluator = [dict(type='DeepfakeMetric'), dict(type='FairnessMetric')]

face_crop = dict(margin=0.27, shift=0.2)  # how tools/predict_faces.py frames a face: as FFHQ does

optim_wrapper = dict(optimizer=dict(lr=1e-3))  # width 96 in batches of 16 bears it; SSAT's rate is for far longer runs
auto_scale_lr = dict(base_batch_size=16)
max_epochs = 60  # 900 steps; after 375 of the CPU recipe the validation was still getting better
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]
default_hooks = dict(checkpoint=dict(interval=5, save_best='fake/frame_auc'))
