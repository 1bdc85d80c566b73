# Shared by every config: logs, checkpoints and hooks.
#
# How configs are written here (mm_runtime/config.py):
#   '${max_epochs}'    the value of max_epochs, looked up last: a change of max_epochs takes effect wherever it is used
#   dict(name=step)    pipelines, hooks, schedules and metrics. In a config that inherits, and as option, a step is
#                      changed by name (train_pipeline.RandomJitter.joint=0.2), left out by None, put in by
#                      NewStep=dict(_before_='PackPose'). A step's name is its type, unless it has another one.
#   presets            named changes of a config; --cfg-options preset=NAME applies one, preset=[A,B] several
default_scope = 'bmoe_skel'
custom_imports = dict(imports=['bmoe_skel.registry'])

randomness = dict(seed=0)
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork'), dist_cfg=dict(backend='nccl'))
log_processor = dict(by_epoch=True, window_size=10)
log_level = 'INFO'
# Curves: the local log <work_dir>/<time>/vis_data/scalars.json, and TensorBoard (tensorboard --logdir work_dirs). Where
# the package tensorboard is not installed, training says so and writes the local log only.
visualizer = dict(type='Visualizer', vis_backends=dict(LocalVisBackend=dict(), TensorboardVisBackend=dict()))

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='f1_macro', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = dict(
    EpochSeedHook=dict(),
    SafeCheckpointHook=dict(),
    BestCheckpointHook=dict(),  # best.pth, a copy of the best checkpoint so far
    ProgressBarHook=dict(),
    ReportHook=dict(),
    EMAHook=dict(ema_type='MomentumAnnealingEMA', momentum=0.002, gamma=10),
    # Stops after `patience` validations in a row without a better one, by the metric of save_best. Off as it stands,
    # since a run that is cut short never reaches the end of its schedule; on: --cfg-options early_stop.patience=4
    early_stop=dict(type='StopEarlyHook', patience=None),
)
after_test = 'infer.py poses/ --checkpoint {checkpoint}'  # the command that a test names as the next
