"""The first thing that anybody tries: one epoch on ten samples, then test and predict, in one process."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skeleton_clips import moving_clip, write_tracks

from bmoe_app.cli import dispatch
from bmoe_ground.errors import UserError

CLIPS = ['num_frames=16', 'model.dims=16', 'model.expert.dims=[8,8]', 'model.global_stream.dims=[8,8]']
SKELETON_STREAM = ['model.global_stream.type=SkeletonStream', 'model.global_stream.depths=[1,1]']
NO_WORKERS = [f'{part}_dataloader.{key}' for part in ('train', 'val', 'test')
              for key in ('num_workers=0', 'persistent_workers=false')]  # fmt: skip
FACES = [*NO_WORKERS, 'size=16', 'model.encoder.embed_dim=16', 'model.encoder.depth=1', 'model.encoder.num_heads=2',
         'model.encoder.stem=null']  # fmt: skip


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bmoe(words: str, *options: str) -> int:
    """A command as it is typed, with ``--cfg-options`` where there are any."""
    return dispatch([*words.split(), *(['--cfg-options', *options] if options else [])])


def ten_faces(folder: Path, name: str) -> Path:
    """Ten images called by a pattern of i, of which every other one is bright."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(10):
        pixels = rng.integers(0, 100, (20, 20, 3)) + 100 * (i % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name.format(i=i, side=i % 2, race=i % 3))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(('config', 'options'), [('own_clips', CLIPS), ('bmoe_skel', [*CLIPS, *SKELETON_STREAM])])
def test_ten_clips(config: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_tracks(Path('poses'), 5, ('arms', 'head'))
    options = [*options, *NO_WORKERS]
    assert bmoe(f'train {config} --epochs 1', *options) == 0
    assert 'train: 6 samples, fewer than a batch' in capsys.readouterr().out
    work = Path('work_dirs', config)
    assert bmoe(f'test {config} {work}/best.pth', *options) == 0
    assert 0 <= json.loads((work / 'metrics.json').read_text())['top1'] <= 1
    assert bmoe(f'infer poses --checkpoint {work}/best.pth --out answers --quiet --no-page') == 0
    assert len(list(Path('answers').rglob('*.events.csv'))) == 10


@pytest.mark.slow
def test_a_schedule_longer_than_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    clips = [{'frame_dir': str(i), 'label': i % 2, 'keypoint': moving_clip(i % 2, rng)} for i in range(10)]
    names = [clip['frame_dir'] for clip in clips]
    content = {'annotations': clips, 'split': {'train': names[:6], 'test': names[6:]}, 'metainfo': {'layout': 'coco17'}}
    Path('clips.pkl').write_bytes(pickle.dumps(content))
    options = [*CLIPS, 'dataset.ann_file=clips.pkl', 'max_epochs=1', 'train_dataloader.dataset.epoch_clips=0']
    assert bmoe('train benchmarks/skeleton_small', *options) == 0
    assert 'note: CosineAnnealingLR is left out: it begins after epoch 2 and the training has 1' in (
        capsys.readouterr().out
    )
    checkpoint = 'work_dirs/skeleton_small/epoch_1.pth'
    assert bmoe(f'test benchmarks/skeleton_small {checkpoint}', *options) == 0
    assert bmoe(f'infer clips.pkl --checkpoint {checkpoint} --out answers --quiet --no-page') == 0


@pytest.mark.slow
def test_ten_faces_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ten_faces(Path('data/my_faces'), '{i}.png')
    rows = [f'{i}.png,{("neutral", "smile")[i % 2]}' for i in range(10)]
    (folder / 'labels.csv').write_text('\n'.join(['path,expression', *rows]))
    assert bmoe('train own_faces --epochs 1', *FACES) == 0
    assert 'fewer than a batch' in capsys.readouterr().out
    assert bmoe('test own_faces work_dirs/own_faces/best.pth', *FACES) == 0
    given = '--checkpoint work_dirs/own_faces/best.pth --detector none --out faces.csv --device cpu'
    assert bmoe(f'face predict {folder} {given}') in (0, 1)  # labels.csv is neither image nor video, and is said
    assert Path('faces.csv').read_text().count('ok') == 10

    (folder / 'labels.csv').write_text('\n'.join(['path,expression', *(f'{i}.png,smile' for i in range(10))]))
    with pytest.raises(UserError, match="task 'expression': the training samples have one class only, 'smile'"):
        bmoe('train own_faces --epochs 1 --work-dir other', *FACES)


@pytest.mark.slow
def test_ten_faces_of_a_public_set(capsys: pytest.CaptureFixture[str]) -> None:
    ten_faces(Path('data/utkface'), '{i}_{side}_{race}_2017000000000000{i}.jpg')
    assert bmoe('train face_aux/utkface --epochs 1', *FACES) == 0
    said = capsys.readouterr().out
    assert 'note: val has images of one class only (gender: ' in said
    assert 'note: train has no images of race: ' in said
    assert bmoe('test face_aux/utkface work_dirs/utkface/best.pth', *FACES) == 0
    assert Path('work_dirs/utkface/fairness.html').is_file()
    given = '--checkpoint work_dirs/utkface/best.pth --detector none --out faces.json --device cpu'
    assert bmoe(f'face predict data/utkface {given}') == 0
