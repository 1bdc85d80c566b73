"""Events as an ELAN file (EAF 3.0): a tier a person; beneath it the region, the source, and what was found."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from bmoe_app.answer import Answer
from bmoe_app.exports.layers import Span, tiers_of
from bmoe_app.exports.texts import one_line
from bmoe_ground.files import atomic_write

_SCHEMA = 'http://www.mpi.nl/tools/elan/EAFv3.0.xsd'
_MIME = {
    '.mp4': 'video/mp4',
    '.m4v': 'video/mp4',
    '.mpg': 'video/mpeg',
    '.mpeg': 'video/mpeg',
    '.mov': 'video/quicktime',
}


def write_elan(path: str | os.PathLike[str], answer: Answer) -> None:
    """Write the events for ELAN, the video linked by its place relative to the file.

    The tier ``found`` repeats each event as it was written. :func:`bmoe_app.exports.read_events` tells by it what a
    person changed since.

    Args:
        path: The ``.eaf`` file, replaced if it exists.
        answer: To the video.

    Raises:
        UserError: The file cannot be written.
    """
    document = Element('ANNOTATION_DOCUMENT', {
        'AUTHOR': 'bmoe-skel', 'DATE': datetime.now(UTC).isoformat(timespec='seconds'),
        'FORMAT': '3.0', 'VERSION': '3.0',
        'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance', 'xsi:noNamespaceSchemaLocation': _SCHEMA,
    })  # fmt: skip
    header = SubElement(document, 'HEADER', MEDIA_FILE='', TIME_UNITS='milliseconds')
    if answer.video is not None:
        place = Path(os.path.relpath(answer.video, Path(path).parent)).as_posix()
        link = one_line(place if place.startswith('../') else f'./{place}')
        mime = _MIME.get(answer.video.suffix.lower(), 'unknown')
        SubElement(header, 'MEDIA_DESCRIPTOR', MEDIA_URL=link, MIME_TYPE=mime, RELATIVE_MEDIA_URL=link)
    order = SubElement(document, 'TIME_ORDER')
    numbers, slots = count(1), count(1)
    for name, person, spans in tiers_of(answer):
        ids = _add_tier(document, order, name, person, spans, numbers, slots)
        _add_child(document, name, 'region', person, [(i, s.event.region or '') for i, s in ids], numbers)
        _add_child(document, name, 'source', person, [(i, s.event.source) for i, s in ids], numbers)
        _add_child(document, name, 'found', person, [(i, found(s)) for i, s in ids], numbers)
    SubElement(header, 'PROPERTY', NAME='lastUsedAnnotationId').text = str(next(numbers) - 1)
    _add_types(document)
    with atomic_write(path) as file:
        ElementTree(document).write(file, encoding='UTF-8', xml_declaration=True)


def found(one: Span) -> str:
    """What was written of an event, on one line: label, start, end, region, source, score."""
    event = one.event
    facts = [one_line(event.label), one.start, one.end, event.region or '-', event.source, f'{event.score:.4f}']
    return ' | '.join(map(str, facts))


def _add_tier(
    document: Element, order: Element, name: str, person: int, spans: list[Span], numbers: count, slots: count
) -> list[tuple[str, Span]]:
    tier = SubElement(document, 'TIER', LINGUISTIC_TYPE_REF='event', TIER_ID=name, PARTICIPANT=f'person {person}')
    ids = []
    for one in spans:
        refs = []
        for moment in one[:2]:
            refs.append(f'ts{next(slots)}')
            SubElement(order, 'TIME_SLOT', TIME_SLOT_ID=refs[-1], TIME_VALUE=str(moment))
        ids.append((f'a{next(numbers)}', one))
        facts = {'ANNOTATION_ID': ids[-1][0], 'TIME_SLOT_REF1': refs[0], 'TIME_SLOT_REF2': refs[1]}
        annotation = SubElement(SubElement(tier, 'ANNOTATION'), 'ALIGNABLE_ANNOTATION', facts)
        SubElement(annotation, 'ANNOTATION_VALUE').text = one_line(one.event.label)
    return ids


def _add_child(
    document: Element, parent: str, name: str, person: int, values: list[tuple[str, str]], numbers: count
) -> None:
    facts = {'LINGUISTIC_TYPE_REF': 'of event', 'TIER_ID': f'{parent} {name}', 'PARENT_REF': parent}
    tier = SubElement(document, 'TIER', facts, PARTICIPANT=f'person {person}')
    for of, value in values:
        facts = {'ANNOTATION_ID': f'a{next(numbers)}', 'ANNOTATION_REF': of}
        annotation = SubElement(SubElement(tier, 'ANNOTATION'), 'REF_ANNOTATION', facts)
        SubElement(annotation, 'ANNOTATION_VALUE').text = value


def _add_types(document: Element) -> None:
    kind = {'GRAPHIC_REFERENCES': 'false'}
    SubElement(document, 'LINGUISTIC_TYPE', kind, LINGUISTIC_TYPE_ID='event', TIME_ALIGNABLE='true')
    child = {'LINGUISTIC_TYPE_ID': 'of event', 'CONSTRAINTS': 'Symbolic_Association'}
    SubElement(document, 'LINGUISTIC_TYPE', kind | child, TIME_ALIGNABLE='false')
    text = '1-1 association with a parent annotation'
    SubElement(document, 'CONSTRAINT', STEREOTYPE='Symbolic_Association', DESCRIPTION=text)
