from __future__ import annotations

from pathlib import Path

import pytest
from skeleton_clips import write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import TrackDataset


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
