from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skeleton_clips import SMALL, config_text, moving_clip, write_checkpoint, write_recording, write_tracks

from bmoe_ground.errors import UserError
from bmoe_skel.inferencer import MicroActionInferencer
from bmoe_skel.registry import MODELS
from bmoe_skel.scan import strongest_region, window_spans
from pose_extract.crops import CropRecorder
from pose_extract.skeletons import REGIONS, get_skeleton
from pose_extract.tracks import crops_path, load_tracks


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    return write_checkpoint(tmp_path / 'model.pth')


def test_whole_clips_and_windows(checkpoint, tmp_path) -> None:
    file = write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz'
    inferencer = MicroActionInferencer(checkpoint)
    (whole,) = inferencer(file)
    assert (whole.start, whole.end, whole.person) == (0.0, pytest.approx(23 / 25), 0)
    assert whole.label in ('arms', 'head', 'legs')
    assert sum(whole.routing.values()) == pytest.approx(1, abs=1e-4)
    assert whole.region == max(whole.attribution, key=whole.attribution.get)
    windows = inferencer(load_tracks(file), window=0.4, stride=0.2)
    assert [w.start for w in windows] == pytest.approx([0.0, 0.2, 0.4, 0.52])
    assert windows[-1].end == pytest.approx(23 / 25)


def test_events_are_attributed_as_asked(checkpoint, tmp_path) -> None:
    file = write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz'
    tracks = load_tracks(file)
    shown = MicroActionInferencer(checkpoint)
    (event,) = shown(tracks)
    wanted = shown.attribute_clip(tracks.keypoints, tracks.scores, frame_times=tracks.frame_times)
    assert event.attribution == pytest.approx(dict(zip(REGIONS, wanted, strict=True)))
    assert event.as_dict()['attribution'] == event.attribution
    (routed,) = MicroActionInferencer(checkpoint, attribution='routing')(tracks)
    assert routed.attribution == pytest.approx(routed.routing)
    assert routed.region == max(routed.routing, key=routed.routing.get)
    (plain,) = MicroActionInferencer(checkpoint, attribution=None)(tracks)
    assert (plain.region, plain.attribution, plain.score) == (None, {}, event.score)
    with pytest.raises(UserError, match="unknown attribution 'saliency'"):
        MicroActionInferencer(checkpoint, attribution='saliency')(tracks)
    tracks.scores[:, :, list(get_skeleton('coco17').regions['lower'])] = 0
    tracks.keypoints[:, :, list(get_skeleton('coco17').regions['lower'])] = np.nan
    assert set(shown(tracks)[0].attribution) == {'head', 'body', 'upper'}
    assert strongest_region({'head': -1.0, 'body': 0.0}) is strongest_region({}) is None


def test_agrees_with_the_model_itself(checkpoint) -> None:
    clip = moving_clip(1, np.random.default_rng(0))
    inferencer = MicroActionInferencer(checkpoint)
    scores, routing = inferencer.predict_clip(clip)
    again, _ = inferencer.predict_clip(clip * 2 + 30)
    np.testing.assert_allclose(scores, again, atol=1e-4)
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert routing.shape == (len(REGIONS),)


def test_steps_that_ask_the_dataset_work_without_one(checkpoint) -> None:
    clip = moving_clip(1, np.random.default_rng(0))
    plain = MicroActionInferencer(checkpoint)
    facts = torch.load(checkpoint, weights_only=True)
    steps = [
        {'type': 'NormalizePose'},
        {'type': 'SampleFrames', 'num_frames': 16, 'random': False},
        {'type': 'AddMirrored'},
        {'type': 'PackPose', 'max_persons': None},
    ]
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL}
    facts['meta']['cfg'] = config_text(model, steps)
    torch.save(facts, checkpoint)
    mirrored = clip[..., get_skeleton('coco17').flip_indices, :] * (-1, 1)
    apart = [plain.predict_clip(each)[0] for each in (clip, mirrored)]
    both = MicroActionInferencer(checkpoint).predict_clip(clip)[0]
    np.testing.assert_allclose(both, np.mean(apart, axis=0), atol=1e-5)


def streaming_checkpoint(path: Path, stream: dict, load: dict) -> MicroActionInferencer:
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL, 'global_stream': stream}
    steps = [
        {'type': 'NormalizePose'},
        {'type': 'SampleFrames', 'num_frames': 16, 'random': False},
        load,
        {'type': 'PackPose'},
    ]
    facts = {'classes': ['arms', 'head', 'legs'], 'skeleton': 'coco17', 'coordinates': 2}
    torch.manual_seed(0)
    weights = MODELS.build(model).state_dict()
    torch.save({'state_dict': weights, 'meta': {'cfg': config_text(model, steps), 'dataset_meta': facts}}, path)
    return MicroActionInferencer(path, feature_root=str(path.parent / 'features'))


def test_crops_beside_the_track_are_seen(tmp_path) -> None:
    file = write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz'
    stream = {'type': 'RGBStream', 'backbone': 'resnet18', 'frames': 2}
    load = {'type': 'LoadCrops', 'frames': 2, 'random': False, 'optional': True}
    inferencer = streaming_checkpoint(tmp_path / 'm.pth', stream, load)
    with pytest.raises(UserError, match='the clips have none: extract with --save-rgb'):
        inferencer(file)
    scores = []
    for level in (0, 10):
        recorder = CropRecorder(32)
        for t in range(24):
            recorder.add(t, np.full((32, 32, 3), level * t, np.uint8), np.zeros(1, int), np.array([[4, 4, 28, 28.0]]))
        recorder.write(crops_path(file), [0], np.arange(24))
        recorder.close()
        scores.append([w.score for w in inferencer(file, window=0.4, stride=0.2)])
    assert len(scores[0]) == 4
    assert not np.allclose(*scores)


def test_features_are_found_by_the_clips_name(tmp_path) -> None:
    file = write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz'
    inferencer = streaming_checkpoint(
        tmp_path / 'm.pth', {'type': 'FeatureStream', 'feature_channels': 5}, {'type': 'LoadFeature'}
    )
    with pytest.raises(UserError, match=r"'head/head_00\.mp4' has no feature file"):
        inferencer(file, name='head/head_00.mp4.npz')
    (tmp_path / 'features' / 'head').mkdir(parents=True)
    np.save(tmp_path / 'features' / 'head' / 'head_00.mp4.npy', np.ones((6, 5), np.float32))
    assert len(inferencer(file, name='head/head_00.mp4.npz')) == 1


def test_other_skeletons_and_checkpoints_are_refused(checkpoint, tmp_path) -> None:
    tracks = load_tracks(write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz')
    tracks.skeleton = 'halpe26'
    with pytest.raises(UserError, match='skeleton halpe26, the model was trained on coco17'):
        MicroActionInferencer(checkpoint)(tracks)
    torch.save({'state_dict': {'w': torch.ones(1)}, 'meta': {}}, tmp_path / 'bare.pth')
    with pytest.raises(UserError, match=r'bare\.pth says nothing of cfg, dataset_meta'):
        MicroActionInferencer(tmp_path / 'bare.pth')


def test_a_scan_is_what_each_window_by_itself_gives(checkpoint, tmp_path) -> None:
    write_recording(tmp_path / 'two.npz', frames=70, persons=2)
    tracks = load_tracks(tmp_path / 'two.npz')
    tracks.keypoints[1, 20:50], tracks.scores[1, 20:50] = np.nan, 0
    inferencer = MicroActionInferencer(checkpoint)
    found = inferencer.scan(tracks, window=0.8, stride=0.3, batch_size=3)
    assert [one.person for one in found] == [0, 1]
    for one in found:
        assert one.spans.tolist() == [list(span) for span in window_spans(tracks.frame_times, 0.8, 0.3)]
        for (first, last), scores, routing in zip(one.spans, one.scores, one.routing, strict=True):
            part = np.s_[one.person : one.person + 1, first:last]
            if not (tracks.scores[part] > 0).any():
                assert np.isnan(scores).all() and np.isnan(routing).all()
                continue
            times = tracks.frame_times[first:last]
            alone = inferencer.predict_clip(tracks.keypoints[part], tracks.scores[part], frame_times=times)
            np.testing.assert_allclose(scores, alone[0], atol=1e-5)
            np.testing.assert_allclose(routing, alone[1], atol=1e-5)
    assert np.isnan(found[1].scores).any() and not np.isnan(found[0].scores).any()


def test_windows_that_show_the_person_too_little_are_not_asked_about(checkpoint, tmp_path) -> None:
    write_recording(tmp_path / 'one.npz', frames=75)
    tracks = load_tracks(tmp_path / 'one.npz')
    tracks.keypoints[0, 35:], tracks.scores[0, 35:] = np.nan, 0
    (one,) = MicroActionInferencer(checkpoint).scan(tracks, window=1.0, stride=0.5, min_seen=0.5)
    seen = [(tracks.scores[0, a:b] > 0).any(-1).mean() >= 0.5 for a, b in one.spans]
    assert (~np.isnan(one.scores[:, 0])).tolist() == seen
    assert any(seen) and not all(seen)
    nobody = load_tracks(tmp_path / 'one.npz')
    nobody.keypoints, nobody.scores, nobody.boxes = nobody.keypoints[:0], nobody.scores[:0], nobody.boxes[:0]
    assert MicroActionInferencer(checkpoint).scan(nobody, 1.0) == []


def test_who_is_never_believed_is_not_seen(checkpoint, tmp_path) -> None:
    facts = torch.load(checkpoint, weights_only=True)
    facts['meta']['cfg'] = facts['meta']['cfg'].replace("'NormalizePose'", "'NormalizePose', 'min_score': 0.5")
    torch.save(facts, checkpoint)
    write_recording(tmp_path / 'one.npz', frames=75)
    tracks = load_tracks(tmp_path / 'one.npz')
    tracks.scores[0, 25:] = 0.4
    (one,) = MicroActionInferencer(checkpoint).scan(tracks, window=1.0, stride=1.0)
    assert np.isnan(one.scores[:, 0]).tolist() == [False, True, True]  # the second window begins with frame 25
    assert len(MicroActionInferencer(checkpoint)(tracks, window=1.0, stride=1.0)) == 1


HOSTILE = [
    (lambda m, s: m.update(type='os.system', command='touch executed'), 'refused'),
    (lambda m, s: m.update(data_preprocessor={'type': 'os.system', 'command': 'touch executed'}), 'refused'),
    (lambda m, s: m.update(data_preprocessor={'type': 'BaseDataPreprocessor'}), 'refused'),
    (lambda m, s: m.update(_scope_='os'), 'refused'),
    (lambda m, s: s.insert(0, {'type': 'os.system', 'command': 'touch executed'}), 'refused'),
    (lambda m, s: s.insert(0, {'type': 'mmengine.Compose', 'transforms': []}), 'refused'),
    (lambda m, s: m.update(type='nothing'), 'refused'),
    (lambda m, s: s.__setitem__(0, 'NormalizePose'), 'describes no transform'),
    (lambda m, s: m.update(skeleton=['coco17']), 'cannot be built|skeleton'),
    (lambda m, s: m.update(dims=2 * SMALL['dims']), 'do not fit'),
]


@pytest.mark.parametrize(('change', 'message'), HOSTILE)
def test_what_a_checkpoint_names_is_not_run(checkpoint, tmp_path, monkeypatch, change, message) -> None:
    monkeypatch.chdir(tmp_path)
    facts = torch.load(checkpoint, weights_only=True)
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL}
    steps = [{'type': 'NormalizePose'}, {'type': 'SampleFrames', 'num_frames': 16, 'random': False}]
    change(model, steps)
    facts['meta']['cfg'] = config_text(model, steps)
    torch.save(facts, checkpoint)
    with pytest.raises(UserError, match=message):
        MicroActionInferencer(checkpoint)
    assert not (tmp_path / 'executed').exists()


def test_files_that_a_checkpoint_names_are_not_opened(checkpoint, tmp_path) -> None:
    facts = torch.load(checkpoint, weights_only=True)
    model = {'type': 'BMoE', 'num_classes': 3, 'skeleton': 'coco17', 'coordinates': 2, **SMALL}
    model['head'] = {**model.get('head', {}), 'label_embeddings': str(tmp_path / 'secret.npy')}
    model['init_experts'] = {'head': str(tmp_path / 'secret.pth')}
    steps = [{'type': 'NormalizePose'}, {'type': 'SampleFrames', 'num_frames': 16, 'random': False}]
    steps += [{'type': 'LoadFeature', 'root': str(tmp_path)}, {'type': 'PackPose'}]
    facts['meta']['cfg'] = config_text(model, steps)
    torch.save(facts, checkpoint)
    inferencer = MicroActionInferencer(checkpoint)  # neither file is there; their names are not looked at
    with pytest.raises(UserError, match='no folder of features given'):
        inferencer.predict_clip(moving_clip(1, np.random.default_rng(0)), frame_dir='clip')


def test_scores_that_are_no_numbers_name_clip_and_checkpoint(checkpoint, tmp_path, monkeypatch) -> None:
    inferencer = MicroActionInferencer(checkpoint)
    forward = type(inferencer.model).forward

    def diverged(self, *args, **kwargs):
        result = forward(self, *args, **kwargs)
        result[0].pred_scores = result[0].pred_scores * float('nan')
        return result

    monkeypatch.setattr(type(inferencer.model), 'forward', diverged)
    write_tracks(tmp_path / 'poses', 1)
    with pytest.raises(UserError, match=f'checkpoint {checkpoint}: pred_scores of .*head_00.mp4. are NaN or infinite'):
        inferencer(tmp_path / 'poses/head/head_00.mp4.npz')


def test_weights_that_are_no_numbers_are_refused(checkpoint) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    name = next(name for name, value in saved['state_dict'].items() if value.is_floating_point())
    saved['state_dict'][name].view(-1)[0] = float('inf')
    torch.save(saved, checkpoint)
    with pytest.raises(UserError, match=rf'checkpoint {checkpoint}: {name} holds NaN or infinite values'):
        MicroActionInferencer(checkpoint)


def test_computes_on_one_thread_and_gives_the_others_back(checkpoint, tmp_path, monkeypatch) -> None:
    inferencer = MicroActionInferencer(checkpoint)
    threads, forward = [], inferencer.model.forward

    def noted(*args, **options):
        threads.append(torch.get_num_threads())
        return forward(*args, **options)

    monkeypatch.setattr(inferencer.model, 'forward', noted)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        inferencer(write_tracks(tmp_path / 'poses', 1) / 'head' / 'head_00.mp4.npz')
        assert set(threads) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
