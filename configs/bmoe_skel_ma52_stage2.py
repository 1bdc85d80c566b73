# Stage 2 on MA-52: the mixture starts from the four experts of configs/bmoe_skel_ma52_stage1.py.
_base_ = ['bmoe_skel_ma52.py']

default_hooks = dict(
    init_experts=dict(
        type='InitExpertsHook',
        head='work_dirs/ma52_stage1/head/epoch_50.pth',
        body='work_dirs/ma52_stage1/body/epoch_50.pth',
        upper='work_dirs/ma52_stage1/upper/epoch_50.pth',
        lower='work_dirs/ma52_stage1/lower/epoch_50.pth',
    ),
)
