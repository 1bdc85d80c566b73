"""Layouts that somebody declares: registered by name, carried along in files, never opened from them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from own_layout import SOFA9, forget_layouts, write_sofa9

from bmoe_ground.errors import UserError
from pose_extract.skeletons import (
    DECLARATION,
    embed_declaration,
    get_skeleton,
    load_layout,
    register_declaration,
    register_embedded,
    register_layout,
    resolve_skeleton,
    skeleton_names,
)
from pose_extract.tracks import PoseTracks, load_tracks, save_tracks

pytestmark = pytest.mark.usefixtures('only_built_in')


def sofa_tracks() -> PoseTracks:
    points = np.random.default_rng(0).uniform(0, 90, (1, 4, 9, 2))
    return PoseTracks(points, np.ones((1, 4, 9)), np.zeros((1, 4, 4)), np.arange(4) / 25, (90, 90), 'sofa9')


def test_a_file_is_a_layout_like_any_other(tmp_path: Path) -> None:
    skeleton = load_layout(write_sofa9(tmp_path))
    assert skeleton is get_skeleton('sofa9') is resolve_skeleton(tmp_path / 'sofa9.yaml') is resolve_skeleton('sofa9')
    assert skeleton_names()[-1] == 'sofa9'
    assert not skeleton.built_in and get_skeleton('coco17').built_in
    assert skeleton.regions == {'head': (0,), 'body': (1, 2, 3, 4), 'upper': (5, 6), 'lower': (7, 8)}
    assert skeleton.parents.tolist() == [0, 0, 0, 1, 2, 1, 2, 3, 4]
    assert skeleton.flip_indices.tolist() == [0, 2, 1, 4, 3, 6, 5, 8, 7]
    assert (skeleton.center, skeleton.shoulders, skeleton.hips) == ((3, 4), (1, 2), (3, 4))


def test_the_call_and_the_file_declare_the_same(tmp_path: Path) -> None:
    called = register_layout('sofa9', yaml.safe_load(SOFA9)['keypoints'])
    assert load_layout(write_sofa9(tmp_path)) is called


@pytest.mark.parametrize('name', ['coco17', 'ntu25', 'coco_wholebody133'])
def test_a_declaration_says_all_of_a_layout(name: str) -> None:
    skeleton = get_skeleton(name)
    copy = json.loads(json.dumps({**skeleton.declaration, 'name': 'copy'}))
    again = register_declaration(copy, 'x')
    assert again.keypoints == skeleton.keypoints
    assert again.edges == skeleton.edges
    assert (again.pairs, again.center, again.regions) == (skeleton.pairs, skeleton.center, skeleton.regions)


def test_a_name_stands_for_one_layout(tmp_path: Path) -> None:
    points = get_skeleton('coco17').declaration['keypoints']
    with pytest.raises(UserError, match="mine: another layout of the name 'coco17' is built in"):
        register_declaration({'name': 'coco17', 'keypoints': points[::-1]}, 'mine')
    load_layout(write_sofa9(tmp_path))
    (tmp_path / 'other.yaml').write_text(SOFA9.replace('fist', 'thumb'))
    with pytest.raises(UserError, match=r"other\.yaml: another layout of the name 'sofa9' is known already"):
        load_layout(tmp_path / 'other.yaml')
    assert 'left_fist' in get_skeleton('sofa9').keypoints


def test_names_open_no_file(tmp_path: Path) -> None:
    path = write_sofa9(tmp_path)
    with pytest.raises(UserError, match=r'unknown skeleton .*read with load_layout\(FILE\) first'):
        get_skeleton(str(path))
    with pytest.raises(UserError, match='unknown skeleton'):
        PoseTracks(np.ones((1, 1, 9, 2)), np.ones((1, 1, 9)), np.zeros((1, 1, 4)), np.zeros(1), (9, 9), str(path))


def test_only_layouts_that_are_not_built_in_are_carried_along(tmp_path: Path) -> None:
    facts: dict = {}
    embed_declaration(facts, get_skeleton('coco17'))
    assert facts == {}
    embed_declaration(facts, load_layout(write_sofa9(tmp_path)))
    forget_layouts()
    assert 'sofa9' not in skeleton_names()
    register_embedded({}, 'x')
    register_embedded(facts, 'x')
    assert get_skeleton('sofa9').num_keypoints == 9
    with pytest.raises(UserError, match='x: expected a layout'):
        register_embedded({DECLARATION: 'mine.yaml'}, 'x')


class TestTrackFiles:
    def test_can_be_read_where_nobody_has_declared_the_layout(self, tmp_path: Path) -> None:
        skeleton = load_layout(write_sofa9(tmp_path))
        tracks = sofa_tracks()
        save_tracks(tmp_path / 'a.npz', tracks)
        (tmp_path / 'sofa9.yaml').unlink()
        forget_layouts()
        again = load_tracks(tmp_path / 'a.npz')
        assert get_skeleton(again.skeleton) == skeleton
        assert again.extras == {}
        np.testing.assert_array_equal(again.keypoints, tracks.keypoints)
        save_tracks(tmp_path / 'b.npz', again)
        assert (tmp_path / 'a.npz').read_bytes() == (tmp_path / 'b.npz').read_bytes()

    def test_those_of_built_in_layouts_are_as_before(self, tmp_path: Path) -> None:
        shape = (1, 1, 17)
        tracks = PoseTracks(np.ones((*shape, 2)), np.ones(shape), np.zeros((1, 1, 4)), np.zeros(1), (9, 9), 'coco17')
        save_tracks(tmp_path / 'a.npz', tracks)
        assert DECLARATION not in np.load(tmp_path / 'a.npz')

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            (np.array('{'), f'{DECLARATION}: not a JSON text'),
            (np.array('[' * 100_000), f'{DECLARATION}: not a JSON text'),
            (np.array('"/etc/passwd"'), 'expected a layout with the keys'),
            (np.array('x' * 300_000), 'expected a short text'),
            (np.arange(3), 'expected a short text'),
            (np.array(json.dumps({'name': 'coco17', 'keypoints': yaml.safe_load(SOFA9)['keypoints']})), 'is built in'),
        ],
    )
    def test_hostile_declarations_are_refused(self, tmp_path: Path, text: np.ndarray, message: str) -> None:
        load_layout(write_sofa9(tmp_path))
        save_tracks(tmp_path / 'a.npz', sofa_tracks())
        arrays = {**np.load(tmp_path / 'a.npz'), DECLARATION: text}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        (tmp_path / 'a.npz').write_bytes(buffer.getvalue())
        with pytest.raises(UserError, match=rf'a\.npz: {message}|a\.npz: .*{message}'):
            load_tracks(tmp_path / 'a.npz')
