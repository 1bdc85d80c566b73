# B-MoE whose global stream reads precomputed features, <dataset.feature_root>/<class>/<clip>.npy of shape (T, C), such
# as the 1408 channels of VideoMAEv2 giant. Another folder or width:
#   --cfg-options dataset.feature_root=FOLDER model.global_stream.feature_channels=768
_base_ = ['bmoe_skel.py']

dataset = dict(feature_root='features/', crops=False)
model = dict(global_stream=dict(_delete_=True, type='FeatureStream', feature_channels=1408))

train_pipeline = [*_base_.train_pipeline[:-1], dict(type='LoadFeature'), _base_.train_pipeline[-1]]
test_pipeline = [*_base_.test_pipeline[:-1], dict(type='LoadFeature'), _base_.test_pipeline[-1]]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
