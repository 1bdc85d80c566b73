# Your own faces, listed in a CSV: copy this file and edit the lines marked EDIT
#   python tools/train.py configs/own_faces.py
#   python tools/test.py configs/own_faces.py work_dirs/own_faces/best.pth
#   python tools/predict_faces.py photos/ --checkpoint work_dirs/own_faces/best.pth --out faces.csv
_base_ = ['face_aux/_base_/joint.py']

dataset = dict(
    type='CsvFaces',
    data_root='data/my_faces',  # EDIT: the folder of the images
    ann_name='labels.csv',  # EDIT: the CSV in it, with a header
    path_column='path',  # EDIT: its column of the image files, below the folder
    # EDIT: what to learn. A task, its column and its classes; several tasks are learned together. A number becomes a
    # class by bins: labels=dict(age=dict(column='age', bins=[0, 18, 30, 45, 60]))
    labels=dict(expression=dict(column='expression', classes=['neutral', 'smile'])),
    group_columns=[],  # EDIT: columns by which the test reports, such as ['gender', dict(age=[0, 18, 30, 45, 60])]
    subject_column=None,  # EDIT: the column that says who is shown, if several images show one person
    fractions=dict(train=0.7, val=0.1, test=0.2),
)
# EDIT: <task>/accuracy chooses the best checkpoint; <task>/balanced_accuracy where classes are of unequal size
default_hooks = dict(checkpoint=dict(save_best='expression/accuracy'))
train_dataloader = dict(dataset=dict(part='train'))
val_dataloader = dict(dataset=dict(part='val'))
test_dataloader = dict(dataset=dict(part='test'))

# A tiny transformer with a stem, for some thousand images and for a CPU; docs/appendix/results-faces.md says why. With
# many images or ImageNet's weights: encoder=dict(name='vit_small_patch16_224', pretrained=True), size = 224.
size = 96  # height and width of the input
model = dict(
    encoder=dict(name='vit_tiny_patch16_224', img_size='${size}', patch_size=8, stem=(32, 64), drop_path_rate=0.1),
    pool='flat',
    auxiliary=dict(kind='planes', weights=dict(primary=0.5, auxiliary=0.5)),
)
train_pipeline = dict(RandomResizedCrop=dict(size='${size}', scale=(0.7, 1.0)))
test_pipeline = dict(Resize=dict(size='${size}'), CenterCrop=dict(size='${size}'))

max_epochs = 100  # EDIT: fewer for many images
optim_wrapper = dict(optimizer=dict(lr=5e-4))
