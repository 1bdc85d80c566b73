from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import TrackDataset
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


@pytest.mark.slow
def test_the_option_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    tracks = write_tracks(tmp_path / 'poses', 8)
    files = sorted(path.relative_to(tracks).as_posix()[:-4] for path in tracks.rglob('*.npz'))
    lines = [f'{name},{name.split("/")[0]},p{i % 6}' for i, name in enumerate(files)]
    (tmp_path / 'list.csv').write_text('\n'.join(['video,label,subject', *lines]))
    config = str(Path(__file__).resolve().parents[3] / 'configs' / 'own_clips.py')
    options = ['--cfg-options', f'dataset.tracks={tracks}', 'dataset.ann_file=list.csv']
    train_main([config, '--epochs', '1', '--split-by', 'subject', *options])
    assert run_test([config, 'work_dirs/own_clips/best.pth', '--split-by', 'subject', *options]) == 0
    assert 'data: clips train 16, val 4; 3 classes' in capsys.readouterr().out  # of three and one of six persons
    (tmp_path / 'list.csv').write_text('\n'.join(['video,label', *(line.rpartition(',')[0] for line in lines)]))
    with pytest.raises(UserError, match='split_by=subject needs a column "subject"'):
        train_main([config, '--work-dir', 'other', '--split-by', 'subject', *options])
