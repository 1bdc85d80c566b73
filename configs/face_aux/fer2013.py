# Emotion on FER2013's 48 x 48 grey faces (fer2013.csv, or <split>.npz); validation is held out of Training.
# FER+, ten people's votes on the same faces (fer2013.csv and fer2013new.csv): --cfg-options preset=ferplus
_base_ = ['_base_/joint.py']

# From scratch, with a stem and places kept (docs/appendix/results-faces.md says why). 73 is what VGG19 and ResNet18
# reach; with ImageNet's weights a transformer starts nearer to it:
# --cfg-options model.encoder.pretrained=true model.encoder.stem=null optim_wrapper.optimizer.lr=1e-4
size = 48  # height and width of the input
model = dict(
    encoder=dict(name='vit_tiny_patch16_224', img_size='${size}', patch_size=4, stem=(64,), drop_path_rate=0.1),
    pool='flat',
    heads=dict(emotion=dict(label_smoothing=0.1)),  # the labels are noisy
    auxiliary=dict(
        kind='planes',  # as bits the pattern is learned, as one number it hardly is
        weights=dict(primary=0.5, auxiliary=0.5),  # at SSAT's 0.1 rare classes were learned worse (UTKFace)
    ),
)

train_pipeline = dict(
    RandomResizedCrop=dict(size='${size}', scale=(0.7, 1.0)),
    RandomRotation=dict(degrees=10, _after_='RandomFlip'),
    ColorJitter=dict(saturation=0.0),
    RandomErasing=dict(scale=(0.02, 0.2)),  # at most a fifth: an emotion may be the mouth alone
)
test_pipeline = dict(Resize=dict(_delete_=True, size='${size}'), CenterCrop=None)

dataset = dict(type='Fer2013', data_root='data/fer2013')
fractions = dict(train=0.9, val=0.1)
train_dataloader = dict(dataset=dict(split='Training', fractions='${fractions}', part='train'))
val_dataloader = dict(dataset=dict(split='Training', fractions='${fractions}', part='val'))
test_dataloader = dict(dataset=dict(split='PrivateTest'))
test_evaluator = dict(FairnessMetric=None)  # the set has no groups

max_epochs = 150  # a transformer from scratch on 26,000 small pictures is not done after 100
optim_wrapper = dict(optimizer=dict(lr=5e-4))  # a tiny model bears twice SSAT's rate

default_hooks = dict(checkpoint=dict(save_best='emotion/accuracy'))

presets = dict(
    ferplus=dict(dataset=dict(type='FerPlus')),
    # Under an hour on one core, in a quarter of the tokens and without the texture task, which is worth less than its
    # time there (docs/appendix/results-faces.md has what it reaches)
    cpu=dict(
        model=dict(
            encoder=dict(patch_size=8, stem=(48, 96), embed_dim=128, depth=3, num_heads=4),
            auxiliary=None,
        ),
        max_epochs=40,
        optim_wrapper=dict(optimizer=dict(lr=1.5e-3)),
        train_dataloader=dict(num_workers=0, persistent_workers=False),
        val_dataloader=dict(num_workers=0, persistent_workers=False),
        test_dataloader=dict(num_workers=0, persistent_workers=False),
    ),
)
