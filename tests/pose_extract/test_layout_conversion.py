from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from bmoe_ground.errors import UserError
from bmoe_ground.safe_pickle import load_pickle
from pose_extract.layout_conversion import COMMON, DERIVED, can_convert, convert_keypoints, convert_layout, lost_points
from pose_extract.layout_conversion import recipe_for as recipe
from pose_extract.layouts import LAYOUTS
from pose_extract.skeletons import get_skeleton
from pose_extract.tracks import PoseTracks

# which conversions there are stands in the table of docs/reference/layouts.md, held by tests/benchmarks/test_pages.py
PAIRS = [
    (source, target) for source in LAYOUTS for target in LAYOUTS if target != source and can_convert(source, target)
]


def body(skeleton: str, shape: tuple[int, ...] = (2, 3)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = get_skeleton(skeleton).num_keypoints
    points = rng.uniform(0, 100, (*shape, count, 2)).astype(np.float32)
    return points, rng.uniform(0.1, 1, (*shape, count)).astype(np.float32)


def test_which_conversions_exist() -> None:
    """By the definitions: a subset can always be had, a point that nothing gives never."""
    for source, target in itertools.permutations(LAYOUTS, 2):
        names, wanted = set(get_skeleton(source).keypoints), set(get_skeleton(target).keypoints)
        if wanted <= names:
            assert (source, target) in PAIRS
        if (source, target) in PAIRS:
            made = {key.replace('*', side) for key in DERIVED for side in ('left', 'right')}
            assert wanted <= names | made
    assert {target for source, target in PAIRS if source == 'coco17'} == {'openpose18', 'jhmdb15', 'penn13'}
    assert not [target for source, target in PAIRS if source in ('jhmdb15', 'mpii16', 'openni15')]


def test_every_recipe_serves_some_conversion() -> None:
    used = set()
    for source, target in PAIRS:
        names = get_skeleton(source).keypoints
        for name in get_skeleton(target).keypoints:
            if name not in names:
                used.add((name, tuple(recipe(name, names) or ())))
    options = {
        (key.replace('*', side), tuple(name.replace('*', side) for name in option))
        for key, recipes in DERIVED.items()
        for option in recipes
        for side in (('left', 'right') if '*' in key else ('',))
    }
    assert used == options


@pytest.mark.parametrize(('source', 'target'), PAIRS)
def test_points_of_one_name_are_taken_over_exactly(source: str, target: str) -> None:
    points, scores = body(source)
    new_points, new_scores = convert_keypoints(points, scores, source, target)
    old, new = get_skeleton(source), get_skeleton(target)
    assert new_points.shape == (2, 3, new.num_keypoints, 2)
    assert new_points.dtype == points.dtype
    for k, name in enumerate(new.keypoints):
        if name in old.keypoints:
            np.testing.assert_array_equal(new_points[..., k, :], points[..., old.index(name), :])
            np.testing.assert_array_equal(new_scores[..., k], scores[..., old.index(name)])


@pytest.mark.parametrize(('source', 'target'), PAIRS)
def test_conversion_commutes_with_mirroring(source: str, target: str) -> None:
    points, scores = body(source)
    flip, new_flip = get_skeleton(source).flip_indices, get_skeleton(target).flip_indices
    straight, _ = convert_keypoints(points, scores, source, target)
    mirrored, _ = convert_keypoints(points[..., flip, :], scores[..., flip], source, target)
    np.testing.assert_allclose(mirrored[..., new_flip, :], straight, rtol=1e-5)


def test_derived_points_by_hand() -> None:
    source, target = get_skeleton('coco17'), get_skeleton('jhmdb15')
    points, scores = body('coco17', ())
    for name, place in {
        'left_shoulder': (10, 0),
        'right_shoulder': (0, 0),
        'left_hip': (8, 40),
        'right_hip': (2, 40),
    }.items():
        points[source.index(name)] = place
    scores[source.index('left_shoulder')] = 0.05
    points[source.index('nose')], scores[source.index('nose')] = np.nan, 0
    new, new_scores = convert_keypoints(points, scores, 'coco17', 'jhmdb15')
    np.testing.assert_allclose(new[target.index('neck')], [5, 0])
    np.testing.assert_allclose(new[target.index('belly')], [5, 30])
    assert new_scores[target.index('neck')] == np.float32(0.05)
    assert np.isnan(new[target.index('face')]).all()
    assert new_scores[target.index('face')] == 0


def test_a_derived_point_is_absent_where_a_source_is() -> None:
    points, scores = body('coco17', ())
    points[5], scores[5] = np.nan, 0  # left shoulder
    new, new_scores = convert_keypoints(points, scores, 'coco17', 'jhmdb15')
    assert np.isnan(new[[0, 1]]).all()
    assert (new_scores[[0, 1]] == 0).all()


def test_impossible_conversions_say_what_is_missing() -> None:
    points, scores = body('kinect20')
    with pytest.raises(UserError, match=r'kinect20 cannot become coco17.*left_eye.*jhmdb15'):
        convert_keypoints(points, scores, 'kinect20', 'coco17')
    with pytest.raises(UserError, match='no other layout'):
        convert_keypoints(*body('jhmdb15'), 'jhmdb15', 'coco17')
    with pytest.raises(ValueError, match='coco17 has 17'):
        convert_keypoints(points, scores, 'coco17', 'jhmdb15')


def make(skeleton: str, **extras: np.ndarray) -> PoseTracks:
    points, scores = body(skeleton)
    boxes = np.tile(np.float32([0, 0, 100, 100]), (2, 3, 1))
    return PoseTracks(points, scores, boxes, np.arange(3) / 30, (100, 100), skeleton, {'backend': 'x'}, extras)


def test_tracks_keep_everything_else() -> None:
    mask = np.zeros((2, 3, 17), bool)
    mask[1, 2, 5] = True  # left shoulder
    tracks = make('coco17', interpolated=mask, other=np.arange(3))
    new = convert_layout(tracks, 'jhmdb15')
    assert (new.skeleton, new.image_size) == ('jhmdb15', (100, 100))
    assert new.provenance == {'backend': 'x', 'converted_from': 'coco17'}
    np.testing.assert_array_equal(new.boxes, tracks.boxes)
    np.testing.assert_array_equal(new.extras['other'], np.arange(3))
    marked = {get_skeleton('jhmdb15').keypoints[k] for k in np.flatnonzero(new.extras['interpolated'][1, 2])}
    assert marked == {'neck', 'belly', 'left_shoulder'}
    assert new.extras['interpolated'].sum() == 3
    with pytest.raises(ValueError, match='depth'):
        convert_layout(make('coco17', depth=np.zeros((2, 3, 17))), 'jhmdb15')


@pytest.mark.parametrize(
    ('file', 'skeleton', 'point', 'tolerance'),
    [
        ('openpose25_social', 'openpose25', 'neck', 0.05),
        ('openpose25_social', 'openpose25', 'hip_center', 0.05),
        ('nwucla', 'kinect20', 'spine', 0.1),
        ('utkinect', 'kinect20', 'spine', 0.1),
        ('nwucla', 'kinect20', 'shoulder_center', 0.2),
        ('jhmdb14', 'jhmdb15', 'belly', 0.1),
    ],
)
def test_recipes_hold_on_real_bodies(shared_data: Path, file: str, skeleton: str, point: str, tolerance: float) -> None:
    """The derived place and the estimator's own lie within a fraction of the trunk's length (median)."""
    layout = get_skeleton(skeleton)
    clips = load_pickle(shared_data / 'skeletons' / f'{file}.pkl')['annotations']
    frames = np.concatenate([clip['keypoint'][0] for clip in clips]).astype(np.float64)
    frames[(frames == 0).all(-1)] = np.nan
    (option,) = DERIVED[point]
    derived = sum(weight * frames[:, layout.index(name)] for name, weight in option.items())
    trunk = frames[:, layout.shoulders].mean(1) - frames[:, layout.hips].mean(1)
    error = np.linalg.norm(derived - frames[:, layout.index(point)], axis=-1) / np.linalg.norm(trunk, axis=-1)
    assert np.nanmedian(error) < tolerance


def test_a_partial_conversion_leaves_out_what_cannot_be_had() -> None:
    rng = np.random.default_rng(0)
    keypoints, scores = rng.uniform(0, 100, (1, 4, 17, 2)), rng.uniform(0.1, 1, (1, 4, 17))
    points, given = convert_keypoints(keypoints, scores, 'coco17', COMMON, partial=True)
    common, lost = get_skeleton(COMMON), lost_points('coco17')
    for k, name in enumerate(common.keypoints):
        if name in lost:
            assert np.isnan(points[..., k, :]).all() and (given[..., k] == 0).all(), name
        else:
            here = get_skeleton('coco17').index(name)
            np.testing.assert_array_equal(points[..., k, :], keypoints[..., here, :])
            np.testing.assert_array_equal(given[..., k], scores[..., here])
    assert len(lost) == 12
    with pytest.raises(UserError, match='coco17 cannot become common29: it has nothing for left_mouth'):
        convert_keypoints(keypoints, scores, 'coco17', COMMON)


def test_every_layout_gives_the_limbs_of_the_common_one() -> None:
    for name in LAYOUTS:
        lost = lost_points(name)
        for part in ('shoulder', 'elbow', 'hip', 'knee'):
            assert f'left_{part}' not in lost and f'right_{part}' not in lost, name
    assert lost_points('blazepose33') == lost_points('coco_wholebody133') == ()
