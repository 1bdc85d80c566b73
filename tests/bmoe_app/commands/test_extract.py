"""bmoe extract: every setting has an option, and the exit code says how many videos were read."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import pytest
from pose_fixtures import VideoMaker

from bmoe_app.commands.extract import add_arguments, main
from pose_extract.settings import ExtractSettings, setting_names
from pose_extract.tracks import load_tracks

pytestmark = pytest.mark.usefixtures('block_backend')


def test_the_options_are_the_settings() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(['videos'])
    assert {name: getattr(args, name) for name in setting_names()} == asdict(ExtractSettings())


def test_all_some_and_none_of_the_videos(
    make_video: VideoMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_video('videos/nod/a.mp4')
    out = tmp_path / 'poses'
    common = ['--out', str(out), '--backend', 'mediapipe', '--jobs', '0', '--quiet']
    assert main([str(tmp_path / 'videos'), *common, '--stride', '3']) == 0
    assert f'{out}/manifest.json' in capsys.readouterr().out
    assert load_tracks(out / 'nod' / 'a.mp4.npz').num_frames == 4

    (tmp_path / 'videos' / 'nod' / 'b.mp4').write_bytes(b'nothing')
    assert main([str(tmp_path / 'videos'), *common, '--stride', '3']) == 1
    shown = capsys.readouterr().out
    assert '2 videos: 1 ok, 1 failed (1 of them done before and skipped)' in shown

    assert main([str(tmp_path / 'videos' / 'nod' / 'b.mp4'), *common]) == 2
