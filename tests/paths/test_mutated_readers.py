"""Every reader of a file that a stranger may have written, with its bytes and its fields changed: read, or UserError.

The readers of poses, tracks and manifests have ``tests/paths/test_mutations.py``; those of pickles, pictures, videos
and checkpoints ``tests/bmoe_ground/test_safe_pickle.py`` and ``tests/paths/test_hostile_files.py``.
"""

from __future__ import annotations

import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mutations import NESTED, ODD, hold, mutate_bytes, mutate_value
from own_layout import SOFA9

from bmoe_app.commands.face_predict import read_label_map
from bmoe_app.exports.read import read_event_table, read_events
from bmoe_ground.elan import read_annotations as read_elan_annotations
from bmoe_ground.errors import UserError
from bmoe_ground.tables import read_labels, read_table
from bmoe_ground.texts import read_lines
from bmoe_skel.datasets.event_tables import read_event_tables
from bmoe_skel.datasets.ma52.lists import read_list
from bmoe_skel.datasets.social_gesture import COLUMNS, read_gestures
from bmoe_skel.datasets.tracks import read_annotations
from bmoe_skel.metrics.localization import read_segments
from bmoe_skel.models.heads import load_label_embeddings
from bmoe_skel.report_page.learning import read_curve
from bmoe_skel.submission import read_scores
from bmoe_skel.transforms.side_inputs import read_feature
from face_aux.datasets.deepfake import load_json
from mm_runtime.config_text import parse_config_text
from pose_extract.boxes import read_boxes
from pose_extract.skeletons import load_layout

COUNT = int(os.environ.get('MUTATIONS', '25'))
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


def held(path: Path, raw: bytes, read: Read, where: str) -> str:
    path.write_bytes(raw)
    return hold(lambda: read(path), UserError, where)


@pytest.mark.parametrize('kind', TEXTS)
def test_texts(tmp_path: Path, kind: str) -> None:
    name, text, read = TEXTS[kind]
    rng = np.random.default_rng(1)
    assert held(tmp_path / name, text.encode(), read, kind) == 'read'
    rows = [line.split(',') for line in text.split('\n')]
    for number in range(COUNT):
        held(tmp_path / name, mutate_bytes(text.encode(), rng), read, f'{kind} bytes {number}')
        cells = [row if isinstance(row, list) else [row] for row in mutate_value(rows, rng)]
        changed = '\n'.join(','.join(str(cell) for cell in row) for row in cells)
        held(tmp_path / name, changed.encode(errors='surrogatepass'), read, f'{kind} cells {number}')


@pytest.mark.parametrize('kind', VALUES)
def test_values(tmp_path: Path, kind: str) -> None:
    name, value, write, read = VALUES[kind]
    rng = np.random.default_rng(2)
    odd = [each for each in ODD if each is not NESTED or name != 'x.yaml']  # too deep for YAML's writer
    assert held(tmp_path / name, write(value), read, kind) == 'read'
    for number in range(COUNT):
        held(tmp_path / name, mutate_bytes(write(value), rng), read, f'{kind} bytes {number}')
        for _ in range(3):
            held(tmp_path / name, write(mutate_value(value, rng, odd)), read, f'{kind} fields {number}')


@pytest.mark.parametrize('kind', ARRAYS)
def test_arrays(tmp_path: Path, kind: str) -> None:
    array, read = ARRAYS[kind]
    rng = np.random.default_rng(3)
    odd = [array[..., :0], array * np.nan, array.astype(complex), array.astype(str), array > 0, np.array(5.0)]
    for number, given in enumerate([array, *odd]):
        buffer = io.BytesIO()
        np.save(buffer, given)
        raw = buffer.getvalue()
        assert held(tmp_path / 'x.npy', raw, read, f'{kind} {number}') == ('refused' if number else 'read')
        for _ in range(COUNT // 4):
            held(tmp_path / 'x.npy', mutate_bytes(raw, rng), read, f'{kind} {number}')
