from __future__ import annotations

from pathlib import Path

import pytest
from face_trees import image, rafdb

from bmoe_ground.errors import UserError
from face_aux.datasets import CsvFaces, RafDb
from face_aux.datasets.groups import UnknownGroups


@pytest.mark.parametrize('value', ['-1', '-1.0', ' -1 ', -1, 'NA', 'n/a', '', 'nan', float('nan'), None, 'Unknown'])
def test_codes_and_words_of_the_unknown(value: object) -> None:
    assert UnknownGroups([-1])('race', value)
    assert not UnknownGroups([-1])('race', '1')
    assert not UnknownGroups({'age': [9, 'x']})('race', '9')
    assert UnknownGroups({'age': [9, 'X']})('age', 'x')


@pytest.mark.parametrize('codes', ['9', {'race': '9'}, {'race': 9}])
def test_codes_that_are_no_list(codes: object) -> None:
    with pytest.raises(UserError, match=r'expected a list such as \[-1, 9\]'):
        UnknownGroups(codes)  # type: ignore[arg-type]


def test_codes_in_a_table_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ['a,31,1', 'b,-1,2', 'c,NA,9', 'd,12,9.0', 'e,,1']
    for row in rows:
        image(tmp_path / f'{row[0]}.png')
    lines = ['path,smile,age,race', *(f'{r[0]}.png,{("no", "yes")[i % 2]}{r[1:]}' for i, r in enumerate(rows))]
    (tmp_path / 'labels.csv').write_text('\n'.join(lines))
    said: list[str] = []
    monkeypatch.setattr('face_aux.datasets.base.print_log', lambda text, **kwargs: said.append(text))
    options = {'data_root': tmp_path, 'labels': {'smile': ['no', 'yes']}, 'group_columns': [{'age': [0, 18]}, 'race']}
    data = CsvFaces(**options, unknown_groups={'age': [-1], 'race': [9]})
    assert [item['groups'] for item in map(data.get_data_info, range(5))] == [
        {'age': '18+', 'race': '1'},
        {'race': '2'},
        {},
        {'age': '0-17'},
        {'race': '1'},
    ]
    assert said == [f'CsvFaces({str(tmp_path)!r}): group not known, of 5 samples: age of 3, race of 2']
    with pytest.raises(UserError, match=r"labels.csv:3: age is '-1'.*; if that means unknown: unknown_groups=\[-1\]"):
        CsvFaces(**options)


def test_codes_of_rafdb(tmp_path: Path) -> None:
    file = rafdb(tmp_path) / 'basic/Annotation/manual/train_00001_manu_attri.txt'
    file.write_text('1.5 2.5\n' * 5 + '-1\n0\n2\n')
    with pytest.raises(UserError, match=r'if that means unknown: unknown_groups=\[-1\]'):
        RafDb(data_root=tmp_path, split='train')
    data = RafDb(data_root=tmp_path, split='train', unknown_groups=[-1])
    assert 'gender' not in data.get_data_info(0)['groups']
