from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from own_layout import SOFA9, write_sofa9

from bmoe_ground.errors import UserError
from pose_extract.declarations import MAX_BYTES, MAX_KEYPOINTS, parse_declaration, read_declaration


def declared(**changes: Any) -> dict[str, Any]:
    return {**yaml.safe_load(SOFA9), **changes}


def with_point(number: int, **changes: Any) -> dict[str, Any]:
    content = declared()
    content['keypoints'][number] = {**content['keypoints'][number], **changes}
    return content


def without(*names: str) -> dict[str, Any]:
    return declared(keypoints=[point for point in declared()['keypoints'] if point['name'] not in names])


def test_a_layout_is_read_as_it_is_written(tmp_path: Path) -> None:
    name, layout = parse_declaration(read_declaration(write_sofa9(tmp_path)), 'sofa9.yaml')
    assert name == 'sofa9'
    assert layout.keypoints[:2] == ('nose', 'left_shoulder')
    assert layout.keypoints[7:] == ('left_knee', 'right_knee')
    assert 'nose' not in layout.parents and layout.parents['right_fist'] == 'right_shoulder'
    assert layout.regions['nose'] == 'head'  # a name that is known
    assert layout.regions['left_fist'] == 'upper'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'expected a layout with the keys name, keypoints, got None'),
        ([1], r'expected a layout .*got \[1\]'),
        (declared(nmae='x'), "unknown key 'nmae'; did you mean 'name'"),
        ({'keypoints': []}, 'name: expected a letter .*it is missing'),
        (declared(name='../x'), r"name: expected a letter .*got '\.\./x'"),
        (declared(name='x' * 65), 'name: expected a letter'),
        ({'name': 'x'}, 'keypoints: missing'),
        (declared(keypoints='nose'), "keypoints: expected a list, got 'nose'"),
        (declared(keypoints=[]), f'expected 1 to {MAX_KEYPOINTS}, got 0'),
        (declared(keypoints=[{'name': f'p{i}'} for i in range(MAX_KEYPOINTS + 1)]), f'got {MAX_KEYPOINTS + 1}'),
        (declared(keypoints=['nose']), "keypoint 0: expected a keypoint with the keys .*got 'nose'"),
        (with_point(5, regoin='upper'), "keypoint 5: unknown key 'regoin'; did you mean 'region'"),
        (with_point(5, name=3), 'keypoint 5: name: .*got 3'),
        (with_point(5, region='uper'), r"left_fist\): region 'uper': choose .*did you mean 'upper'"),
        (with_point(5, region=None), r'left_fist\): region: missing'),
        (with_point(5, region=['upper']), 'left_fist.*choose one of head, body, upper, lower'),
        (with_point(6, name='left_fist'), 'two keypoints are called left_fist'),
        (with_point(6, name='right_fits'), "left_fist has no mirror image right_fist; did you mean 'right_fits'"),
        (with_point(6, region='lower'), 'left_fist is in region upper, right_fist in lower'),
        (without('left_shoulder', 'right_shoulder'), 'no keypoint left_shoulder, right_shoulder; a layout needs'),
        (
            with_point(5, parent='left_sholder'),
            "left_fist: parent 'left_sholder' is no keypoint; did you mean 'left_sh",
        ),
        (with_point(5, parent=['nose']), 'left_fist: parent .*is no keypoint'),
        (with_point(0, parent='left_hip'), 'a loop: nose -> left_hip -> left_shoulder -> nose'),
        (with_point(5, parent='left_fist'), 'a loop: left_fist -> left_fist'),
        (with_point(5, parent=None), 'the bones make 2 trees: nose, left_fist have no parent'),
        (without('left_knee', 'right_knee'), 'no keypoint in region lower; the model has an expert for each'),
    ],
)
def test_what_is_wrong_is_named(content: object, message: str) -> None:
    with pytest.raises(UserError, match=f'^mine.yaml: .*{message}'):
        parse_declaration(content, 'mine.yaml')


def test_a_long_chain_and_a_long_loop_are_told_apart_at_once() -> None:
    chain = [{'name': f'p{i}', 'region': 'body', 'parent': f'p{i + 1}'} for i in range(MAX_KEYPOINTS - 9)]
    whole = [*chain, {'name': f'p{len(chain)}', 'region': 'body', 'parent': 'nose'}, *declared()['keypoints'][:8]]
    with pytest.raises(UserError, match='left_knee has no mirror image'):
        parse_declaration(declared(keypoints=whole), 'x')
    whole = [*chain, *declared()['keypoints']]
    whole[0]['parent'], whole[-10]['parent'] = 'p1', 'p0'
    with pytest.raises(UserError, match='a loop: p0 -> p1 -> .*-> p0;'):
        parse_declaration(declared(keypoints=whole), 'x')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('name: [', 'cannot be read as YAML'),
        ('name: a\nname: b\n', "cannot be read as YAML: key 'name' twice"),
        (
            'name: !!python/object/apply:os.system [false]\n',
            'cannot be read as YAML: could not determine',
        ),
        ('a: &a [x]\nb: [*a, *a]\n', 'cannot be read as YAML: aliases are not read'),
        ('[' * 100_000, 'cannot be read as YAML'),
        ('\x00', 'cannot be read as YAML'),
        ('# ' + 'x' * MAX_BYTES, 'larger than 256 KiB'),
    ],
)
def test_files_that_are_no_layout(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=f'mine.yaml: {message}'):
        read_declaration(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no such layout file: .*none.yaml'):
        read_declaration(tmp_path / 'none.yaml')
    with pytest.raises(UserError, match='cannot be read'):
        read_declaration(tmp_path)
    (tmp_path / 'latin.yaml').write_bytes(b'name: \xff\n')
    with pytest.raises(UserError, match='latin.yaml: cannot be read as YAML'):
        read_declaration(tmp_path / 'latin.yaml')
