from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from skeleton_clips import moving_clip, write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import PosePickleDataset, TrackDataset
from mm_runtime.cli import test_main as run_test
from mm_runtime.cli import train_main


def test_no_subject_is_on_two_sides(tmp_path: Path) -> None:
    write_tracks(tmp_path / 'poses', 8)
    names = sorted(p.relative_to(tmp_path / 'poses').as_posix()[:-4] for p in (tmp_path / 'poses').rglob('*.npz'))
    who = {name: f'p{i % 6}' for i, name in enumerate(names)}
    table = tmp_path / 'list.csv'
    table.write_text('\n'.join(['video;label;subject', *(f'{n};{n.split("/")[0]};{who[n]}' for n in names)]))

    def of(part: str) -> list[str]:
        data = TrackDataset(str(tmp_path / 'poses'), part, str(table), split_by='subject')
        return [data.get_data_info(i)['frame_dir'] for i in range(len(data))]

    parts = [of(part) for part in ('train', 'val', 'test')]
    assert sorted(sum(parts, [])) == names
    seen = [{who[name] for name in part} for part in parts]
    assert sum(map(len, seen)) == 6
    table.write_text(f'video,label,split,subject\n{names[0]},a,train,p\n{names[1]},b,test,p\n')
    with pytest.raises(UserError, match=r"subject 'p' is in test and train \(1 such subjects\)"):
        of('train')
    table.write_text(f'video,label\n{names[0]},a\n')
    with pytest.raises(UserError, match='1 of 1 clips name none'):
        of('train')


def subjects_of(dataset: PosePickleDataset) -> set[str]:
    return {str(dataset.get_data_info(i)['subject']) for i in range(len(dataset))}


def test_a_pickle_whose_annotations_name_their_subject(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips: list[dict] = [
        {'frame_dir': f'{i}', 'label': i % 2, 'keypoint': moving_clip(i % 2, rng, 4), 'subject': i // 4}
        for i in range(20)
    ]
    content = {'annotations': clips, 'split': {'xsub_train': ['0']}, 'metainfo': {'layout': 'coco17'}}
    path = tmp_path / 'clips.pkl'
    path.write_bytes(pickle.dumps(content))
    parts = [PosePickleDataset(str(path), part, split_by='subject') for part in ('train', 'test')]
    assert [len(part) for part in parts] == [16, 4]
    people = [subjects_of(part) for part in parts]
    assert not people[0] & people[1]
    assert sorted(people[0] | people[1]) == list('01234')
    with pytest.raises(UserError, match="unknown part 'xsub_train'; choose of train, val, test"):
        PosePickleDataset(str(path), 'xsub_train', split_by='subject')
    del clips[7]['subject']
    clips[8]['subject'] = np.str_(' p ')  # numpy's texts and numbers name people too
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match='needs the key "subject" in every annotation: 1 of 20 .* first \'7\''):
        PosePickleDataset(str(path), 'train', split_by='subject')


@pytest.mark.slow
def test_the_option_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    tracks = write_tracks(tmp_path / 'poses', 8)
    files = sorted(path.relative_to(tracks).as_posix()[:-4] for path in tracks.rglob('*.npz'))
    lines = [f'{name},{name.split("/")[0]},p{i % 6}' for i, name in enumerate(files)]
    (tmp_path / 'list.csv').write_text('\n'.join(['video,label,subject', *lines]))
    config = str(Path(__file__).resolve().parents[3] / 'configs' / 'own_clips.py')
    options = ['--cfg-options', f'dataset.tracks={tracks}', 'dataset.ann_file=list.csv']
    said: list[str] = []
    monkeypatch.setattr('mm_runtime.console.print_log', lambda text, **kwargs: said.append(text))
    train_main([config, '--epochs', '1', '--split-by', 'subject', *options])
    assert [text.partition(',')[0] for text in said] == ['list.csv: split by subject: train 16 clips of 4 subjects']
    assert 'data: clips train 16, val 4; 3 classes' in capsys.readouterr().out
    assert run_test([config, 'work_dirs/own_clips/best.pth', '--split-by', 'subject', *options]) == 0
    (tmp_path / 'list.csv').write_text('\n'.join(['video,label', *(line.rpartition(',')[0] for line in lines)]))
    with pytest.raises(UserError, match='split_by=subject needs a column "subject"'):
        train_main([config, '--work-dir', 'other', '--split-by', 'subject', *options])
