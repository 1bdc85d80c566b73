# ST-GCN++ and CTR-GCN on any pickle of clips, trained as the mixture is, or by their own recipes
#   python tools/train.py benchmarks/configs/peers.py --cfg-options dataset.ann_file=FILE.pkl
#   python tools/cross_validate.py FILE.pkl --config benchmarks/configs/peers.py --cfg-options preset=ctrgcn --out RUNS
#   python tools/benchmark.py model benchmarks/configs/peers.py --cfg-options preset=ctrgcn
# As it stands: ST-GCN++ with clips, pipeline, schedule and loss of skeleton.py. preset=ctrgcn: the same with CTR-GCN.
# preset=stgcnpp_own and preset=ctrgcn_own: each with its authors' recipe. preset=[ctrgcn,small]: with
# the steps and the schedule of skeleton_small.py.
# The import is what registers the peers: no package of the project knows them, and the wheel has neither them nor this.
_base_ = ['../../configs/benchmarks/skeleton.py']
custom_imports = dict(imports=['bmoe_skel.registry', 'benchmarks.peers'])

model = dict(
    _delete_=True,
    type='PeerRecognizer',
    backbone='stgcnpp',
    num_classes=None,
    skeleton=None,
    coordinates=None,
    head=dict(drop=0.2, loss=dict(label_smoothing=0.1)),
)
after_test = None

presets = dict(
    _delete_=True,
    ctrgcn=dict(model=dict(backbone='ctrgcn')),
    small=dict(
        num_frames=32,
        max_epochs=16,
        warmup_epochs=2,
        train_dataloader=dict(num_workers=0, persistent_workers=False, dataset=dict(epoch_clips=500)),
        test_dataloader=dict(num_workers=0, persistent_workers=False),
    ),
    # PYSKL, configs/stgcn++/*/j.py: 100 frames, one drawn from each hundredth of the clip, and nothing else; 16 epochs
    # of five rounds; a rate of 0.1 for batches of 128 is 0.0125 for 16; cosine to 0 without a warm-up; ten cuts in the
    # test, drawn the same way.
    stgcnpp_own=dict(
        model=dict(head=dict(drop=0.0, loss=dict(label_smoothing=0.0))),
        max_epochs=80,
        warmup_epochs=0,
        num_frames=100,
        train_pipeline=dict(
            SampleFrames=dict(crop=(1.0, 1.0), warp=0.0, steps='one_a_part'),
            RandomAffine=None,
            RandomJitter=None,
            DropJoints=None,
            RandomFlip=None,
        ),
        test_pipeline=dict(
            SampleFrames=dict(random=True, num_clips=10, crop=(1.0, 1.0), steps='one_a_part'), AddMirrored=None
        ),
        train_dataloader=dict(dataset=dict(epoch_clips=0)),
        optim_wrapper=dict(
            clip_grad=None,
            optimizer=dict(_delete_=True, type='SGD', lr=0.0125, momentum=0.9, weight_decay=5e-4, nesterov=True),
        ),
        param_scheduler=dict(CosineAnnealingLR=dict(eta_min_ratio=0.0)),
        custom_hooks=dict(EMAHook=None),
    ),
    # CTR-GCN, config/ucla/default.yaml: 52 frames drawn and sorted, turns of 60 degrees, each clip stretched into a
    # cube; 65 epochs of five rounds, batches of 16; a tenth of the rate after 50 of them; one cut in the test.
    ctrgcn_own=dict(
        model=dict(backbone='ctrgcn', head=dict(drop=0.0, loss=dict(label_smoothing=0.0))),
        max_epochs=325,
        warmup_epochs=25,
        num_frames=52,
        train_pipeline=dict(
            NormalizePose=dict(view='none'),
            SampleFrames=dict(crop=(1.0, 1.0), warp=0.0, steps='drawn'),
            CubeView=dict(degrees=60, _before_='SampleFrames'),
            RandomAffine=None,
            RandomJitter=None,
            DropJoints=None,
            RandomFlip=None,
        ),
        test_pipeline=dict(
            NormalizePose=dict(view='none'),
            CubeView=dict(_before_='SampleFrames'),
            SampleFrames=dict(num_clips=1, crop=(1.0, 1.0)),
            AddMirrored=None,
        ),
        train_dataloader=dict(dataset=dict(epoch_clips=0)),
        optim_wrapper=dict(
            clip_grad=None,
            optimizer=dict(_delete_=True, type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True),
        ),
        param_scheduler=dict(
            LinearLR=dict(start_factor=0.2),
            CosineAnnealingLR=dict(
                _delete_=True,
                type='MultiStepLR',
                by_epoch=True,
                begin='${warmup_epochs}',
                end='${max_epochs}',
                milestones=[225],
                convert_to_iter_based=True,
            ),
        ),
        custom_hooks=dict(EMAHook=None),
    ),
)
