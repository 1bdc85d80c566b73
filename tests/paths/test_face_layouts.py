"""Sets as their archives unpack, and splits that would part a person."""

from __future__ import annotations

from pathlib import Path

import face_trees as trees
import pytest

from bmoe_ground.errors import UserError
from face_aux.datasets import CelebA, Fer2013, FolderFaces, UTKFace
from face_aux.datasets.base import FaceDataset


def paths(data: FaceDataset) -> list[Path]:
    return [Path(data[i]['path']) for i in range(len(data))]  # type: ignore[attr-defined]


def official_celeba(root: Path, **options: object) -> Path:
    trees.celeba(root, **options)  # type: ignore[arg-type]
    for folder, names in {'Anno': ('list_attr_celeba.txt', 'identity_CelebA.txt'), 'Eval': ('list_eval_partition.txt',),
                          'Img': ('img_align_celeba',)}.items():  # fmt: skip
        (root / folder).mkdir()
        for name in names:
            (root / name).rename(root / folder / name)
    return root


def test_celeba_as_it_unpacks(tmp_path: Path) -> None:
    data = CelebA(data_root=official_celeba(tmp_path), split='train')
    assert [path.relative_to(tmp_path).as_posix() for path in paths(data)] == [
        'Img/img_align_celeba/000001.jpg', 'Img/img_align_celeba/000004.jpg']  # fmt: skip
    assert all(path.is_file() for path in paths(data))


def test_celeba_without_identities_is_split_officially_only(tmp_path: Path) -> None:
    root = official_celeba(tmp_path, n=30)
    halves = {'fractions': {'a': 0.5, 'b': 0.5}, 'part': 'a'}
    assert 14 <= len(CelebA(data_root=root, **halves)) <= 16
    (root / 'Anno' / 'identity_CelebA.txt').unlink()
    with pytest.raises(UserError, match=r"30 of 30 images have no identity.*identity_CelebA.txt.*split='train'"):
        CelebA(data_root=root, **halves)
    with pytest.raises(UserError, match='10 of 10 images have no identity'):
        CelebA(data_root=root, split='train', **halves)
    assert len(CelebA(data_root=root, split='train')) == 10


def test_fer2013_in_the_folder_of_its_archive(tmp_path: Path) -> None:
    (tmp_path / 'fer2013').mkdir()
    trees.fer2013(tmp_path / 'fer2013')
    assert len(Fer2013(data_root=tmp_path)) == 5


def test_linked_folders(tmp_path: Path) -> None:
    trees.utkface(tmp_path / 'disk')
    (tmp_path / 'set').mkdir()
    (tmp_path / 'set' / 'part').symlink_to(tmp_path / 'disk')
    (tmp_path / 'disk' / 'round').symlink_to(tmp_path / 'set')
    assert len(UTKFace(data_root=tmp_path / 'set')) == 3
    trees.image(tmp_path / 'photos' / 'x.jpg')
    for name in ('happy', 'sad'):
        trees.image(tmp_path / 'folders' / name / f'{name}.jpg')
    (tmp_path / 'folders' / 'happy' / 'more').symlink_to(tmp_path / 'photos')
    (tmp_path / 'folders' / 'happy' / 'up').symlink_to(tmp_path / 'folders')
    data = FolderFaces(data_root=tmp_path / 'folders')
    assert [(path.name, data[i]['gt']['label']) for i, path in enumerate(paths(data))] == [
        ('happy.jpg', 0), ('x.jpg', 0), ('sad.jpg', 1)]  # fmt: skip
