"""Events of an ELAN file. The file is from others: nothing outside it is opened, and it declares nothing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from bmoe_app.answer import SOURCES, Event
from bmoe_ground.errors import UserError
from pose_extract.body_parts import REGIONS

MAX_BYTES = 64 * 2**20
"""Of a file; an annotation takes about 200."""

_PERSON = re.compile(r'person (\d{1,4})\b', re.ASCII)
_TIME = re.compile(r'\d{1,10}', re.ASCII)


def read_elan(path: Path) -> list[Event]:
    """Read the events of a file that :func:`bmoe_app.exports.elan.write_elan` wrote and a person may have changed.

    What still is as the tier ``found`` says keeps its source, score and region. What was moved, renamed or given
    another region, and what has no ``found``, is a person's, with score 1. Routing is not in such a file.

    Args:
        path: The file.

    Returns:
        The events in the file's order. Annotations in top tiers whose name begins with ``note``, and empty ones, are
        left out.

    Raises:
        UserError: The file cannot be read, is too large, declares entities, is no ELAN file, or has annotations in a
            tier that belongs to no person.
    """
    document = _parse(path)
    if document.tag != 'ANNOTATION_DOCUMENT':
        raise UserError(f'{path}: no ELAN file: its outermost element is {document.tag!r:.80}')
    units = {header.get('TIME_UNITS', 'milliseconds') for header in document.iter('HEADER')}
    if units - {'milliseconds'}:
        raise UserError(f'{path}: TIME_UNITS: expected milliseconds, found {sorted(units)!r:.80}')
    moments = {slot.get('TIME_SLOT_ID'): slot.get('TIME_VALUE', '') for slot in document.iter('TIME_SLOT')}
    told = _told(document)
    events = []
    for tier in document.iter('TIER'):
        name = tier.get('TIER_ID', '')
        if tier.get('PARENT_REF') or name.lower().startswith('note'):
            continue
        for annotation in tier.iter('ALIGNABLE_ANNOTATION'):
            where = f'{path}: tier {name!r:.80}, annotation {annotation.get("ANNOTATION_ID", "")!r:.40}'
            start, end = (_moment(moments, annotation, key, where) for key in ('TIME_SLOT_REF1', 'TIME_SLOT_REF2'))
            if label := (annotation.findtext('ANNOTATION_VALUE') or '').strip():
                facts = told.get(annotation.get('ANNOTATION_ID', ''), {})
                events.append(_event(where, _person(tier, where), label, start, end, facts))
    return events


def _parse(path: Path) -> Element:
    try:
        with path.open('rb') as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f'{path}: cannot be read: {error.strerror or error}') from error
    if len(data) > MAX_BYTES:
        raise UserError(f'{path}: cannot be read: larger than {MAX_BYTES:,} bytes')
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise UserError(f'{path}: declares a document type or entities, which ELAN files do not')

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f'{path}: no ELAN file, or a damaged one ({error})') from error
    return builder.close()


def _told(document: Element) -> dict[str, dict[str, str]]:
    """Annotation -> what the tiers beneath say of it, by the last word of their names."""
    told: dict[str, dict[str, str]] = {}
    for tier in document.iter('TIER'):
        if tier.get('PARENT_REF'):
            what = tier.get('TIER_ID', '').rpartition(' ')[2]
            for annotation in tier.iter('REF_ANNOTATION'):
                value = (annotation.findtext('ANNOTATION_VALUE') or '').strip()
                told.setdefault(annotation.get('ANNOTATION_REF', ''), {})[what] = value
    return told


def _person(tier: Element, where: str) -> int:
    for text in (tier.get('PARTICIPANT', ''), tier.get('TIER_ID', '')):
        if match := _PERSON.match(text):
            return int(match[1])
    raise UserError(f"{where}: whose? Set the tier's participant to 'person 0', or let its name begin with 'note'")


def _moment(moments: dict[str | None, str], annotation: Element, key: str, where: str) -> int:
    value = moments.get(annotation.get(key), '')
    if not _TIME.fullmatch(value):
        raise UserError(f'{where}: {key}: expected a time slot with whole milliseconds, found {value!r:.40}')
    return int(value)


def _event(where: str, person: int, label: str, start: int, end: int, facts: dict[str, str]) -> Event:
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
    if start > end:
        raise UserError(f'{where}: ends before it starts')
    return Event(start / 1000, end / 1000, person, label, score, region, source=source)
