from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bmoe_ground.errors import UserError
from pose_extract.poses import FramePoses, PersonBoxes
from pose_extract.settings import ExtractSettings
from pose_extract.video import Frame

pytestmark = pytest.mark.mmpose
pytest.importorskip('mmpose')

from pose_extract.estimators import mmpose as backend  # noqa: E402
from pose_extract.estimators.openmmlab import find_model, import_openmmlab, nms  # noqa: E402

MODELS = ('rtmpose-t_8xb256-420e_coco-256x192', 'td-hm_mobilenetv2_8xb64-210e_coco-256x192')


def random_model(name: str) -> Any:
    """An MMPose model with random weights whose outputs vary with the input."""
    import_openmmlab()
    from mmpose.apis import init_model

    torch.manual_seed(0)
    model = init_model(str(find_model(name)[0]), None, device='cpu')
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=0.1)
        elif isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model


@pytest.fixture(scope='module', params=MODELS, ids=['simcc', 'heatmap'])
def model_and_weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str, str]:
    model = random_model(request.param)
    file = tmp_path_factory.mktemp('weights') / 'random.pth'
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': model.dataset_meta}}, file)
    return model, request.param, str(file)


@pytest.fixture(scope='module')
def clip() -> tuple[list[Frame], dict[int, PersonBoxes]]:
    """Five noisy frames with one to three boxes each, some reaching over the border."""
    random = np.random.default_rng(0)
    frames, boxes = [], {}
    for index in range(5):
        coarse = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        frames.append(Frame(index, index / 30, np.kron(coarse, np.ones((20, 20, 1), np.uint8))))
        count = 1 + index % 3
        corner = random.uniform(-20, 150, (count, 2))
        size = random.uniform(40, 200, (count, 2))
        boxes[index] = PersonBoxes(np.hstack([corner, corner + size]).astype(np.float32), np.ones(count, np.float32))
    return frames, boxes


@pytest.mark.parametrize('flip_test', [True, False], ids=['flip', 'no-flip'])
@pytest.mark.parametrize(('accelerate', 'tolerance'), [(False, 0.01), (True, 0.5)], ids=['plain', 'accelerated'])
def test_equals_inference_topdown(
    model_and_weights: tuple[Any, str, str],
    clip: tuple[list[Frame], dict[int, PersonBoxes]],
    flip_test: bool,
    accelerate: bool,
    tolerance: float,
) -> None:
    from mmpose.apis import inference_topdown

    model, name, weights = model_and_weights
    frames, boxes = clip
    settings = ExtractSettings(
        model=name, checkpoint=weights, whole_frame=True, flip_test=flip_test, accelerate=accelerate, batch=4
    )
    estimator = backend.MMPoseEstimator(settings)
    model.test_cfg['flip_test'] = flip_test
    results = list(estimator.run(iter(frames), lambda index: boxes[index]))
    assert [frame.index for frame, _ in results] == list(range(5))
    for frame, poses in results:
        expected = inference_topdown(model, frame.image, boxes[frame.index].boxes)
        keypoints = np.concatenate([sample.pred_instances.keypoints for sample in expected])
        scores = np.concatenate([sample.pred_instances.keypoint_scores for sample in expected])
        seen = scores > 0
        assert np.isnan(poses.keypoints[~seen]).all()
        np.testing.assert_allclose(poses.keypoints[seen], keypoints[seen], atol=tolerance)
        np.testing.assert_allclose(poses.scores, scores.clip(0, 1), atol=1e-3)
        np.testing.assert_array_equal(poses.boxes, boxes[frame.index].boxes)


def test_frames_without_boxes_are_kept_empty(model_and_weights: tuple[Any, str, str]) -> None:
    _, name, weights = model_and_weights
    estimator = backend.MMPoseEstimator(ExtractSettings(model=name, checkpoint=weights, whole_frame=True, batch=2))
    image = np.full((40, 30, 3), 128, np.uint8)
    some = PersonBoxes(np.array([[0, 0, 30, 40]], np.float32), np.ones(1, np.float32))
    none = PersonBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    frames = [Frame(index, index / 30, image) for index in range(4)]
    results = list(estimator.run(frames, lambda index: some if index == 3 else none))
    assert [len(poses) for _, poses in results] == [0, 0, 0, 1]


def test_no_internet_names_the_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', unreachable)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(UserError, match='cannot be downloaded.*--checkpoint FILE.*--backend mediapipe'):
        backend.MMPoseEstimator.identify(ExtractSettings())
    weights = tmp_path / 'weights.pth'
    weights.write_bytes(b'x')
    with pytest.raises(UserError, match='--detector-checkpoint FILE.*--boxes FILE.*--whole-frame'):
        backend.MMPoseEstimator.identify(ExtractSettings(checkpoint=str(weights)))


@pytest.mark.parametrize('alias', ['wholebody', 'body26', 'body17'])
def test_aliases_are_mmpose_s_own(alias: str) -> None:
    import_openmmlab()
    config, url = find_model(alias)
    assert config.is_file()
    assert url is not None
    assert url.startswith('https://download.openmmlab.com/')


def test_an_unknown_model_lists_the_aliases() -> None:
    import_openmmlab()
    with pytest.raises(UserError, match=r"no model 'wholebdy'.*body17.*wholebody"):
        find_model('wholebdy')


def test_weights_of_another_model_are_refused(model_and_weights: tuple[Any, str, str], tmp_path: Path) -> None:
    _, name, weights = model_and_weights
    other = next(one for one in MODELS if one != name)
    with pytest.raises(UserError, match='do not fit'):
        backend.MMPoseEstimator(ExtractSettings(model=other, checkpoint=weights, whole_frame=True))


def test_nms_equals_torchvision() -> None:
    torchvision = pytest.importorskip('torchvision')
    random = torch.Generator().manual_seed(0)
    corner = torch.rand(200, 2, generator=random) * 100
    boxes = torch.cat([corner, corner + torch.rand(200, 2, generator=random) * 60], 1)
    scores = torch.rand(200, generator=random)
    try:
        expected = torchvision.ops.nms(boxes, scores, 0.4)
    except (RuntimeError, NotImplementedError):
        pytest.skip('this torchvision has no nms')
    assert nms(boxes, scores, 0.4).tolist() == expected.tolist()


def test_nms_by_hand() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.5).tolist() == [1, 2]
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.9).tolist() == [1, 2, 0]  # IoU 90 / 110


def test_boxes_follow_the_sure_keypoints() -> None:
    keypoints = np.full((1, 17, 2), np.nan, np.float32)
    keypoints[0, :3] = [[10, 20], [30, 60], [500, 500]]
    scores = np.zeros((1, 17), np.float32)
    scores[0, :3] = [0.9, 0.8, 0.1]
    poses = FramePoses(keypoints, scores, np.array([[0, 0, 40, 80]], np.float32))
    found = backend.boxes_around(poses, (100, 100, 3))
    np.testing.assert_allclose(found.boxes, [[7.5, 15, 32.5, 65]])


class StubDetector:
    """Finds one person where the frame is brightest, and remembers which frames it was shown."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def detect(self, images: list[np.ndarray]) -> list[PersonBoxes]:
        self.seen += [int(image[0, 0, 0]) for image in images]
        return [PersonBoxes(np.array([[50, 40, 150, 220]], np.float32), np.ones(1, np.float32)) for _ in images]


@pytest.mark.parametrize(('every', 'expected'), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6])])
def test_the_detector_runs_on_every_nth_frame(
    model_and_weights: tuple[Any, str, str], monkeypatch: pytest.MonkeyPatch, every: int, expected: list[int]
) -> None:
    _, name, weights = model_and_weights
    estimator = backend.MMPoseEstimator(ExtractSettings(model=name, checkpoint=weights, whole_frame=True, batch=2))
    detector = StubDetector()
    monkeypatch.setattr(estimator, 'detector', detector)
    monkeypatch.setattr(estimator, 'settings', ExtractSettings(detect_every=every, batch=2))
    random = np.random.default_rng(0)
    frames = []
    for index in range(7):
        image = random.integers(0, 256, (240, 200, 3), dtype=np.uint8)
        image[0, 0, 0] = index
        frames.append(Frame(index, index / 30, image))
    results = list(estimator.run(iter(frames)))
    assert detector.seen == expected
    assert [frame.index for frame, _ in results] == list(range(7))
    assert all(len(poses) == 1 for _, poses in results)
    np.testing.assert_array_equal(results[0][1].boxes, [[50, 40, 150, 220]])


@pytest.mark.slow
def test_rtmdet_finds_boxes_on_mmcv_lite(tmp_path: Path) -> None:
    """With random weights it finds nonsense, but boxes inside the frame, by RTMDet's own path through nms."""
    import_openmmlab()
    from mmdet.apis import inference_detector, init_detector

    from pose_extract.estimators.detector import PersonDetector
    from pose_extract.estimators.openmmlab import packaged_files

    config = packaged_files('mmpose') / 'demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py'
    torch.manual_seed(0)
    model = init_detector(str(config), None, device='cpu')
    for module in model.bbox_head.modules():
        if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
            torch.nn.init.normal_(module.bias, std=1.0)
    torch.save(
        {'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': ('person',)}}}, tmp_path / 'd.pth'
    )
    detector = PersonDetector(config, tmp_path / 'd.pth', 0.4, torch.device('cpu'))
    images = [np.random.default_rng(n).integers(0, 256, (120, 160, 3), dtype=np.uint8) for n in range(3)]
    together = detector.detect(images)
    for image, found in zip(images, together, strict=True):
        assert len(found) > 0
        (alone,) = detector.detect([image])
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=0.01)
        theirs = inference_detector(model, image).pred_instances
        sure = theirs.scores > 0.4
        kept = nms(theirs.bboxes[sure], theirs.scores[sure], 0.3)
        np.testing.assert_allclose(found.boxes, theirs.bboxes[sure][kept], atol=0.01)
        assert (found.scores > 0.4).all()


def test_precisions_that_do_not_exist_here_are_refused(model_and_weights: tuple[Any, str, str]) -> None:
    _, name, weights = model_and_weights
    with pytest.raises(UserError, match='float16 needs a GPU'):
        backend.MMPoseEstimator(ExtractSettings(model=name, checkpoint=weights, whole_frame=True, precision='float16'))
    with pytest.raises(UserError, match="unknown precision 'half'"):
        backend.MMPoseEstimator(ExtractSettings(model=name, checkpoint=weights, whole_frame=True, precision='half'))


def test_the_execution_is_on_record(model_and_weights: tuple[Any, str, str]) -> None:
    _, name, weights = model_and_weights
    settings = {'model': name, 'checkpoint': weights, 'whole_frame': True}
    assert backend.MMPoseEstimator(ExtractSettings(**settings, accelerate=False)).execution == 'torch cpu float32'
    bfloat16 = backend.MMPoseEstimator(ExtractSettings(**settings, precision='bfloat16'))
    assert bfloat16.execution == 'torch cpu bfloat16'
    frame = Frame(0, 0.0, np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8))
    ((_, poses),) = bfloat16.run([frame])
    assert poses.keypoints.dtype == np.float32
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    assert backend.MMPoseEstimator(ExtractSettings(**settings)).execution == 'onnxruntime cpu float32'
