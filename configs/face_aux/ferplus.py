# Emotion on FER+, ten people's votes on FER2013's faces (fer2013.csv and fer2013new.csv).
_base_ = ['fer2013.py']

dataset = dict(type='FerPlus', data_root='data/fer2013')
