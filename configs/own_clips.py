# Your own labelled clips: copy this file and edit the lines marked EDIT
#   python tools/extract_pose.py videos/                      # videos/<class>/<clip>.mp4 -> poses/
#   python tools/train.py configs/own_clips.py
#   python tools/test.py configs/own_clips.py work_dirs/own_clips/best.pth
_base_ = ['bmoe_skel_small.py']  # EDIT: 'bmoe_skel.py' for thousands of clips and a GPU

dataset = dict(
    tracks='poses/',  # EDIT: the folder that extraction wrote
    # EDIT: None takes the folder that a clip lies in for its class. Or a file of lines "video,label" or
    # "video,label,split" (train, val or test); video is the path below the video folder, as in nod/clip_01.mp4
    ann_file=None,
    classes=None,  # EDIT: the class names in the order that you want; None takes those found, in alphabetical order
    split_ratio=(0.6, 0.15, 0.25),  # EDIT: shares of train, val and test where the file gives no split
    split_seed=0,  # deals the clips anew; clips of one person can land on both sides: then give the split yourself
)

num_frames = 32  # EDIT: frames that the model sees of a clip; twice as many for clips longer than a few seconds
max_epochs = 40  # EDIT: about 30,000 clips in all are enough: fewer epochs for more clips
train_cfg = dict(val_interval=5)  # epochs between validations
default_hooks = dict(checkpoint=dict(save_best='f1_macro', interval=5))  # or 'top1'
train_dataloader = dict(batch_size=16)

# EDIT: if left and right are told apart by no class, mirrored clips are clips too:
# train_pipeline = dict(RandomFlip=dict(prob=0.5, _before_='PackPose'))
