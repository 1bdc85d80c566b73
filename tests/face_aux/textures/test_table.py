from __future__ import annotations

import pytest

from bmoe_ground.errors import UserError
from face_aux.textures import DESCRIPTORS
from face_aux.textures.table import register_texture


def test_a_name_is_one_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DESCRIPTORS, 'MINE', DESCRIPTORS['LBP'])
    register_texture('MINE', DESCRIPTORS['LBP'])  # a config may be read twice
    with pytest.raises(UserError, match="'MINE': another descriptor has this name"):
        register_texture('MINE', DESCRIPTORS['LDP'])
    assert DESCRIPTORS['MINE'] is DESCRIPTORS['LBP']
