# Stage 1 on MA-52: one region's expert as a classifier of its own; region is head, body, upper, lower, or whole.
#   for region in head body upper lower; do
#     python tools/train.py configs/bmoe_skel_ma52_stage1.py --cfg-options model.region=$region \
#       --work-dir work_dirs/ma52_stage1/$region
#   done
_base_ = ['bmoe_skel_ma52.py']

dataset = dict(crops=False)
model = dict(
    _delete_=True,
    type='RegionRecognizer',
    region='upper',
    num_classes=None,
    skeleton=None,
    coordinates=None,
    dims=_base_.model.dims,
    expert=_base_.model.expert,
    drop_path=_base_.model.drop_path,
    head=_base_.model.head,
)
