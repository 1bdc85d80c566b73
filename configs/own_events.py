# Events that you corrected or wrote down, cut out of whole videos: copy this file and edit the lines marked EDIT
#   python tools/infer.py videos/ --out answers/              # correct the answers on their pages, save the tables
#   python tools/train.py configs/own_events.py --cfg-options dataset.events=answers/events.csv
#   python tools/test.py configs/own_events.py work_dirs/own_events/best.pth
_base_ = ['own_clips.py']

dataset = dict(
    _delete_=True,
    type='EventDataset',
    # EDIT: a table with the columns start, end (seconds), label, and video, person, split, subject where there are
    # such; an ELAN file <video>.eaf; a folder of tables <video>.events.csv or of ELAN files; or a list of these
    events='answers/events.csv',
    tracks='answers/poses',  # EDIT: the folder of <video>.npz
    classes=None,  # EDIT: the class names in the order that you want; None takes those found, and nothing
    nothing_ratio=0.5,  # EDIT: windows of time without events for each event: the class "nothing"; 0 for no such class
    nothing_seed=0,  # draws these windows anew
    split_ratio=(0.6, 0.15, 0.25),  # EDIT: shares of train, val and test; a video is in one of them only
    split_seed=0,  # deals the videos anew
)
