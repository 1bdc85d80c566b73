from __future__ import annotations

from pathlib import Path

import face_trees as trees

from face_aux.datasets.unlabelled import UnlabelledFaces
from face_aux.datasets.unlabelled_notes import notes_on


def test_faces_alike_need_one_line(tmp_path: Path) -> None:
    for i in range(3):
        trees.image(tmp_path / f'{i}.png', seed=i)
    more = UnlabelledFaces(str(tmp_path), pipeline=dict)
    assert notes_on(more, more.item, 3) == [
        f'unlabelled: 3 faces of {tmp_path}, 1 beside each labelled one; their groups are not known'
    ]
