"""Time, memory and size of the manifest at 10^5 and 10^6 videos, of made-up records.

python -m benchmarks.manifests 100000 1000000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pose_extract.manifest import Manifest, new_record
from pose_extract.shards import Shard, ShardManifest


def measure(count: int, shards: int = 10) -> str:
    """Merge the journals of shards that did ``count`` videos; a row of a Markdown table.

    Args:
        count: Videos.
        shards: Shards that share them.

    Returns:
        Videos; size of the manifest in MB; seconds to merge all journals, and to read and merge again; peak memory of
        this process in MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        names = [f'part-{i % 1000:03d}/clip-{i:08d}.mp4' for i in range(count)]
        (out / '.manifest').mkdir()
        for index in range(shards):
            shard = Shard(index, shards)
            with (out / '.manifest' / f'{shard.name}.jsonl').open('w') as file:
                file.writelines(_line(name) for name in names if shard.holds(name))
        began = time.monotonic()
        ShardManifest(out).merge_parts(names)
        merged = time.monotonic()
        known = Manifest(out).begin(names, {})
        again = time.monotonic()
        if sum(record['status'] == 'ok' for record in known.values()) != count:
            raise RuntimeError('records were lost')
        size = (out / 'manifest.json').stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return f'| {count} | {size:.0f} | {merged - began:.1f} | {again - merged:.1f} | {peak:.0f} |'


def _line(name: str) -> str:

    record = new_record(name, 'ok') | {'track': f'{name}.npz', 'frames': 90, 'frames_with_person': 90, 'persons': 1}
    return json.dumps(record | {'seconds': 4.5, 'finished': 1.7e9, 'persons_seen': 1, 'decoder': 'OpenCV'}) + '\n'


def main() -> None:
    """Print a row for each count, each measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('counts', type=int, nargs='+')
    counts = parser.parse_args().counts
    if len(counts) == 1:
        print(measure(counts[0]))
        return
    print('| videos | manifest, MB | merge of ten shards, s | read and merge again, s | peak memory, MB |')
    print('|---|---|---|---|---|', flush=True)
    for count in counts:
        subprocess.run([sys.executable, '-m', 'benchmarks.manifests', str(count)], check=True)


if __name__ == '__main__':
    main()
