from __future__ import annotations

from pathlib import Path

from face_trees import celeba, utkface

from face_aux.datasets import CelebA, UTKFace
from face_aux.datasets.counts import count_classes
from face_aux.datasets.records import Record
from face_aux.labels import IGNORE, Task


def test_samples_without_a_label_do_not_count() -> None:
    records = [Record(str(i), {'age': label}) for i, label in enumerate([0, 2, 2, IGNORE])] + [Record('x', {})]
    assert count_classes(records, {'age': Task(('a', 'b', 'c'))}) == {'age': {'a': 1, 'b': 0, 'c': 2}}


def test_data_sets_state_their_counts(tmp_path: Path) -> None:
    utk = UTKFace(data_root=utkface(tmp_path / 'utk'), tasks=['gender'])
    assert utk.metainfo['class_counts'] == {'gender': {'male': 1, 'female': 2}}
    faces = CelebA(data_root=celeba(tmp_path / 'celeba'), split='train')
    counts = faces.metainfo['class_counts']
    assert len(counts) == 40
    for i, name in enumerate(faces.metainfo['tasks']['attributes']['classes']):
        positive = sum(faces[k]['gt']['attributes'][i] for k in range(len(faces)))
        assert counts[f'attributes:{name}'] == {f'not {name}': len(faces) - positive, name: positive}
