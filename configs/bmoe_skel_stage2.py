# Stage 2: the mixture starts from the four experts of configs/bmoe_skel_stage1.py. Others:
#   --cfg-options default_hooks.init_experts.head=FILE.pth   (null: this expert starts anew)
# Both stages must have the same training clips (same tracks, annotations, split_seed): an expert that saw clips of
# this stage's validation or test would leak them, and is refused,
# unless default_hooks.init_experts.check_clips=false says that no clip is in both.
_base_ = ['bmoe_skel.py']

default_hooks = dict(
    init_experts=dict(
        type='InitExpertsHook',
        head='work_dirs/stage1/head/epoch_60.pth',
        body='work_dirs/stage1/body/epoch_60.pth',
        upper='work_dirs/stage1/upper/epoch_60.pth',
        lower='work_dirs/stage1/lower/epoch_60.pth',
    ),
)
