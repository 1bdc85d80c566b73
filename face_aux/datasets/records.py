"""What a reader returns for one face, and what it left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Record:
    """One labelled image, video, folder of frames or pixel array, before any split is taken.

    Args:
        path: The file, or where the pixels came from (``fer2013.csv:17``).
        gt: Task name to class index, or to a list of 0, 1 and -1 for a multi-label task.
        groups: Column name to group name; a column absent here is unknown for this sample.
        split: Official split, '' where the set has none.
        subjects: Identities shown. Samples that share one never end in different parts.
        video_id: Video that a frame belongs to.
        media: 'image', 'video', 'frames' (a folder of images) or 'array'.
        face_box: Annotated face as (x, y, width, height) in pixels.
        where: File and line of the label, for messages.
        array_index: Row of the dataset's pixel array, for 'array'.
    """

    path: str
    gt: dict[str, Any]
    groups: dict[str, str] = field(default_factory=dict)
    split: str = ''
    subjects: tuple[str, ...] = ()
    video_id: str | None = None
    media: str = 'image'
    face_box: tuple[float, float, float, float] | None = None
    where: str = ''
    array_index: int | None = None


@dataclass(frozen=True)
class Skipped:
    """A line or file that is not used, and why."""

    where: str
    reason: str
