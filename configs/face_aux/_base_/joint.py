# The joint model and SSAT's recipe at 224 x 224. Tasks and class names are taken from the data.
# From scratch on some thousand images a set's config may do better: encoder.stem, pool='flat' for aligned faces,
# auxiliary.kind='planes' and equal weights, as utkface.py has them.
# The baseline, the same transformer alone, is any of these configs with --cfg-options model.auxiliary=None
_base_ = ['../../_base_/runtime.py']
default_scope = 'face_aux'
custom_imports = dict(imports=['face_aux.registry'])

model = dict(
    type='TextureJointModel',
    variant='MRGB/RLDP/CRGB',  # masked input, reconstruction target, classifier's input
    encoder=dict(name='vit_small_patch16_224', pretrained=False),
    auxiliary=dict(
        kind='codes',
        cells=None,  # cells along a side of a patch, for kind='histogram' (1) and the target HOG (2)
        shrink=1,  # 2: the target is that of the image at half size
        mask='random',  # also 'block', of which less has to be hidden
        mask_ratio=0.75,
        norm_pix=False,
        decoder=None,  # SSAT's size beside this encoder
        weights=dict(type='fixed', primary=0.1, auxiliary=0.9),  # SSAT's; also type='schedule' and 'uncertainty'
    ),
)

# Faces without labels, which only the auxiliary task sees: a folder, or a set as dict(type='UTKFace', ...); so many of
# them go beside each labelled one (docs/guides/faces.md)
unlabelled = None
unlabelled_ratio = 1

train_pipeline = dict(
    LoadFace=dict(),
    RandomResizedCrop=dict(size=224, scale=(0.6, 1.0)),
    RandomFlip=dict(),
    KeepTextureSource=dict(),  # geometric transforms above, photometric ones below
    ColorJitter=dict(),
    Normalize=dict(),
    RandomErasing=dict(),
    PackFaceInputs=dict(),
)
test_pipeline = dict(
    LoadFace=dict(),
    Resize=dict(size=224, keep_ratio=True),
    CenterCrop=dict(size=224),
    Normalize=dict(),
    PackFaceInputs=dict(),
)

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        pipeline='${train_pipeline}',
        bad_images='skip',
        unlabelled='${unlabelled}',
        unlabelled_ratio='${unlabelled_ratio}',
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline='${test_pipeline}', test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(ClassificationMetric=dict())
test_evaluator = dict(ClassificationMetric=dict(), FairnessMetric=dict())

max_epochs = 100
warmup_epochs = 5
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='${max_epochs}', val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2.5e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        flat_decay_mult=0.0,
        custom_keys={name: dict(decay_mult=0.0) for name in ('cls_token', 'pos_embed', 'mask_token')},
    ),
)
param_scheduler = dict(
    LinearLR=dict(start_factor=1e-3, by_epoch=True, begin=0, end='${warmup_epochs}', convert_to_iter_based=True),
    CosineAnnealingLR=dict(
        by_epoch=True,
        begin='${warmup_epochs}',
        end='${max_epochs}',
        eta_min=1e-6,
        convert_to_iter_based=True,
    ),
)
auto_scale_lr = dict(enable=False, base_batch_size=64)

custom_hooks = dict(
    ReportHook=None,
    EMAHook=None,
    HeldBackHook=dict(),  # refuses unlabelled faces of the validation and test parts
    ReconstructionHook=dict(interval=5),
    FairnessReportHook=dict(),
)
after_test = 'predict_faces.py photos/ --checkpoint {checkpoint} --out faces.csv'
