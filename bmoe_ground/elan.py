"""What an ELAN file says, by person. The file is from others: nothing outside it is opened, and it declares nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from bmoe_ground.errors import UserError

MAX_BYTES = 64 * 2**20
"""Of a file; an annotation takes about 200."""

_PERSON = re.compile(r'person (\d{1,4})\b', re.ASCII)
_TIME = re.compile(r'\d{1,10}', re.ASCII)


class Annotation(NamedTuple):
    """One annotation of a tier that belongs to a person.

    Attributes:
        start: Milliseconds.
        end: Milliseconds, not before ``start``.
        person: Index of the person, from 0.
        label: Its text, never empty.
        told: What the tiers beneath say of it: the last word of a tier's name to the text.
        where: File, tier and annotation, for error messages.
    """

    start: int
    end: int
    person: int
    label: str
    told: Mapping[str, str]
    where: str


def read_annotations(path: Path) -> list[Annotation]:
    """Read the annotations of an ELAN file whose top tiers belong to persons.

    A tier is a person's whose participant, or else whose name, begins with ``person 0``, ``person 1`` and so on.

    Args:
        path: The ``.eaf`` file.

    Returns:
        The annotations in the file's order. Those in top tiers whose name begins with ``note``, and empty ones, are
        left out.

    Raises:
        UserError: The file cannot be read, is too large, declares entities, is no ELAN file, or has annotations in a
            tier that belongs to no person, or one that ends before it starts.

    Example:
        >>> for one in read_annotations(Path('answers/nod.mp4.eaf')):  # doctest: +SKIP
        ...     print(one.person, one.start, one.end, one.label)
    """
    document = _parse(path)
    if document.tag != 'ANNOTATION_DOCUMENT':
        raise UserError(f'{path}: no ELAN file: its outermost element is {document.tag!r:.80}')
    units = {header.get('TIME_UNITS', 'milliseconds') for header in document.iter('HEADER')}
    if units - {'milliseconds'}:
        raise UserError(f'{path}: TIME_UNITS: expected milliseconds, found {sorted(units)!r:.80}')
    moments = {slot.get('TIME_SLOT_ID'): slot.get('TIME_VALUE', '') for slot in document.iter('TIME_SLOT')}
    told = _told(document)
    found = []
    for tier in document.iter('TIER'):
        name = tier.get('TIER_ID', '')
        if tier.get('PARENT_REF') or name.lower().startswith('note'):
            continue
        for annotation in tier.iter('ALIGNABLE_ANNOTATION'):
            where = f'{path}: tier {name!r:.80}, annotation {annotation.get("ANNOTATION_ID", "")!r:.40}'
            start, end = (_moment(moments, annotation, key, where) for key in ('TIME_SLOT_REF1', 'TIME_SLOT_REF2'))
            if label := (annotation.findtext('ANNOTATION_VALUE') or '').strip():
                if start > end:
                    raise UserError(f'{where}: ends before it starts')
                facts = told.get(annotation.get('ANNOTATION_ID', ''), {})
                found.append(Annotation(start, end, _person(tier, where), label, facts, where))
    return found


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
