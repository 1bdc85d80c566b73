from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import face_trees as trees
import numpy as np
import pytest
import torch
from blob_faces import BlobDetector, frame, movie, picture
from brightness import TASKS, checkpoint
from PIL import Image

from bmoe_ground.errors import UserError
from face_aux.checkpoint import load_face_model
from face_aux.detection import CropSettings, Face, build_detector
from face_aux.detection.source import FaceSource, Job, find_inputs
from face_aux.images import read_image
from face_aux.inferencer import FaceInferencer
from face_aux.predictions import Prediction, count_files, csv_text, json_text, write_predictions
from face_aux.registry import MODELS
from face_aux.video_reader import VideoReader


@pytest.fixture
def inferencer(tmp_path: Path) -> FaceInferencer:
    return FaceInferencer(load_face_model(checkpoint(tmp_path / 'model.pth')), BlobDetector(), batch_size=4)


def test_every_file_has_a_status_and_the_right_score(tmp_path: Path, inferencer: FaceInferencer) -> None:
    data = tmp_path / 'in'
    picture(data / 'a.png', (10, 10, 20, 51))
    picture(data / 'b.png')
    picture(data / 'sub/c.png', (10, 10, 20, 204), (60, 20, 40, 102))
    (data / 'broken.jpg').write_bytes(b'nothing')
    (data / 'notes.txt').write_text('x')
    rows = inferencer.predict([data, tmp_path / 'gone.png'])
    assert [(Path(r.file).name, r.status) for r in rows] == [
        ('a.png', 'ok'),
        ('b.png', 'no face'),
        ('broken.jpg', 'unreadable'),
        ('notes.txt', 'skipped'),
        ('c.png', 'ok'),
        ('gone.png', 'missing'),
    ]
    assert rows[0].scores['light'] == pytest.approx({'dark': 0.8, 'bright': 0.2})
    assert rows[0].labels == {'light': 'dark'}
    assert rows[4].scores['light']['bright'] == pytest.approx(0.4)  # the larger of the two
    assert rows[4].box == (60, 20, 100, 60)
    assert rows[2].message.startswith('not an image of a format that is read (JPEG, PNG, ')
    assert count_files(rows) == {'ok': 2, 'no face': 1, 'unreadable': 1, 'skipped': 1, 'missing': 1}


def test_all_faces_and_batches_across_files(tmp_path: Path) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    inferencer = FaceInferencer(model, BlobDetector(), faces='all', batch_size=4)
    for i in range(5):
        picture(tmp_path / 'in' / f'{i}.png', (5, 5, 20, 50 + i), (50, 10, 30, 100 + i))
    rows = inferencer.predict([tmp_path / 'in'])
    assert [round(r.scores['light']['bright'] * 255) for r in rows] == [v for i in range(5) for v in (100 + i, 50 + i)]
    assert [r.face for r in rows] == [0, 1] * 5
    assert model.model.batches == [4, 4, 2]


def test_video_has_frames_and_a_mean(tmp_path: Path, inferencer: FaceInferencer) -> None:
    frames = [frame(((10 + 2 * t, 20, 30, 100 + 5 * t),)) for t in range(20)]
    frames[8:11] = [frame(()) for _ in range(3)]
    rows = inferencer.predict([movie(tmp_path / 'v.avi', frames)])
    by_frame = [r for r in rows if r.level == 'frame']
    assert [r.frame for r in by_frame] == list(range(20))
    assert [t for t, r in enumerate(by_frame) if r.status != 'ok'] == [8, 9, 10]  # nobody is there: no label either
    assert {r.status for r in by_frame[8:11]} == {'no face'}
    assert [r.time for r in by_frame[:3]] == pytest.approx([0, 0.1, 0.2])
    for t in (0, 3, 15, 19):
        assert by_frame[t].scores['light']['bright'] == pytest.approx((100 + 5 * t) / 255, abs=0.03)
    whole = [r for r in rows if r.level == 'video']
    assert len(whole) == 1
    assert whole[0].samples == 17
    mean = np.mean([r.scores['light']['bright'] for r in by_frame if r.status == 'ok'])
    assert whole[0].scores['light']['bright'] == pytest.approx(mean)


def test_video_with_two_people(tmp_path: Path) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    frames = [frame(((10 + t, 20, 30, 100), (100 - t, 60, 20, 200))) for t in range(10)]
    path = movie(tmp_path / 'v.avi', frames)
    rows = FaceInferencer(model, BlobDetector(), faces='all').predict([path])
    means = {r.face: r.scores['light']['bright'] * 255 for r in rows if r.level == 'video'}
    assert means == pytest.approx({0: 100, 1: 200}, abs=3)
    rows = FaceInferencer(model, BlobDetector(), faces='largest', max_frames=4).predict([path])
    assert [r.level for r in rows] == ['frame'] * 4 + ['video']
    assert [r.frame for r in rows[:4]] == [1, 3, 6, 8]


def test_videos_without_faces_or_frames(tmp_path: Path, inferencer: FaceInferencer) -> None:
    empty = movie(tmp_path / 'empty.avi', [frame(()) for _ in range(5)])
    bad = tmp_path / 'bad.mp4'
    bad.write_bytes(b'x' * 100)
    late = movie(tmp_path / 'late.avi', [frame(()) for _ in range(15)] + [frame(((9, 9, 30, 99),)) for _ in range(5)])
    rows = inferencer.predict([empty, bad, late])
    assert [(r.status, r.level) for r in rows[:2]] == [('no face', 'video'), ('unreadable', 'video')]
    assert rows[0].message == 'no face in 5 frames'
    assert [r.status for r in rows[2:22]] == ['no face'] * 15 + ['ok'] * 5
    assert rows[22].samples == 5
    assert count_files(rows) == {'no face': 1, 'unreadable': 1, 'ok': 1}


def test_clip_models(tmp_path: Path) -> None:
    load = {'type': 'LoadFaceClip', 'length': 4, 'interval': 2}
    model = load_face_model(checkpoint(tmp_path / 'model.pth', load))
    inferencer = FaceInferencer(model, BlobDetector(), max_frames=3)
    path = movie(tmp_path / 'v.avi', [frame(((30, 20, 30, 100 + 5 * t),)) for t in range(24)])
    still = picture(tmp_path / 'a.png', (10, 10, 20, 51))
    short = movie(tmp_path / 's.avi', [frame(((30, 20, 30, 100),)) for _ in range(2)])
    rows = inferencer.predict([path, still, short])
    clips = [r for r in rows if r.level == 'clip' and r.file == str(path)]
    assert [c.frame for c in clips] == [0, 8, 17]
    for clip in clips:
        assert clip.frame is not None
        expected = np.mean([100 + 5 * (clip.frame + 2 * i) for i in range(4)])
        assert clip.scores['light']['bright'] * 255 == pytest.approx(expected, abs=3)
    assert [r.status for r in rows if r.file == str(still)] == ['unreadable']
    assert [r.level for r in rows if r.file == str(short)] == ['clip', 'video']


def test_multi_label_rows(tmp_path: Path) -> None:
    tasks = {**TASKS, 'flags': {'classes': ['x', 'y', 'z'], 'multi_label': True}}

    def add(content: dict) -> None:
        content['meta']['dataset_meta']['tasks'] = tasks
        content['meta']['cfg'] = content['meta']['cfg'].replace(
            'heads=dict(', "heads=dict(flags=dict(type='multi_label'), "
        )

    model = load_face_model(checkpoint(tmp_path / 'model.pth', change=add))
    picture(tmp_path / 'a.png', (10, 10, 20, 204))
    (row,) = FaceInferencer(model, BlobDetector()).predict([tmp_path / 'a.png'])
    assert row.labels == {'light': 'bright', 'flags': ['x', 'z']}
    (cells,) = csv.DictReader(io.StringIO(csv_text([row], model.tasks)))
    assert cells['flags'] == 'x;z'
    assert float(cells['flags:y']) == pytest.approx(0.2)


def test_csv_and_json_hold_every_row(tmp_path: Path) -> None:
    rows = [
        Prediction('a, b.png', 'image', face=0, box=(1, 2, 3, 4.56), confidence=0.5,
                   scores={'light': {'dark': 0.25, 'bright': 0.75}}, labels={'light': 'bright'}),
        Prediction('c.png', 'image', 'no face', 'no face found'),
    ]  # fmt: skip
    tasks = {'light': ['dark', 'bright']}
    first, second = csv.DictReader(io.StringIO(csv_text(rows, tasks)))
    assert (first['file'], first['light'], first['y2'], first['light:bright']) == (
        'a, b.png',
        'bright',
        '4.6',
        '0.750000',
    )
    assert (second['status'], second['light']) == ('no face', '')
    plain = json.loads(json_text(rows, tasks, {'x': 1}))
    assert plain['files'] == {'ok': 1, 'no face': 1}
    assert plain['predictions'][0]['scores'] == {'light': {'dark': 0.25, 'bright': 0.75}}
    assert plain['predictions'][1] == {
        'file': 'c.png',
        'level': 'image',
        'status': 'no face',
        'message': 'no face found',
    }
    with pytest.raises(UserError, match=r'expected a name that ends in .csv or .json'):
        write_predictions(tmp_path / 'x.xlsx', rows, tasks, {})


def test_find_inputs(tmp_path: Path) -> None:
    for name in ('b.JPG', 'a/x.mp4', 'a/.hidden.png', 'weird'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('')
    kinds = find_inputs([tmp_path, tmp_path / 'b.JPG', tmp_path / 'weird'])
    assert [(Path(p).name, k) for p, k in kinds] == [('x.mp4', 'video'), ('b.JPG', 'image'), ('weird', 'image')]
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'no files in .*empty'):
        find_inputs([tmp_path / 'empty'])


def test_checkpoints_are_refused_by_name(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / 'model.pth')
    with pytest.raises(UserError, match=r"model.pth: task 'light' was trained with the classes \['dark', 'bright'\]"):
        load_face_model(path, label_map={'light': ['bright', 'dark']})
    with pytest.raises(UserError, match=r"model.pth: has no task 'gender'; its tasks are \['light'\]"):
        load_face_model(path, label_map={'gender': ['m', 'f']})
    cases = {
        'holds weights but no config': lambda c: c['meta'].pop('cfg'),
        'config describes no model': lambda c: c['meta'].update(cfg='a = 1'),
        r'line 1 of its config holds more than literals': lambda c: c['meta'].update(cfg='a = open("x")'),
        r'scale has shape \(2,\), but its config gives \(1,\)': lambda c: c['state_dict'].update(scale=torch.ones(2)),
        r'weights do not fit its config; missing \[\'scale\'\]': lambda c: c['state_dict'].pop('scale'),
        r"was trained with the classes \['dark', 'bright'\], but \['bright', 'dark'\]": lambda c: c['meta'].update(
            dataset_meta={'tasks': {'light': {'classes': ['bright', 'dark'], 'multi_label': False}}}
        ),
        "names 'Nothing' as model, which is none of face_aux": lambda c: c['meta'].update(
            cfg=c['meta']['cfg'].replace('BrightnessModel', 'Nothing')
        ),
    }
    for message, change in cases.items():
        with pytest.raises(UserError, match=message):
            load_face_model(checkpoint(tmp_path / 'bad.pth', change=change))
    torch.save({'state_dict': {}, 'hook': print}, tmp_path / 'evil.pth')
    with pytest.raises(UserError, match=r'evil.pth is refused'):
        load_face_model(tmp_path / 'evil.pth')


@pytest.mark.parametrize(
    'change',
    [
        lambda text: text.replace("type='BrightnessModel'", "type='os.system', command='touch executed'"),
        lambda text: text.replace("type='BrightnessModel'", "type='BrightnessModel', _scope_='os'"),
        lambda text: text.replace('heads=dict(', "heads=dict(x=dict(type='os.system', classes=['a', 'b']), "),
        lambda text: text.replace("type='LoadFace'", "type='os.system', command='touch executed'"),
    ],
)
def test_what_a_checkpoint_names_is_not_run(tmp_path: Path, monkeypatch, change: Callable[[str], str]) -> None:
    monkeypatch.chdir(tmp_path)

    def alter(content: dict) -> None:
        changed = change(content['meta']['cfg'])
        assert changed != content['meta']['cfg']
        content['meta']['cfg'] = changed

    with pytest.raises(UserError, match=r'bad.pth is refused'):
        FaceInferencer(load_face_model(checkpoint(tmp_path / 'bad.pth', change=alter)), BlobDetector())
    assert not (tmp_path / 'executed').exists()


def test_files_and_addresses_that_a_checkpoint_names_are_not_opened(tmp_path: Path) -> None:
    encoder = {'name': 'vit_tiny_patch16_224', 'img_size': 32, 'depth': 1, 'checkpoint_path': str(tmp_path / 'secret'),
               'pretrained': True}  # fmt: skip
    model = {'type': 'TextureJointModel', 'encoder': encoder, 'heads': {'light': {'classes': ['dark', 'bright']}},
             'auxiliary': None, 'data_preprocessor': {'type': 'BaseDataPreprocessor'}}  # fmt: skip
    built = MODELS.build({**model, 'encoder': {k: encoder[k] for k in ('name', 'img_size', 'depth')}})

    def alter(content: dict) -> None:
        content['state_dict'] = built.state_dict()

    load_face_model(checkpoint(tmp_path / 'a.pth', change=alter, model=model))
    model['encoder']['name'] = 'hf-hub:somebody/model'
    with pytest.raises(UserError, match='timm has no model'):
        load_face_model(checkpoint(tmp_path / 'a.pth', change=alter, model=model))


def test_settings_come_from_the_checkpoint(tmp_path: Path) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth', face_crop={'margin': 0.5, 'align': False}))
    assert FaceInferencer(model, BlobDetector()).source.crop == CropSettings(0.5, 0.0, False)
    assert FaceInferencer(model, BlobDetector(), CropSettings()).source.crop == CropSettings()
    picture(tmp_path / 'a.png', (40, 40, 20, 200))
    (row,) = FaceInferencer(model, BlobDetector()).predict([tmp_path / 'a.png'])
    assert row.scores['light']['bright'] == pytest.approx(200 / 255 / 4, abs=0.01)  # three quarters are background
    with pytest.raises(UserError, match="faces must be one of surest, largest, all, got 'best'"):
        FaceInferencer(model, BlobDetector(), faces='best')


def test_every_sort_of_image(tmp_path: Path) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    data = tmp_path / 'in'
    data.mkdir()
    grey = np.full((40, 30), 102, np.uint8)
    Image.fromarray(grey).save(data / 'grey.png')
    cv2.imwrite(str(data / 'deep.png'), grey.astype(np.uint16) * 257)
    Image.fromarray(np.stack([grey] * 3, 2)).convert('CMYK').save(data / 'cmyk.jpg', quality=95)
    Image.new('RGB', (1, 1), (102, 102, 102)).save(data / 'tiny.png')
    Image.new('L', (6000, 5000), 102).save(data / 'huge.png')
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.stack([grey] * 3, 2)).save(data / 'turned.jpg', exif=exif, quality=95)
    rows = FaceInferencer(model, build_detector('none')).predict([data])
    assert len(rows) == 6
    for row in rows:
        assert row.status == 'ok', row.file
        assert row.scores['light']['bright'] == pytest.approx(0.4, abs=0.02), row.file
    turned = next(r for r in rows if 'turned' in r.file)
    assert turned.box == (0, 0, 40, 30)


def test_cropped_input_is_taken_as_it_is(tmp_path: Path) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth', face_crop={'margin': 1.0}))
    image = picture(tmp_path / 'a.png', (0, 0, 50, 200), (80, 0, 80, 100), size=(80, 160))
    path = movie(tmp_path / 'v.avi', [frame(((0, 0, 50, 200),), (50, 100))] * 3)
    rows = FaceInferencer(model, build_detector('none')).predict([image, path])
    expected = (50 * 50 * 200 + 80 * 80 * 100) / (80 * 160 * 255)
    assert rows[0].scores['light']['bright'] == pytest.approx(expected, abs=0.01)
    assert [r.scores['light']['bright'] for r in rows[1:]] == pytest.approx([100 / 255] * 4, abs=0.01)


def test_video_reader_samples(tmp_path: Path) -> None:
    reader = VideoReader(trees.video(tmp_path / 'v.mp4', frames=10))
    assert reader.sample(0) == [[i] for i in range(10)]
    assert reader.sample(3) == [[1], [5], [8]]
    assert reader.sample(99) == [[i] for i in range(10)]
    assert reader.sample(2, clip_length=3, interval=2) == [[0, 2, 4], [5, 7, 9]]
    assert reader.sample(5, clip_length=20) == [list(range(10))]
    levels = [(index, round(image.mean() / 20)) for index, _, image in reader.frames([2, 3, 9])]
    assert levels == [(2, 2), (3, 3), (9, 9)]


def test_a_model_that_diverged_is_refused_by_name(tmp_path: Path) -> None:
    def diverge(content: dict) -> None:
        content['state_dict']['scale'] = torch.tensor([float('nan')])

    model = load_face_model(checkpoint(tmp_path / 'bad.pth', change=diverge))
    with pytest.raises(UserError, match=r'bad.pth: scale holds NaN or infinite values, the training diverged'):
        FaceInferencer(model, BlobDetector())


def test_scores_that_are_not_finite_fail_their_row_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    inferencer = FaceInferencer(model, BlobDetector(), batch_size=8)
    prepare = inferencer._prepare

    def spoil(job: Job) -> torch.Tensor:
        inputs = prepare(job)
        return inputs * float('nan') if job.row.file.endswith('b.png') or job.row.frame == 3 else inputs

    monkeypatch.setattr(inferencer, '_prepare', spoil)
    for name in 'abc':
        picture(tmp_path / 'in' / f'{name}.png', (10, 10, 20, 51))
    movie(tmp_path / 'in' / 'v.avi', [frame(((10, 20, 30, 102),)) for _ in range(5)])
    rows = inferencer.predict([tmp_path / 'in'])
    assert [r.status for r in rows[:3]] == ['ok', 'failed', 'ok']
    assert rows[1].message == f"{tmp_path / 'model.pth'}: gives scores for 'light' that are NaN or infinite"
    assert (rows[1].scores, rows[1].labels) == ({}, {})
    assert [r.status for r in rows[3:8]] == ['ok', 'ok', 'ok', 'failed', 'ok']
    assert (rows[8].level, rows[8].samples) == ('video', 4)
    assert rows[8].scores['light']['bright'] == pytest.approx(0.4, abs=0.02)
    assert count_files(rows) == {'ok': 2, 'failed': 2}


def test_the_surest_face_and_not_the_largest_box(tmp_path: Path) -> None:
    class Doubtful(BlobDetector):
        """The large blob is a texture: 0.5 sure."""

        def detect(self, image: np.ndarray) -> list[Face]:
            return [replace(face, score=0.5 if face.side > 50 else 0.9) for face in super().detect(image)]

    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    blobs = ((5, 5, 60, 51), (100, 20, 30, 204))
    image = picture(tmp_path / 'a.png', *blobs)
    video = movie(tmp_path / 'v.avi', [frame(blobs)] * 6)
    for name in ('surest', 'largest'):
        rows = FaceInferencer(model, Doubtful(), faces=name).predict([image, video])
        assert [round(row.scores['light']['bright'], 1) for row in rows] == [0.8] * 8
    rows = FaceInferencer(model, Doubtful(), faces='all').predict([image])
    assert [round(row.scores['light']['bright'], 1) for row in rows] == [0.2, 0.8]


def test_a_photograph_that_lies_turned_is_said_to(tmp_path: Path) -> None:
    data = pytest.importorskip('skimage.data')
    pytest.importorskip('mediapipe')
    model = load_face_model(checkpoint(tmp_path / 'model.pth'))
    crops = []
    for turn in range(4):
        path = tmp_path / f'{turn}.png'
        Image.fromarray(np.rot90(data.astronaut(), -turn)).save(path)
        for settings in (CropSettings(), CropSettings(align=False)):
            inferencer = FaceInferencer(model, build_detector('mediapipe'), settings)
            (job,) = inferencer.source.jobs(find_inputs([path]))
            assert isinstance(job, Job)
            crops.append(job.frames[0].astype(float))
        assert ('lies' in job.row.message) == (turn > 0)
    assert 'a quarter turn counter-clockwise' in job.row.message
    for number, crop in enumerate(crops):  # each shows the face upright
        expected = cv2.resize(crops[number % 2], crop.shape[1::-1])
        assert np.corrcoef(crop.ravel(), expected.ravel())[0, 1] > 0.9


def test_pictures_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note(name: str, max_side: int | None) -> np.ndarray:
        read.append(name)
        return read_image(name, max_side)

    monkeypatch.setattr('face_aux.detection.source.AHEAD_BYTES', 3 * 100 * 160)
    monkeypatch.setattr('face_aux.detection.source.read_image', note)
    for i in range(6):
        picture(tmp_path / f'{i}.png', (10, 10, 20, 51))
    jobs = FaceSource(BlobDetector(), CropSettings()).jobs(find_inputs([tmp_path]))
    next(jobs)
    assert len(read) <= 1
    assert len(list(jobs)) == 5
    assert len(read) == 6


def test_camera_raws_and_broken_links_fail_and_are_named(tmp_path: Path, inferencer: FaceInferencer) -> None:
    Image.new('RGB', (90, 60)).save(tmp_path / 'a.tif')
    (tmp_path / 'a.tif').rename(tmp_path / 'IMG.CR2')
    (tmp_path / 'gone.jpg').symlink_to(tmp_path / 'nowhere.jpg')
    rows = inferencer.predict([tmp_path])
    assert [(Path(r.file).name, r.status) for r in rows] == [
        ('IMG.CR2', 'unreadable'), ('gone.jpg', 'missing'), ('model.pth', 'skipped')]  # fmt: skip
    assert 'develop it' in rows[0].message
