"""Readers of files that a stranger may have written, each with a file that it reads."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import face_trees as trees
import numpy as np
import yaml
from own_layout import SOFA9
from skeleton_clips import write_recording

from benchmarks.run_queue import read_jobs, state_of
from bmoe_app.commands.face_predict import read_label_map
from bmoe_app.exports.read import read_event_table, read_events
from bmoe_app.server.items import Item, read_item, write_item, write_result
from bmoe_ground.elan import read_annotations as read_elan_annotations
from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_labels, read_table
from bmoe_ground.texts import read_lines
from bmoe_skel.datasets.event_tables import read_event_tables
from bmoe_skel.datasets.ma52.lists import read_list
from bmoe_skel.datasets.mpii import MPIIGroupInteraction
from bmoe_skel.datasets.mpii_classes import BEHAVIOURS
from bmoe_skel.datasets.social_gesture import COLUMNS, SocialGestureDataset, read_gestures
from bmoe_skel.datasets.tracks import read_annotations
from bmoe_skel.metrics.localization import read_segments
from bmoe_skel.models.heads import load_label_embeddings
from bmoe_skel.report_page.learning import read_curve
from bmoe_skel.submission import read_scores
from bmoe_skel.transforms.side_inputs import read_feature
from face_aux.datasets.affectnet import AffectNet
from face_aux.datasets.attributes import CelebA, FairFace
from face_aux.datasets.base import FaceDataset
from face_aux.datasets.deepfake import CelebDf, Dfdc, FaceForensics, load_json
from face_aux.datasets.emotion import Fer2013, FerPlus
from face_aux.datasets.generic import CsvFaces
from face_aux.datasets.rafdb import RafDb
from face_aux.predictions import Prediction, csv_text, rows_of_csv
from mm_runtime.config_text import parse_config_text
from pose_extract.boxes import read_boxes
from pose_extract.manifest import new_record
from pose_extract.shards import Shard, ShardManifest
from pose_extract.skeletons import load_layout

EVENTS = 'video,start,end,person,label,score,source\na.mp4,0.5,1.25,0,nod,0.9,rule\nb.mp4,2,3,1,"a ""b"", c",1,model\n'
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/>
<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1250"/></TIME_ORDER><TIER TIER_ID="person 0: nod">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>nod</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>
"""
BOXES = [
    {'video': 'a.mp4', 'frame': t, 'x1': 1, 'y1': 2, 'x2': 30, 'y2': 40.5, 'score': 0.5, 'id': 3} for t in range(3)
]
ANSWER = {'format': 'bmoe-answer 1', 'events': [{'start': 0.5, 'end': 1.5, 'person': 0, 'label': 'nod', 'score': 0.5,
          'region': 'head', 'source': 'rule', 'routing': {'head': 0.9}}], 'notes': []}  # fmt: skip
SCORES = [{'name': f'{i}.mp4', 'pred_scores': np.ones(3, np.float32), 'pred_body_scores': np.ones(2)} for i in range(3)]
CURVE = [{'loss': 1.5, 'epoch': 1, 'iter': 3, 'lr': 0.1}, {'top1': 0.5, 'step': 1}]

Read = Callable[[Path], object]


def curve_of(path: Path) -> object:
    log = path.parent / 'work' / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(path.read_bytes())
    return read_curve(path.parent / 'work')


TEXTS: dict[str, tuple[str, str, Read]] = {
    'lines': ('x.txt', 'a\n\nb c\r\n', read_lines),
    'table': ('x.csv', EVENTS, lambda path: [row.number('start') for row in read_table(path, ('video', 'start'))]),
    'labels': ('x.txt', 'a/b.mp4 nod\nc.mp4 wave\n', read_labels),
    'labels as a table': ('x.csv', 'video,label,split\na.mp4,nod,train\n', read_labels),
    'labelled clips': ('x.csv', 'video,label,split\na,1,train\nb,0,test\n', lambda p: read_annotations(p, 'ab')),
    'list of MA-52': ('x.txt', 'a_b_1.mp4 3\nc_d_2.mp4 51\n', read_list),
    'segments': ('x.csv', 'clip,start,end,label\na,0,1.5,x\nb,2,3,y\n', lambda path: read_segments(path, ['x', 'y'])),
    'gestures': ('x.csv', ','.join(COLUMNS) + '\nf,0,1,,,,,none\ng,1,2,1,2,30,40,none\n', read_gestures),
    'events': ('x.events.csv', EVENTS.replace('b.mp4', 'a.mp4'), read_events),
    'events of many': ('x.csv', EVENTS, read_event_table),
    'events to learn': ('x.mp4.events.csv', EVENTS, read_event_tables),
    'ELAN': ('x.mp4.eaf', EAF, read_elan_annotations),
    'ELAN as events': ('x.eaf', EAF, read_events),
    'ELAN to learn': ('x.mp4.eaf', EAF, read_event_tables),
    'boxes': ('x.csv', 'video,frame,x1,y1,x2,y2\na.mp4,0,1,2,30,40\na.mp4,1,1,2,30,40\n', read_boxes),
    'queue of commands': ('x.yaml', 'a: python x.py --y "1 2"\nb: [python, z.py, 3]\n', read_jobs),
    'layout': ('x.yaml', SOFA9, load_layout),
    'config of a checkpoint': (
        'x.py', "model = dict(type='A', sizes=[1, 2])\nlr = 1e-3\n", lambda p: parse_config_text(read_or_refuse(p), 'x')
    ),
}  # fmt: skip
VALUES: dict[str, tuple[str, Any, Callable[[Any], bytes], Read]] = {
    'answer': ('x.json', ANSWER, lambda value: json.dumps(value).encode(), read_events),
    'boxes': ('x.json', BOXES, lambda value: json.dumps(value).encode(), read_boxes),
    'label map': ('x.json', {'age': ['a', 'b']}, lambda value: json.dumps(value).encode(), read_label_map),
    'JSON of splits': ('x.json', [['000', '003'], ['1', '2']], lambda value: json.dumps(value).encode(), load_json),
    'layout': (
        'x.yaml',
        yaml.safe_load(SOFA9),
        lambda value: yaml.safe_dump(value).encode(),
        load_layout,
    ),
    'scores': ('x.pkl', SCORES, pickle.dumps, read_scores),
    'curve': ('x.json', CURVE, lambda rows: '\n'.join(map(json.dumps, rows)).encode(), curve_of),
}
ARRAYS: dict[str, tuple[np.ndarray, Read]] = {
    'features': (np.ones((4, 1, 3), np.float32), read_feature),
    'label vectors': (np.ones((3, 5)), lambda path: load_label_embeddings(str(path), 3)),
}


def read_or_refuse(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError as error:
        raise UserError('not text') from error


@dataclass(frozen=True)
class Tree:
    """A reader of a folder, one of whose files is a stranger's.

    Attributes:
        write: Writes the folder as it should be.
        file: The file that is changed.
        read: Reads the folder.
    """

    write: Callable[[Path], object]
    file: str
    read: Read


def faces_of(kind: type[FaceDataset], **settings: Any) -> Read:
    """A reader of a set of faces; every sample is asked for, and its labels must be the task's."""

    def read(root: Path) -> object:
        faces = kind(data_root=str(root), missing='skip', **settings)
        for index in range(len(faces)):
            info = faces.get_data_info(index)
            for name, task in faces.metainfo['tasks'].items():
                many = task['multi_label']
                most = 1 if many else len(task['classes']) - 1
                assert all(-1 <= label <= most for label in (info['gt'][name] if many else [info['gt'][name]]))
            assert all(isinstance(group, str) for group in info['groups'].values())
            assert np.isfinite(info.get('face_box', 0)).all()
        return faces

    return read


def write_own_faces(root: Path) -> None:
    trees.image(root / 'a.png')
    rows = ['path,mood,age,person,x,y,w,h,part', 'a.png,calm,30,p1,1,2,10,12,train', 'a.png,glad,7,p2,3,3,9,9,train']
    (root / 'labels.csv').write_text('\n'.join(rows) + '\n')
    (root / 'groups.csv').write_text('file,tone\na.png,dark\nb.png,light\n')


OWN = {'labels': {'mood': ['calm', 'glad'], 'age': {'bins': [0, 18]}}, 'group_columns': [{'age': [0, 18]}],
       'subject_column': 'person', 'split_column': 'part'}  # fmt: skip


def write_mpii(root: Path) -> None:
    write_recording(root / 'tracks/7/subjectPos2.video.mp4.npz', frames=100)
    header = ['sample_id', 'rec_no', 'subject_pos', 'start_time', 'end_time', *BEHAVIOURS]
    row = ['a', '7', '2', '0', '2.56', *'01' * 7]
    (root / 'samples.csv').write_text('\n'.join(','.join(cells) for cells in (header, row, ['b', *row[1:]])) + '\n')


def write_gestures(root: Path) -> None:
    write_recording(root / 'tracks/f.npz', frames=100, persons=2)
    (root / 'x.csv').write_text(','.join(COLUMNS) + '\nf,0,1,,,,,none\nf,1,2,1,2,30,40,showing\n')


def write_shards(root: Path) -> None:
    manifest = ShardManifest(root / 'out', Shard(0, 2))
    manifest.begin(['a.mp4'], {'backend': 'x'})
    manifest.add(new_record('a.mp4', 'ok') | {'track': 'a.mp4.npz'})


def write_state(root: Path) -> None:
    (root / 'queue').mkdir(parents=True)
    (root / 'queue/a.done').write_text(json.dumps({'command': ['true'], 'exit_code': 0, 'minutes': 0.1}))


def write_faces_csv(root: Path) -> None:
    rows = [Prediction('a.png', 'image', 'ok', '', face=0, box=(1, 2, 3, 4), confidence=0.5, frame=1, time=0.5)]
    root.mkdir(exist_ok=True)
    (root / 'faces.csv').write_text(csv_text(rows, {}))


def write_item_of_app(root: Path) -> None:
    folder = root / ('0' * 16)
    folder.mkdir(parents=True)
    write_item(folder, Item('0' * 16, 1, 'a.mp4', 5, file='video.mp4'))
    write_result(folder, {'status': 'ok', 'seconds': 1.0, 'persons': 2, 'regions': {'head': 0.5}, 'error': None})


TREES: dict[str, Tree] = {
    'CelebA': Tree(trees.celeba, 'list_attr_celeba.txt', faces_of(CelebA)),
    'parts of CelebA': Tree(trees.celeba, 'list_eval_partition.txt', faces_of(CelebA)),
    'persons of CelebA': Tree(
        trees.celeba, 'identity_CelebA.txt', faces_of(CelebA, fractions={'a': 0.5, 'b': 0.5}, part='a')
    ),
    'CelebA in a table': Tree(lambda root: trees.celeba(root, csv=True), 'list_attr_celeba.csv', faces_of(CelebA)),
    'FairFace': Tree(trees.fairface, 'fairface_label_train.csv', faces_of(FairFace)),
    'AffectNet': Tree(trees.affectnet_csv, 'training.csv', faces_of(AffectNet)),
    'a value of AffectNet': Tree(trees.affectnet_npy, 'train_set/annotations/0_exp.npy', faces_of(AffectNet)),
    'RAF-DB': Tree(trees.rafdb, 'basic/EmoLabel/list_patition_label.txt', faces_of(RafDb)),
    'attributes of RAF-DB': Tree(
        trees.rafdb, 'basic/Annotation/manual/train_00001_manu_attri.txt', faces_of(RafDb, unknown_groups=[9])
    ),
    'FER2013': Tree(trees.fer2013, 'fer2013.csv', faces_of(Fer2013)),
    'votes of FER+': Tree(trees.ferplus, 'fer2013new.csv', faces_of(FerPlus)),
    'FaceForensics++': Tree(trees.faceforensics, 'splits/train.json', faces_of(FaceForensics, methods=['Deepfakes'])),
    'Celeb-DF': Tree(trees.celebdf, 'List_of_testing_videos.txt', faces_of(CelebDf)),
    'DFDC': Tree(trees.dfdc, 'dfdc_train_part_0/metadata.json', faces_of(Dfdc)),
    'labels of DFDC': Tree(trees.dfdc, 'test/labels.csv', faces_of(Dfdc)),
    'preview of DFDC': Tree(trees.dfdc_preview, 'dataset.json', faces_of(Dfdc)),
    'own faces': Tree(write_own_faces, 'labels.csv', faces_of(CsvFaces, **OWN)),
    'groups of own faces': Tree(
        write_own_faces,
        'groups.csv',
        faces_of(CsvFaces, group_file={'file': 'groups.csv', 'key': 'file', 'columns': ['tone']}, **OWN),
    ),
    'table of MPIIGroupInteraction': Tree(
        write_mpii, 'samples.csv', lambda root: MPIIGroupInteraction(str(root / 'samples.csv'), str(root / 'tracks'))
    ),
    'gestures and their tracks': Tree(
        write_gestures, 'x.csv', lambda root: SocialGestureDataset(str(root / 'x.csv'), str(root / 'tracks'))
    ),
    'state of a shard': Tree(
        write_shards,
        'out/.manifest/shard-0-of-2.working',
        lambda root: ShardManifest(root / 'out').merge_parts(['a.mp4', 'b.mp4']),
    ),
    'journal of a shard': Tree(
        write_shards,
        'out/.manifest/shard-0-of-2.jsonl',
        lambda root: ShardManifest(root / 'out').merge_parts(['a.mp4', 'b.mp4']),
    ),
    'state of a queue': Tree(write_state, 'queue/a.done', lambda root: state_of(root / 'queue', 'a', ['true'])),
    'rows of faces': Tree(write_faces_csv, 'faces.csv', lambda root: rows_of_csv(root / 'faces.csv')),
    'a video of the app': Tree(write_item_of_app, f'{"0" * 16}/item.json', lambda root: read_item(root / ('0' * 16))),
    'a result of the app': Tree(
        write_item_of_app, f'{"0" * 16}/result.json', lambda root: read_item(root / ('0' * 16))
    ),
}
