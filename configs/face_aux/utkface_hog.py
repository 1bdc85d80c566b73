# Gender and race on UTKFace chips by gradient histograms, binary patterns and a linear model, fitted in closed form in
# minutes. On these few thousand images better than the transformer of utkface.py (docs/appendix/results-faces.md).
_base_ = ['utkface.py']

size = 128
model = dict(
    _delete_=True,
    type='DescriptorModel',
    size='${size}',
    descriptors=[
        dict(type='HOG', cell=8),
        dict(type='HOG', cell=8, shrink=2),
        dict(type='LBP', cells=8, method='nri_uniform'),
        dict(type='LBP', cells=8, shrink=2, method='nri_uniform'),
    ],
)

train_dataloader = dict(drop_last=False, dataset=dict(pipeline='${test_pipeline}'))  # one pass, nothing left to chance
max_epochs = 1
warmup_epochs = 0
param_scheduler = dict(LinearLR=None, CosineAnnealingLR=None)
optim_wrapper = dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='SGD', lr=0.0))  # has nothing to do
custom_hooks = dict(FitDescriptorHook=dict(), ReconstructionHook=None)

presets = dict(_delete_=True)  # a balanced sampler shows images twice, and leaving one out would no longer leave it out
