"""Writers of tiny fake trees in the official layout of every face set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from face_aux.labels import CELEBA_ATTRIBUTES


def image(path: Path, seed: int = 0, size: tuple[int, int] = (24, 20)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def video(path: Path, frames: int = 10, size: tuple[int, int] = (48, 64)) -> Path:
    """Frame t is grey of level 20 * t, so that a test can tell which frame it got."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (size[1], size[0]))
    assert writer.isOpened()
    for t in range(frames):
        writer.write(np.full((*size, 3), 20 * t, dtype=np.uint8))
    writer.release()
    return path


def celeba(root: Path, csv: bool = False, n: int = 6) -> Path:
    names = [f'{i + 1:06d}.jpg' for i in range(n)]
    for i, name in enumerate(names):
        folder = root / 'img_align_celeba' / ('img_align_celeba' if csv else '')
        image(folder / name, i)
    signs = [[1 if (i + a) % 3 == 0 else -1 for a in range(40)] for i in range(n)]
    parts = [i % 3 for i in range(n)]
    if csv:
        rows = [','.join([name, *map(str, row)]) for name, row in zip(names, signs, strict=True)]
        (root / 'list_attr_celeba.csv').write_text('\n'.join([','.join(['image_id', *CELEBA_ATTRIBUTES]), *rows]))
        rows = [f'{name},{part}' for name, part in zip(names, parts, strict=True)]
        (root / 'list_eval_partition.csv').write_text('\n'.join(['image_id,partition', *rows]))
        return root
    rows = [f'{name}  ' + ' '.join(f'{v:2d}' for v in row) for name, row in zip(names, signs, strict=True)]
    (root / 'list_attr_celeba.txt').write_text('\n'.join([str(n), ' '.join(CELEBA_ATTRIBUTES) + ' ', *rows]) + '\n')
    rows = [f'{name} {part}' for name, part in zip(names, parts, strict=True)]
    (root / 'list_eval_partition.txt').write_text('\n'.join(rows) + '\n')
    (root / 'identity_CelebA.txt').write_text('\n'.join(f'{name} {2880 + i // 2}' for i, name in enumerate(names)))
    return root


def fairface(root: Path, rows: Sequence[str] | None = None) -> Path:
    rows = rows or [
        'train/1.jpg,50-59,Male,East Asian,True',
        'train/2.jpg,more than 70,Female,Latino_Hispanic,False',
        'train/3.jpg,9-Mar,Female,Middle Eastern,False',
    ]
    for i, row in enumerate(rows):
        image(root / row.split(',')[0], i)
    header = 'file,age,gender,race,service_test'
    (root / 'fairface_label_train.csv').write_text('\n'.join([header, *rows]) + '\n')
    image(root / 'val/1.jpg')
    (root / 'fairface_label_val.csv').write_text(f'{header}\nval/1.jpg,3-9,Male,White,True\n')
    return root


def utkface(root: Path) -> Path:
    names = ['26_0_1_20170104000000001.jpg.chip.jpg', '5_1_4_20170104000000002.jpg', '70_1_2_20170104000000003.jpg',
             '61_1_20170109142408075.jpg.chip.jpg', '24_0_1_.jpg']  # fmt: skip
    for i, name in enumerate(names):
        image(root / ('part1' if i % 2 else '') / name, i)
    (root / 'readme.txt').write_text('not an image')
    return root


def affectnet_csv(root: Path) -> Path:
    header = 'subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal'
    for split, labels in (('training', [0, 7, 9, 10, 3]), ('validation', [1])):
        rows = [header]
        for i, label in enumerate(labels):
            image(root / 'images' / split / f'{i}.jpg', i)
            rows.append(f'{split}/{i}.jpg,2,3,10,12,1.0;2.0,{label},0.1,-0.2')
        (root / f'{split}.csv').write_text('\n'.join(rows))
    return root


def affectnet_npy(root: Path) -> Path:
    for split, labels in (('train_set', ['2', '7']), ('val_set', ['6'])):
        (root / split / 'annotations').mkdir(parents=True)
        for i, label in enumerate(labels):
            image(root / split / 'images' / f'{i}.jpg', i)
            np.save(root / split / 'annotations' / f'{i}_exp.npy', np.array(label))
            np.save(root / split / 'annotations' / f'{i}_val.npy', np.array('0.5'))
    return root


def rafdb(root: Path) -> Path:
    base = root / 'basic'
    lines = ['train_00001.jpg 5', 'train_00002.jpg 7', 'test_0001.jpg 1']
    for i, line in enumerate(lines):
        stem = line.split('.')[0]
        image(base / 'Image' / 'aligned' / f'{stem}_aligned.jpg', i)
        attributes = base / 'Annotation' / 'manual' / f'{stem}_manu_attri.txt'
        attributes.parent.mkdir(parents=True, exist_ok=True)
        attributes.write_text('\n'.join(['1.5 2.5'] * 5 + [str(i), str(i), str(i + 2)]) + '\n')
    (base / 'EmoLabel').mkdir()
    (base / 'EmoLabel' / 'list_patition_label.txt').write_text('\n'.join(lines) + '\n')
    return root


FER_USAGE = ('Training', 'Training', 'Training', 'PublicTest', 'PrivateTest')


def fer2013(root: Path) -> Path:
    rows = [f'{i % 7},{" ".join([str(10 * i)] * 2304)},{usage}' for i, usage in enumerate(FER_USAGE)]
    (root / 'fer2013.csv').write_text('\n'.join(['emotion,pixels,Usage', *rows]))
    return root


def ferplus(root: Path) -> Path:
    fer2013(root)
    names = 'neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF'
    votes = ['4,0,0,1,3,2,0,0,0,0', '0,9,1,0,0,0,0,0,0,0', '0,0,0,0,0,0,0,0,0,10', '1,0,0,0,0,0,0,8,1,0',
             '0,0,0,2,0,0,0,0,8,0']  # fmt: skip
    rows = [
        f'{usage},{"" if vote.endswith("10") else f"fer{i:07d}.png"},{vote}'
        for i, (usage, vote) in enumerate(zip(FER_USAGE, votes, strict=True))
    ]
    (root / 'fer2013new.csv').write_text('\n'.join([f'Usage,Image name,{names}', *rows]))
    return root


def faceforensics(root: Path, methods: Sequence[str] = ('Deepfakes', 'NeuralTextures')) -> Path:
    splits = {'train': [['000', '003'], ['010', '011']], 'val': [['020', '021']], 'test': [['030', '031']]}
    (root / 'splits').mkdir(parents=True)
    for split, pairs in splits.items():
        (root / 'splits' / f'{split}.json').write_text(json.dumps(pairs))
        for a, b in pairs:
            for name in (a, b):
                video(root / 'original_sequences/youtube/c23/videos' / f'{name}.mp4')
            for method in methods:
                for name in (f'{a}_{b}', f'{b}_{a}'):
                    video(root / 'manipulated_sequences' / method / 'c23/videos' / f'{name}.mp4')
    return root


def celebdf(root: Path, people: int = 6) -> Path:
    for i in range(people):
        video(root / 'Celeb-real' / f'id{i}_0000.mp4', 3)
        video(root / 'Celeb-synthesis' / f'id{i}_id{(i + 1) % people}_0000.mp4', 3)
    video(root / 'YouTube-real' / '00170.mp4', 3)
    video(root / 'YouTube-real' / '00171.mp4', 3)
    (root / 'List_of_testing_videos.txt').write_text(
        '1 YouTube-real/00170.mp4\r\n1 Celeb-real/id0_0000.mp4\r\n0 Celeb-synthesis/id0_id1_0000.mp4\r\n'
    )
    return root


def dfdc(root: Path) -> Path:
    for part, fakes in (('dfdc_train_part_0', {'a': 'b', 'c': 'b'}), ('dfdc_train_part_1', {'x': 'y'})):
        table = {}
        for fake, real in fakes.items():
            table[f'{fake}.mp4'] = {'label': 'FAKE', 'split': 'train', 'original': f'{real}.mp4'}
            table[f'{real}.mp4'] = {'label': 'REAL', 'split': 'train'}
        for name in table:
            video(root / part / name, 3)
        (root / part / 'metadata.json').write_text(json.dumps(table))
    video(root / 'test' / 'videos' / 'q.mp4', 3)
    video(root / 'test' / 'videos' / 'r.mp4', 3)
    (root / 'test' / 'labels.csv').write_text('filename,label\nq.mp4,1\nr.mp4,0\n')
    return root


def dfdc_preview(root: Path) -> Path:
    table = {}
    for name, label, part in (
        ('method_A/1/2/1_2_A.mp4', 'fake', 'train'),
        ('method_B/3/4/3_4_B.mp4', 'fake', 'test'),
        ('original_videos/1/1_A.mp4', 'real', 'train'),
    ):
        table[name] = {'label': label, 'set': part, 'target_id': name.split('/')[1]}
        video(root / name, 3)
    (root / 'dataset.json').write_text(json.dumps(table))
    return root
