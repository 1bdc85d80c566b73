"""AffectNet where and as people have it."""

from __future__ import annotations

import shutil
from pathlib import Path

import face_trees as trees
import numpy as np
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import AffectNet
from face_aux.datasets.base import FaceDataset


def paths(data: FaceDataset) -> list[Path]:
    return [Path(data[i]['path']) for i in range(len(data))]  # type: ignore[attr-defined]


def test_affectnet_lists_beside_its_images(tmp_path: Path) -> None:
    trees.affectnet_csv(tmp_path)
    (tmp_path / 'Manually_Annotated_file_lists').mkdir()
    for name in ('training.csv', 'validation.csv'):
        (tmp_path / name).rename(tmp_path / 'Manually_Annotated_file_lists' / name)
    (tmp_path / 'images').rename(tmp_path / 'Manually_Annotated_Images')
    data = AffectNet(data_root=tmp_path)
    assert len(data) == 4
    assert all(path.is_file() for path in paths(data))


def test_affectnet_folders_by_either_name_and_any_suffix(tmp_path: Path) -> None:
    trees.affectnet_npy(tmp_path)
    (tmp_path / 'train_set').rename(tmp_path / 'train')
    (tmp_path / 'val_set').rename(tmp_path / 'val')
    (tmp_path / 'val/images/0.jpg').rename(tmp_path / 'val/images/0.png')
    data = AffectNet(data_root=tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths(data)] == [
        'train/images/0.jpg', 'train/images/1.jpg', 'val/images/0.png']  # fmt: skip
    shutil.rmtree(tmp_path / 'val')
    with pytest.raises(UserError, match=r"split='val'\): not there; neither training.csv"):
        AffectNet(data_root=tmp_path, split='val')


@pytest.mark.parametrize('content', [b'', b'\x93NUMPY\1\0\x76\0{', b'\x93NUMPY\1\0\x10\0{"shape": (10**9,',
                                     bytes(100_000)])  # fmt: skip
def test_affectnet_damaged_annotations_are_named(tmp_path: Path, content: bytes) -> None:
    trees.affectnet_npy(tmp_path)
    (tmp_path / 'train_set/annotations/0_exp.npy').write_bytes(content)
    with pytest.raises(UserError, match='0_exp.npy: not a one-value .npy file'):
        AffectNet(data_root=tmp_path)
    np.save(tmp_path / 'train_set/annotations/0_exp.npy', np.array(['1', '2']))
    with pytest.raises(UserError, match='0_exp.npy: not a one-value .npy file'):
        AffectNet(data_root=tmp_path)
