# Stage 1 on a pickle: one region's expert as a classifier of its own.
_base_ = ['skeleton_small.py']

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
