from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pose_extract.manifest import read_manifest
from pose_extract.tracks import load_tracks

TOOL = Path(__file__).parents[2] / 'tools/extract_pose.py'


def damage(data: bytes, random: np.random.Generator) -> bytes:
    """One of: cut off, bytes changed, bits flipped in the headers, a stretch zeroed, doubled or taken out."""
    array = np.frombuffer(data, np.uint8).copy()
    size = len(array)
    first = int(random.integers(0, size))
    length = int(random.integers(1, max(2, size // 8)))
    kind = random.integers(0, 6)
    if kind == 0:
        return data[:first]
    if kind == 1:
        places = random.integers(0, size, random.integers(1, 40))
        array[places] = random.integers(0, 256, len(places))
    elif kind == 2:
        # The index of an MP4 is at its end, the headers of AVI and Matroska at the beginning.
        places = random.choice([0, max(0, size - 700)]) + random.integers(0, min(700, size), random.integers(1, 12))
        array[places % size] ^= 1 << random.integers(0, 8, len(places)).astype(np.uint8)
    elif kind == 3:
        array[first : first + length] = 0
    elif kind == 4:
        return data[: first + length] + data[first:]
    else:
        return data[:first] + data[first + length :]
    return array.tobytes()


@pytest.mark.slow
def test_no_damage_ends_in_a_traceback_or_loses_a_result(make_video: Callable[..., Path], tmp_path: Path) -> None:
    whole = [make_video(f'whole{suffix}', frames=6).read_bytes() for suffix in ('.mp4', '.avi', '.mkv')]
    random = np.random.default_rng(0)
    folder = tmp_path / 'videos'
    folder.mkdir()
    count = 210
    for number in range(count):
        suffix, data = (('.mp4', '.avi', '.mkv')[number % 3], whole[number % 3])
        (folder / f'{number:03d}{suffix}').write_bytes(damage(data, random))
    for number, suffix in enumerate(('.mp4', '.avi', '.mkv')):
        (folder / f'whole{suffix}').write_bytes(whole[number])
    out = tmp_path / 'poses'
    command = [
        sys.executable,
        str(TOOL),
        str(folder),
        '--out',
        str(out),
        '--backend',
        'block_estimator:Slow',  # no model: what is tested is the reading
        '--jobs',
        '2',
        '--quiet',
    ]
    repo = TOOL.parents[1]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(repo), str(repo / 'tests/helpers')]), 'BLOCK_SECONDS': '0'}
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=800, check=False)
    assert result.returncode == 1, result.stderr
    assert result.stderr == ''
    records = read_manifest(out / 'manifest.json')
    assert len(records) == count + 3
    read = 0
    for name, record in records.items():
        assert record['status'] in ('ok', 'partial', 'nobody', 'failed'), name
        assert bool(record['error']) == (record['status'] != 'ok'), name
        path = out / f'{name}.npz'
        assert path.is_file() == (record['track'] is not None) == (record['status'] != 'failed'), name
        if record['track']:
            assert load_tracks(path).num_frames == record['frames'] > 0
            read += 1
    assert read > count // 4
    for suffix in ('.mp4', '.avi', '.mkv'):
        assert (records[f'whole{suffix}']['status'], records[f'whole{suffix}']['frames']) == ('ok', 6)
