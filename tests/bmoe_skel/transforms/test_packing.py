from __future__ import annotations

from skeleton_clips import normalized_clip

from bmoe_skel.transforms import (
    PackPose,
    SampleFrames,
)


def test_pack_fits_persons() -> None:
    for persons in (1, 2, 3):
        sample = SampleFrames(8)(normalized_clip(persons=persons))
        packed = PackPose(max_persons=2)(sample)
        assert packed['inputs']['keypoint'].shape == (1, 2, 8, 17, 2)
        assert packed['inputs']['visible'][0].any((1, 2)).tolist() == [True, persons > 1]
        assert packed['inputs']['pace'].shape == (1, 8)
        assert int(packed['data_samples'].gt_label) == 0


def test_facts_of_a_window_travel_with_the_sample() -> None:
    sample = SampleFrames(8)(normalized_clip())
    assert not {'recording', 'start', 'end'} & set(PackPose()({**sample})['data_samples'].metainfo_keys())
    packed = PackPose()({**sample, 'recording': 'x/a-b@c.mp4', 'start': 1.5, 'end': 3.25})['data_samples']
    assert (packed.recording, packed.start, packed.end, packed.name) == ('x/a-b@c.mp4', 1.5, 3.25, 'clip')
