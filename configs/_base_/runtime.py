# Shared by every config: logs, checkpoints and hooks.
default_scope = 'bmoe_skel'
custom_imports = dict(imports=['bmoe_skel.registry'])

randomness = dict(seed=0)
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork'), dist_cfg=dict(backend='nccl'))
log_processor = dict(by_epoch=True, window_size=10)
log_level = 'INFO'
# Curves: the local log <work_dir>/<time>/vis_data/scalars.json, and TensorBoard (tensorboard --logdir work_dirs). Where
# the package tensorboard is not installed, training says so and writes the local log only.
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='f1_macro', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = [
    dict(type='EpochSeedHook'),
    dict(type='SafeCheckpointHook'),
    dict(type='ProgressBarHook'),
    dict(type='ReportHook'),
    dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.002, gamma=10),
    # Stops after `patience` validations in a row without a better one, by the metric of save_best. Off as it stands,
    # since a run that is cut short never reaches the end of its schedule; on: --cfg-options custom_hooks.5.patience=4
    dict(type='StopEarlyHook', patience=None),
]
