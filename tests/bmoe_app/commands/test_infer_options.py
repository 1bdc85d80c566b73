"""Options of bmoe infer stand for the settings that they name, and their defaults are those of the settings."""

from __future__ import annotations

import argparse
from pathlib import Path

from bmoe_app.answer.settings import ModelSettings
from bmoe_app.commands.infer_options import add_arguments, extraction_of, model_settings, reading_of
from pose_extract.settings import ExtractSettings


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(['videos', *words])


def test_defaults_are_those_of_the_settings() -> None:
    assert extraction_of(parse()).settings == ExtractSettings()
    assert extraction_of(parse()).poses == Path('answers/poses')
    assert model_settings(parse('--checkpoint', 'b.pth')) == ModelSettings(Path('b.pth'), device='auto')
    assert (reading_of(parse()).fps, reading_of(parse()).image_size) == (30.0, None)


def test_what_is_given_arrives(tmp_path: Path) -> None:
    weights = tmp_path / 'pose.pth'
    weights.touch()
    args = parse(
        '--checkpoint', 'b.pth', '--threshold', '0.7', '--min-seconds', '0.4', '--max-gap', '1', '--window', '3',
        '--nms-seconds', '0.8', '--stride', '0.5', '--nothing', 'a', '--nothing', 'b', '--device', 'cpu',
        '--features', 'f',
        '--pose-model', 'body17', '--pose-checkpoint', str(weights), '--pose-device', 'cuda:1',
        '--save-rgb', '64', '--whole-frame',
        '--poses', 'kept', '--jobs', '2', '--overwrite', '--quiet', '--image-size', '720', '1280', '--fps', '25',
    )  # fmt: skip
    asked = ModelSettings(Path('b.pth'), 'cpu', 'f', 3.0, 0.5, 0.7, 0.4, 1.0, ('a', 'b'), nms_seconds=0.8)
    assert model_settings(args) == asked
    extraction = extraction_of(args)
    assert (extraction.poses, extraction.jobs, extraction.overwrite, extraction.show_progress) == (
        Path('kept'), 2, True, False,
    )  # fmt: skip
    expected = ExtractSettings(model='body17', checkpoint=str(weights), device='cuda:1', save_rgb=64, whole_frame=True)
    assert extraction.settings == expected
    assert (reading_of(args).image_size, reading_of(args).fps) == ((720, 1280), 25.0)
