from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skeleton_clips import write_recording

from bmoe_ground.errors import UserError
from bmoe_skel.datasets import EventDataset


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    for i in range(6):
        write_recording(tmp_path / 'poses' / f'v{i}.mp4.npz', frames=500, persons=2, seed=i)
    return tmp_path / 'poses'


def write(poses: Path, rows: list[str], header: str = 'video,start,end,person,label') -> str:
    path = poses.parent / 'events.csv'
    path.write_text('\n'.join([header, *rows, '']))
    return str(path)


def corrected(poses: Path) -> str:
    rows = [f'v{i}.mp4,{4 * k},{4 * k + 1.2},{k % 2},{("nod", "wave")[k % 2]}' for i in range(6) for k in range(4)]
    return write(poses, rows)


def clips(data: EventDataset) -> list[dict[str, Any]]:
    return [dict(data.get_data_info(i)) for i in range(len(data))]


def test_an_event_is_one_persons_keypoints_from_start_to_end(poses: Path) -> None:
    whole = np.load(poses / 'v0.mp4.npz')['keypoints']
    data = EventDataset(write(poses, ['v0.mp4,1.000,2.000,1,nod', 'v1.mp4,0,1,0,wave', 'v2.mp4,0,1,0,nod']), str(poses))
    assert data.metainfo['classes'] == ['nod', 'nothing', 'wave']
    (clip,) = [one for one in clips(data) if one['recording'] == 'v0.mp4' and one['label'] == 0]
    np.testing.assert_array_equal(clip['keypoint'], whole[1:, 25:51])
    assert (clip['start'], clip['end'], clip['person']) == (1.0, 2.0, 1)


def test_time_without_events_becomes_nothing(poses: Path) -> None:
    table = corrected(poses)
    data = EventDataset(table, str(poses), nothing_ratio=0.5)
    assert dict(zip(data.metainfo['classes'], data.metainfo['class_counts'], strict=True)) == {
        'nod': 12,
        'nothing': 12,
        'wave': 12,
    }
    spans: dict[tuple[str, int], list[tuple[float, float, int]]] = {}
    for clip in clips(data):
        spans.setdefault((clip['recording'], clip['person']), []).append((clip['start'], clip['end'], clip['label']))
    for members in spans.values():
        members.sort()
        for (_, end, a), (start, _, b) in zip(members, members[1:], strict=False):
            assert end < start or 1 not in (a, b)
    again = EventDataset(table, str(poses), nothing_ratio=0.5)
    assert again.metainfo['clips_digest'] == data.metainfo['clips_digest']
    other = EventDataset(table, str(poses), nothing_ratio=0.5, nothing_seed=1)
    assert other.metainfo['clips_digest'] != data.metainfo['clips_digest']
    none = EventDataset(table, str(poses), nothing_ratio=0)
    assert none.metainfo['classes'] == ['nod', 'wave']
    assert len(none) == 24


def test_a_video_is_in_one_part_and_the_parts_are_the_whole(poses: Path) -> None:
    table = corrected(poses)
    parts = {p: clips(EventDataset(table, str(poses), split=p)) for p in ('train', 'val', 'test')}
    videos = {p: {clip['recording'] for clip in members} for p, members in parts.items()}
    assert all(videos.values())
    assert sum(map(len, videos.values())) == len(set().union(*videos.values())) == 6
    whole = EventDataset(table, str(poses))
    assert sorted(c['frame_dir'] for p in parts.values() for c in p) == sorted(c['frame_dir'] for c in clips(whole))


def test_three_videos_are_enough_and_two_are_not(poses: Path) -> None:
    rows = [f'v{i}.mp4,{k},{k + 0.5},0,{label}' for i in range(3) for k, label in enumerate(('nod', 'wave'))]
    for part in ('train', 'val', 'test'):
        assert {clip['recording'] for clip in clips(EventDataset(write(poses, rows), str(poses), split=part))}
    with pytest.raises(UserError, match=r'2 videos are too few, \w+ would have none'):
        EventDataset(write(poses, rows[:4]), str(poses), split='train')


def test_people_in_several_videos_stay_on_one_side(poses: Path) -> None:
    who = ['p0', 'p0', 'p1', 'p1', 'p2', 'p2']
    header = 'video,start,end,label,subject'
    rows = [f'v{i}.mp4,{k},{k + 0.5},{label},{who[i]}' for i in range(6) for k, label in enumerate(('nod', 'wave'))]
    table = write(poses, rows, header)
    sides: dict[str, set[str]] = {}
    for part in ('train', 'val', 'test'):
        for clip in clips(EventDataset(table, str(poses), split=part, split_by='subject')):
            sides.setdefault(who[int(clip['recording'][1])], set()).add(part)
    assert [len(side) for side in sides.values()] == [1, 1, 1]
    with pytest.raises(UserError, match='needs a column "subject": 24 of 24 rows name nobody'):
        EventDataset(corrected(poses), str(poses), split_by='subject')


def test_given_splits_are_kept(poses: Path) -> None:
    header = 'video,start,end,label,split'
    rows = [f'v{i}.mp4,0,1,nod,{part}' for i, part in enumerate(('train', 'val', 'test'))]
    (clip,) = clips(EventDataset(write(poses, rows, header), str(poses), split='val', nothing_ratio=0))
    assert clip['recording'] == 'v1.mp4'
    with pytest.raises(UserError, match="video 'v0.mp4' is in test and train"):
        EventDataset(write(poses, [*rows, 'v0.mp4,3,4,nod,test'], header), str(poses))
    with pytest.raises(UserError, match=r"events.csv:2: unknown split 'later'; choose of train, val, test"):
        EventDataset(write(poses, ['v0.mp4,0,1,nod,later'], header), str(poses))


def test_a_row_of_nothing_says_that_a_still_video_was_looked_at(poses: Path) -> None:
    rows = [f'v{i}.mp4,{k},{k + 0.5},0,nod' for i in range(2) for k in range(2)] + ['v2.mp4,0,19,0,nothing']
    data = EventDataset(write(poses, rows), str(poses), nothing_ratio=2)
    still = [clip for clip in clips(data) if clip['recording'] == 'v2.mp4']
    assert len(still) == 4  # twice what the others have on average
    assert {clip['label'] for clip in still} == {data.metainfo['classes'].index('nothing')}
    assert max(clip['end'] - clip['start'] for clip in still) == pytest.approx(0.48, abs=0.03)


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('v0.mp4,1,2,5,nod', r'events.csv:2: no person 5 in .*v0.mp4.npz, which has 2'),
        ('v0.mp4,21,22,0,nod', r'starts at 21.0 s, after the end of .*v0.mp4.npz at 19.960 s'),
        ('other.mp4,1,2,0,nod', r'events.csv:2: no track file .*other.mp4.npz'),
        ('../poses/v0.mp4,1,2,0,nod', 'leaves the folder of tracks'),
        ('v0.mp4,1,2,0,nothing', "no event but 'nothing'"),
    ],
)
def test_what_does_not_fit_is_named(poses: Path, row: str, message: str) -> None:
    good = [] if row.endswith('nothing') else ['v1.mp4,0,1,0,nod', 'v2.mp4,0,1,0,nod', 'v3.mp4,0,1,0,nod']
    with pytest.raises(UserError, match=message):
        EventDataset(write(poses, [row, *good]), str(poses))


def test_options_and_classes_that_do_not_fit(poses: Path) -> None:
    table = corrected(poses)
    with pytest.raises(UserError, match="classes .* lack 'nothing'"):
        EventDataset(table, str(poses), classes=['nod', 'wave'])
    with pytest.raises(UserError, match="unknown class 'wave'"):
        EventDataset(table, str(poses), classes=['nod', 'nothing'])
    with pytest.raises(UserError, match='nothing_ratio must be within'):
        EventDataset(table, str(poses), nothing_ratio=-1)
    with pytest.raises(UserError, match="split_by='view'"):
        EventDataset(table, str(poses), split_by='view')
    with pytest.raises(UserError, match="unknown split 'dev'"):
        EventDataset(table, str(poses), split='dev')


def test_a_folder_of_elan_files_gives_the_clips_of_the_table(poses: Path) -> None:
    folder = poses.parent / 'eaf'
    folder.mkdir()
    for i in range(6):
        text = '<ANNOTATION_DOCUMENT>'
        slots = [1000 * s for k in range(4) for s in (4 * k, 4 * k + 1.2)]
        text += ''.join(f'<TIME_SLOT TIME_SLOT_ID="t{n}" TIME_VALUE="{ms:.0f}"/>' for n, ms in enumerate(slots))
        for k in range(4):
            text += (
                f'<TIER TIER_ID="person {k % 2}"><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t{2 * k}" TIME_SLOT_REF2='
                f'"t{2 * k + 1}"><ANNOTATION_VALUE>{("nod", "wave")[k % 2]}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>'
                '</TIER>'
            )
        (folder / f'v{i}.mp4.eaf').write_text(text + '</ANNOTATION_DOCUMENT>')
    of_table, of_elan = (clips(EventDataset(source, str(poses))) for source in (corrected(poses), str(folder)))
    assert len(of_elan) == len(of_table) > 24
    for one, other in zip(of_table, of_elan, strict=True):
        assert (one['frame_dir'], one['label']) == (other['frame_dir'], other['label'])
        np.testing.assert_array_equal(one['keypoint'], other['keypoint'])
