"""Finding the videos of a folder, and sharing them out among ranks."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bmoe_ground.errors import UserError
from bmoe_ground.media import GIF, VIDEO_SUFFIXES, media_of
from bmoe_ground.video import is_numbered_image, numbered_images
from pose_extract.stores import IN_NO_FOLDER, Store, StoredFile, store_at


@dataclass(frozen=True)
class VideoItem:
    """One video to extract.

    Attributes:
        path: Where it is on this machine; of a video in a store, where its copy is, once there is one.
        name: Its path below the input folder, with forward slashes.
        size: Bytes, as a measure of how long it takes.
        address: Of a video in a store: its URL, as people may see it.
        key: Of a video in a store: what the store calls it.
        images: Of a folder of numbered images in a store: its files, in place of the key.
    """

    path: Path
    name: str
    size: int
    address: str = ''
    key: str = ''
    images: tuple[StoredFile, ...] = ()

    @property
    def track(self) -> str:
        """Path of its track file below the output folder."""
        return f'{self.name}.npz'

    @property
    def fits(self) -> bool:
        """Whether files can have this name: a store may hold keys such as ``a//b.mp4`` and ``a/../b.mp4``."""
        return not any(part in IN_NO_FOLDER for part in self.name.split('/'))

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return self.address or str(self.path)


def videos_at(source: str | Path, out: str | Path, leave_out: Path | None = None) -> list[VideoItem]:
    """All videos of a job, in a local folder or in a store.

    Args:
        source: Folder of videos, or one video: a path, or a URL that fsspec takes.
        out: Where the tracks go, likewise; left out where it lies below ``source``.
        leave_out: A local folder to leave out in its place.

    Raises:
        UserError: There is no such folder, or no video in it; or a store is not reached.
    """
    inlet, outlet = store_at(source), store_at(out)
    if inlet:
        return find_stored_videos(inlet, outlet)
    return find_videos(Path(source), leave_out or (None if outlet else Path(out)))


def find_videos(source: Path, out: Path | None) -> list[VideoItem]:
    """All videos below a folder, sorted by name: video files, and folders of numbered images that hold no video.

    Links are followed, hidden files are not looked at. A folder of numbered images with no video in it or below is
    itself the one video.

    Args:
        source: A folder, or one video file.
        out: The output folder, which is left out where it lies below ``source``; None where it cannot.

    Raises:
        UserError: There is no such folder, or no video in it.
    """
    if source.is_file():
        if media_of(source, gif='video') != 'video':
            raise UserError(f'{source}: not a folder and not a video ({_kinds()})')
        return [VideoItem(source, source.name, source.stat().st_size)]
    if not source.is_dir():
        raise UserError(f'{source}: no such folder; give a folder of videos, or one video')
    try:
        items = sorted(_walk(source, '', out and out.resolve(), ()), key=lambda item: item.name)
        if not items and (images := numbered_images(source)):
            items = [VideoItem(source, source.resolve().name or 'images', _bytes(images))]
    except PermissionError as error:
        raise UserError(f'{error.filename}: cannot be read: {error.strerror}') from error
    if not items:
        raise UserError(f'{source}: no videos in this folder or below ({_kinds()}, or folders of numbered images)')
    return items


def find_stored_videos(inlet: Store, outlet: Store | None = None) -> list[VideoItem]:
    """All videos in a store: the same ones, under the same names, as :func:`find_videos` finds in such a folder.

    Args:
        inlet: A folder, or one video.
        outlet: Where the tracks go; left out where it lies below.

    Raises:
        UserError: There is no such folder, no video in it, or it cannot be listed.
    """
    one = inlet.one_file()
    if one:
        if media_of(one.name, gif='video') != 'video':
            raise UserError(f'{inlet.shown}: not a folder and not a video ({_kinds()})')
        return [VideoItem(Path(one.name), one.name, one.size, inlet.shown, one.key)]
    items, images = [], defaultdict(list)
    with_videos = set()
    for file in inlet.files(without=inlet.key_of(outlet)):
        name = file.name.rpartition('/')[2]
        above = file.name[: len(file.name) - len(name)]  # ends with a slash, but for those of the folder itself
        if media_of(name, gif='video') == 'video':
            with_videos.add(above)
            items.append(VideoItem(Path(file.name), file.name, file.size, inlet.address(file.name), file.key))
        elif is_numbered_image(name):
            images[above].append(file)
    taken = {item.name for item in items}
    for above, files in images.items():
        if above and above not in with_videos:
            # a video and a folder may have one key in a store; the name with its slash is then refused as no file's
            name = above if above[:-1] in {'', *taken} else above[:-1]
            items.append(_of_images(name, inlet.address(name), files))
    if not items and images:
        items = [_of_images(inlet.shown.rpartition('/')[2] or 'images', inlet.shown, images[''])]
    if not items:
        raise UserError(f'{inlet.shown}: no videos in this folder or below ({_kinds()}, or folders of numbered images)')
    return sorted(items, key=lambda item: item.name)


def _of_images(name: str, address: str, files: list[StoredFile]) -> VideoItem:
    return VideoItem(Path(name), name, sum(file.size for file in files), address, images=tuple(files))


def _walk(folder: Path, prefix: str, out: Path | None, above: tuple[Path, ...]) -> Iterator[VideoItem]:
    real = folder.resolve()
    if real == out or real in above:  # a link back to a folder on the way here
        return
    names = sorted(name for name in os.listdir(folder) if not name.startswith('.'))
    videos = [n for n in names if media_of(n, gif='video') == 'video' and not (folder / n).is_dir()]
    for name in videos:
        path = folder / name
        yield VideoItem(path, prefix + name, path.stat().st_size if path.exists() else 0)
    if not videos and prefix:
        images = numbered_images(folder)
        if images:
            yield VideoItem(folder, prefix[:-1], _bytes(images))
    for name in names:
        if (folder / name).is_dir():
            yield from _walk(folder / name, f'{prefix}{name}/', out, (*above, real))


def _bytes(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _kinds() -> str:
    return ' '.join(sorted((*VIDEO_SUFFIXES, GIF)))


def rank_and_world(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """This process's number and the count of processes that share the work, as torchrun or Slurm's srun set them.

    Args:
        environment: Environment variables: ``RANK`` and ``WORLD_SIZE``, or ``SLURM_PROCID`` and
            ``SLURM_STEP_NUM_TASKS``.

    Returns:
        (rank, world); (0, 1) outside of both.

    Raises:
        UserError: The variables contradict each other, or Slurm gave room for several tasks of which only this one was
            started.
    """
    tasks = environment.get('SLURM_NTASKS', '1')
    for rank_name, world_name in (('RANK', 'WORLD_SIZE'), ('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS')):
        if rank_name in environment and world_name in environment:
            values = environment[rank_name], environment[world_name]
            if not all(value.isdecimal() for value in values) or int(values[0]) >= int(values[1]):
                raise UserError(
                    f'{rank_name}={values[0]} and {world_name}={values[1]}: expected 0 <= rank < world size'
                )
            return int(values[0]), int(values[1])
    if 'SLURM_PROCID' in environment and tasks != '1':
        # a batch script runs once, whatever its --ntasks; taken for one of several it would leave their videos undone
        raise UserError(
            f'Slurm gave this job {tasks} tasks (--ntasks) and one of them runs this: put srun before the call, or ask '
            'for --ntasks=1 and use --jobs or --shard auto'
        )
    return 0, 1
