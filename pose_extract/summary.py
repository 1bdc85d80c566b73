"""What became of a job's videos, for people and for the shell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bmoe_ground.names import printable
from pose_extract.manifest import STATUSES, Record


@dataclass
class Summary:
    """What became of a job's videos.

    Attributes:
        records: The records of this rank's videos.
        skipped: How many of them had been done before.
        frames: Frames extracted now.
        seconds: Time it took.
        changed: Settings that differ from those of earlier tracks, with the number of tracks.
    """

    records: list[Record] = field(default_factory=list)
    skipped: int = 0
    frames: int = 0
    seconds: float = 0.0
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def exit_code(self) -> int:
        """0 when every video is ``ok``, 2 when none could be read, else 1."""
        statuses = {record['status'] for record in self.records}
        return 2 if statuses == {'failed'} else int(bool(statuses - {'ok'}))

    def lines(self) -> list[str]:
        """The summary for people."""
        counts = Counter(record['status'] for record in self.records)
        persons = sum(record['frames_with_person'] for record in self.records)
        frames = sum(record['frames'] for record in self.records)
        parts = [f'{counts[status]} {status}' for status in STATUSES if counts[status]]
        lines = [
            f'{len(self.records)} videos: {", ".join(parts)}'
            + (f' ({self.skipped} of them done before and skipped)' if self.skipped else ''),
            f'{frames} frames, {persons} of them ({100 * persons / max(frames, 1):.1f} %) with a person that was kept',
        ]
        lines += self._account()
        if self.frames:
            lines.append(
                f'{self.frames} frames now, in {self.seconds:.1f} s: {self.frames / self.seconds:.1f} frames/s'
            )
        bad = [record for record in self.records if record['status'] != 'ok']
        lines += _listed([f'{record["status"]}: {record["video"]}: {record["error"]}' for record in bad])
        noted = [f'note: {record["video"]}: {note}' for record in self.records for note in record['notes']]
        return [printable(line) for line in lines + _listed(noted)]

    def _account(self) -> list[str]:
        """Who was left out, and which videos the second library read."""
        lines = []
        left_out = [record for record in self.records if record['persons_left_out']]
        if left_out:
            count = sum(record['persons_left_out'] for record in left_out)
            lines.append(f'{count} persons left out in part or whole, in {len(left_out)} videos (--max-persons)')
        others = Counter(d for record in self.records if (d := record['decoder']) and not d.startswith('OpenCV'))
        lines += [f'{count} videos read by {library}, which OpenCV cannot decode' for library, count in others.items()]
        return lines


def _listed(entries: list[str], most: int = 20) -> list[str]:
    more = [f'  ... and {len(entries) - most} more, all in the manifest'] if len(entries) > most else []
    return [f'  {entry}' for entry in entries[:most]] + more
