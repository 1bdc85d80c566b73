# Real or generated still faces, listed in a CSV with columns file, label (real or fake) and, where known, groups.
_base_ = ['_base_/joint.py']

dataset = dict(
    type='CsvFaces',
    data_root='data/real_or_fake',
    ann_name='labels.csv',
    path_column='file',
    labels=dict(fake=dict(column='label', classes=['real', 'fake'])),
    group_columns=['gender', dict(age=[0, 18, 30, 45, 60])],
    fractions=dict(train=0.6, val=0.15, test=0.25),
)
train_dataloader = dict(dataset=dict(part='train'))
val_dataloader = dict(dataset=dict(part='val'))
test_dataloader = dict(dataset=dict(part='test'))
val_evaluator = [dict(type='DeepfakeMetric')]
test_evaluator = [dict(type='DeepfakeMetric'), dict(type='FairnessMetric')]

face_crop = dict(margin=0.27, shift=0.2)  # how tools/predict_faces.py frames a face: as FFHQ does

default_hooks = dict(checkpoint=dict(save_best='fake/frame_auc'))
