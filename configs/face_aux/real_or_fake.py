# Real or generated still faces, listed in a CSV with columns file, label (real or fake) and, where known, groups.
_base_ = ['_base_/joint.py']

# A few hundred images: a tiny model with a stem (docs/appendix/results-faces.md); larger ones learn them by heart.
size = 128  # height and width of the input
model = dict(
    encoder=dict(
        name='vit_tiny_patch16_224', img_size='${size}', patch_size=8, stem=(16, 32), embed_dim=96, depth=2, num_heads=4
    ),
    pool='flat',
    auxiliary=dict(
        kind='planes',  # as bits the pattern is learned, as one number it hardly is
        weights=dict(primary=0.5, auxiliary=0.5),  # with SSAT's 0.1 so few labels are hardly heard
    ),
)

train_pipeline = dict(
    # nearly the whole image, hardly moved: HOG told the two apart by which edges lie where, not by texture as such
    RandomResizedCrop=dict(size='${size}', scale=(0.9, 1.0), ratio=(0.97, 1.03)),
    # else the compression of one source becomes the cue
    JpegCompression=dict(quality=(60, 100), _after_='KeepTextureSource'),
    ColorJitter=dict(brightness=0.2, contrast=0.2, saturation=0.2),
    RandomErasing=dict(prob=0.3, mode='const', scale=(0.02, 0.2)),
)
test_pipeline = dict(
    Resize=dict(size=132),  # the centre at the scale of the training crops
    CenterCrop=dict(size='${size}'),
)

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
train_dataloader = dict(batch_size=16, dataset=dict(part='train'))
val_dataloader = dict(dataset=dict(part='val'))
test_dataloader = dict(dataset=dict(part='test'))
val_evaluator = dict(_delete_=True, DeepfakeMetric=dict())
test_evaluator = dict(_delete_=True, DeepfakeMetric=dict(), FairnessMetric=dict())

face_crop = dict(margin=0.27, shift=0.2)  # how tools/predict_faces.py frames a face: as FFHQ does

optim_wrapper = dict(optimizer=dict(lr=1e-3))  # width 96 in batches of 16 bears it; SSAT's rate is for far longer runs
auto_scale_lr = dict(base_batch_size=16)
max_epochs = 60  # 900 steps; after 375 of the CPU recipe the validation was still getting better
train_cfg = dict(val_interval=5)
default_hooks = dict(checkpoint=dict(interval=5, save_best='fake/frame_auc'))
