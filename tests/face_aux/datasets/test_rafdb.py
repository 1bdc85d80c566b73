"""RAF-DB where and as people have it."""

from __future__ import annotations

from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import RafDb
from face_aux.datasets.base import FaceDataset


def paths(data: FaceDataset) -> list[Path]:
    return [Path(data[i]['path']) for i in range(len(data))]  # type: ignore[attr-defined]


def test_rafdb_lists_and_images_where_people_have_them(tmp_path: Path) -> None:
    base = trees.rafdb(tmp_path) / 'basic'
    expected = [path.name for path in paths(RafDb(data_root=tmp_path))]
    (base / 'EmoLabel' / 'list_patition_label.txt').rename(base / 'list_patition_label.txt')
    (base / 'Image' / 'aligned').rename(base / 'Image' / 'inner')
    (base / 'Image' / 'aligned').mkdir()
    (base / 'Image' / 'inner').rename(base / 'Image' / 'aligned' / 'aligned')
    for root in (tmp_path, base):
        data = RafDb(data_root=root)
        assert [path.name for path in paths(data)] == expected
        assert all(path.is_file() for path in paths(data))
    with pytest.raises(UserError, match="data_root must be RAF-DB's folder"):
        RafDb(data_root=tmp_path / 'elsewhere')
