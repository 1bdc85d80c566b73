from __future__ import annotations

from skeleton_clips import stream_batch

from bmoe_skel.models.streams import SkeletonStream
from bmoe_skel.models.streams.base import StreamFacts


def test_brings_its_tokens_to_the_steps_asked_for() -> None:
    stream = SkeletonStream('coco17', 36, 8, dims=(8, 8)).eval()
    for steps in (3, 5):
        tokens, seen = stream(stream_batch(), steps)
        assert tokens.shape == (2, steps, 8)
        assert seen.all()


def test_skips_branches_as_the_model_does_unless_it_says_itself() -> None:
    facts = StreamFacts('coco17', 36, 8, drop_path=0.3)
    for own, wanted in (({}, 0.3), ({'drop_path': 0.1}, 0.1)):
        stream = SkeletonStream.from_model(facts, dims=(8, 8), **own)
        assert stream.embedding.stages[-1][-1].drop_path.prob == wanted
