# B-MoE on SocialGesture, localisation: windows that slide over each clip, scored as segments.
_base_ = ['bmoe_skel_socialgesture.py']

dataset = dict(task='localization', window=2.0, step=0.5)
val_evaluator = dict(_delete_=True, type='LocalizationMetric', table='data/socialgesture/val.csv')
test_evaluator = dict(_delete_=True, type='LocalizationMetric', table='data/socialgesture/test.csv')
default_hooks = dict(checkpoint=dict(save_best='map'))
