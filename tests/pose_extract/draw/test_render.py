from __future__ import annotations

import numpy as np
import pytest

from pose_extract.draw.figure import figure
from pose_extract.draw.render import REGION_COLORS, RenderStyle, draw_frame, person_color, region_color
from pose_extract.skeletons import REGIONS, get_skeleton, skeleton_names
from pose_extract.tracks import PoseTracks

NO_BOXES = RenderStyle(boxes=False)


def standing(skeleton: str = 'coco17', scores: float = 1.0, persons: int = 1, **extras: np.ndarray) -> PoseTracks:
    points = figure(get_skeleton(skeleton)) * 150 + [160, 200]
    keypoints = np.stack([points + [200 * m, 0] for m in range(persons)])[:, None].repeat(2, 1)
    boxes = np.concatenate([keypoints.min(2), keypoints.max(2)], -1)
    shape = keypoints.shape[:3]
    return PoseTracks(
        keypoints,
        np.full(shape, scores),
        boxes,
        np.arange(2) / 30,
        (380, 320 + 200 * (persons - 1)),
        skeleton,
        {},
        extras,
    )


def grey(tracks: PoseTracks) -> np.ndarray:
    return np.full((*tracks.image_size, 3), 100, np.uint8)


@pytest.mark.parametrize('name', skeleton_names())
def test_each_keypoint_has_the_color_of_its_region(name: str) -> None:
    tracks = standing(name)
    drawn = draw_frame(grey(tracks), tracks, 0, NO_BOXES)
    skeleton = get_skeleton(name)
    for region in REGIONS:
        members = list(skeleton.regions[region])
        places = tracks.keypoints[0, 0, members].round().astype(int)
        wanted = REGION_COLORS[region][::-1]
        hits = [np.abs(drawn[y, x].astype(int) - wanted).max() < 30 for x, y in places]
        assert np.mean(hits) > 0.6, region


def test_the_image_is_left_as_it_was_and_only_changes_at_the_person() -> None:
    tracks = standing()
    image = grey(tracks)
    drawn = draw_frame(image, tracks, 0, NO_BOXES)
    assert (image == 100).all()
    assert drawn.shape == image.shape
    changed = np.argwhere((drawn != 100).any(-1))
    low, high = tracks.boxes[0, 0, 1::-1], tracks.boxes[0, 0, :1:-1]
    assert (changed.min(0) >= low - 8).all()
    assert (changed.max(0) <= high + 8).all()


def test_unsure_people_are_fainter() -> None:
    def contrast(scores: float) -> float:
        tracks = standing(scores=scores)
        return float(np.abs(draw_frame(grey(tracks), tracks, 0, NO_BOXES).astype(int) - 100).sum())

    assert contrast(1.0) > 1.3 * contrast(0.5) > 1.3 * contrast(0.2)
    assert contrast(0.05) == 0  # below the least score


def test_interpolated_points_are_dashed_and_hollow() -> None:
    seen = standing()
    guessed = standing(interpolated=np.ones((1, 2, 17), bool))
    style = RenderStyle(boxes=False, thickness=2)
    amounts = [(draw_frame(grey(t), t, 0, style) != 100).any(-1).sum() for t in (seen, guessed)]
    assert amounts[1] < 0.85 * amounts[0]
    x, y = guessed.keypoints[0, 0, 9].round().astype(int)  # a wrist, at the end of its bone
    assert (draw_frame(grey(seen), seen, 0)[y, x] != 100).any()
    assert (draw_frame(grey(guessed), guessed, 0)[y, x] == 100).all()


def test_absent_people_and_points_are_not_drawn() -> None:
    tracks = standing()
    tracks.keypoints[0, 0], tracks.scores[0, 0], tracks.boxes[0, 0] = np.nan, 0, np.nan
    assert (draw_frame(grey(tracks), tracks, 0) == 100).all()
    tracks = standing()
    tracks.keypoints[0, 0, 15], tracks.scores[0, 0, 15] = np.nan, 0  # the left ankle
    x, y = tracks.keypoints[0, 1, 15].round().astype(int)
    assert (draw_frame(grey(tracks), tracks, 0, NO_BOXES)[y - 3 : y + 4, x - 3 : x + 4] == 100).all()


def test_people_are_numbered_in_their_colors() -> None:
    tracks = standing(persons=2)
    drawn = draw_frame(grey(tracks), tracks, 1)
    for person in (0, 1):
        assert (drawn == person_color(person)).all(-1).sum() > 200
    assert person_color(0) != person_color(1)


def test_points_far_outside_are_harmless() -> None:
    tracks = standing()
    tracks.keypoints[0, 0, 3] = [1e30, -1e30]
    tracks.keypoints[0, 0, 4] = [-5000, 9000]
    tracks.boxes[0, 0] = [-1e9, -1e9, 1e9, 1e9]
    assert draw_frame(grey(tracks), tracks, 0).shape == (380, 320, 3)


@pytest.mark.parametrize('size', [(1, 1), (7, 3), (2000, 31)])
def test_odd_pictures(size: tuple[int, int]) -> None:
    tracks = PoseTracks(np.zeros((1, 1, 17, 2)), np.ones((1, 1, 17)), np.zeros((1, 1, 4)), np.zeros(1), size, 'coco17')
    assert draw_frame(np.zeros((*size, 3), np.uint8), tracks, 0).shape == (*size, 3)


def test_an_image_of_another_size_is_refused() -> None:
    tracks = standing()
    with pytest.raises(ValueError, match=r'\(380, 320\)'):
        draw_frame(np.zeros((320, 380, 3), np.uint8), tracks, 0)


def test_opencv_order() -> None:
    assert region_color(get_skeleton('coco17'), 0) == REGION_COLORS['head'][::-1]
