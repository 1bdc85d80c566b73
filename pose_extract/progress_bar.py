"""The progress bar of a job."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from pose_extract.discovery import VideoItem
from pose_extract.worker import News


class ProgressBar:
    """Progress over the bytes of all videos, the one measure known without opening them."""

    def __init__(self, todo: Sequence[VideoItem], skipped: int, show: bool) -> None:
        self._sizes = {item.name: max(item.size, 1) for item in todo}
        self._frames: dict[str, int] = {}
        self._shares: dict[str, float] = {}
        self._done, self._count, self._whole = 0, len(todo), 0.0
        self._started = time.monotonic()
        skip = f', {skipped} done before' if skipped else ''
        self._bar = tqdm(
            total=sum(self._sizes.values()),
            disable=not show,
            mininterval=0.2 if sys.stderr.isatty() else 10.0,
            bar_format='{percentage:3.0f}%|{bar}| {desc} [{elapsed}, {remaining} left]',
            desc=f'0/{self._count} videos{skip}',
            dynamic_ncols=True,
        )
        self._skip = skip

    def update(self, news: News) -> None:
        """Take in news of a video."""
        name = news.item.name
        before = self._shares.get(name, 0.0)
        share = min(max(before, news.share), 1.0)  # a header may announce fewer frames than there are
        self._frames[name], self._shares[name] = news.frames, share
        self._done += news.record is not None
        rate = sum(self._frames.values()) / max(time.monotonic() - self._started, 1e-3)
        self._bar.set_description_str(
            f'{self._done}/{self._count} videos{self._skip}, {rate:.1f} frames/s', refresh=False
        )
        self._whole += (share - before) * self._sizes[name]
        # sums of shares run past the whole by their rounding, of which tqdm would warn
        self._bar.update(min(self._whole, self._bar.total) - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
