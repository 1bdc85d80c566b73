"""Events of an ELAN file."""

from __future__ import annotations

from pathlib import Path

from bmoe_app.answer import SOURCES, Event
from bmoe_ground.elan import Annotation, read_annotations
from bmoe_ground.errors import UserError
from pose_extract.body_parts import REGIONS


def read_elan(path: Path) -> list[Event]:
    """Read the events of a file that :func:`bmoe_app.exports.elan.write_elan` wrote and a person may have changed.

    What still is as the tier ``found`` says keeps its source, score and region. What was moved, renamed or given
    another region, and what has no ``found``, is a person's, with score 1. Routing is not in such a file.

    Args:
        path: The file.

    Returns:
        The events in the file's order; what :func:`bmoe_ground.elan.read_annotations` leaves out is not among them.

    Raises:
        UserError: As there, or a region or what was found makes no sense.
    """
    return [_event(one) for one in read_annotations(path)]


def _event(one: Annotation) -> Event:
    start, end, person, label, facts, where = one
    region = facts.get('region') or None
    if region is not None and region not in REGIONS:
        raise UserError(f'{where}: region: expected one of {", ".join(REGIONS)} or nothing, found {region!r:.40}')
    score, source = 1.0, 'person'
    found = facts.get('found', '').rsplit(' | ', 5)
    if found[:4] == [label, str(start), str(end), region or '-'] and facts.get('source') == found[4]:
        try:
            score, source = float(found[5]), found[4]
        except ValueError as error:
            raise UserError(f'{where}: found: expected a score at the end, found {found[5]!r:.40}') from error
        if source not in SOURCES or not 0 <= score <= 1:
            raise UserError(f'{where}: found: no source or score: {facts["found"]!r:.80}')
    return Event(start / 1000, end / 1000, person, label, score, region, source=source)
