"""The licences of all installed packages, as their metadata say them; exit code 1 where one is under the AGPL.

python -m benchmarks.licences
python -m benchmarks.licences --quiet     # only what is refused, and packages that say nothing
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
from collections.abc import Iterable
from typing import Any

_REFUSED = re.compile(r'\bAGPL|Affero', re.IGNORECASE)
UNKNOWN = 'says nothing'


def licence_of(metadata: Any) -> str:
    """What a package's metadata say of its licence, in a line.

    Args:
        metadata: Of a distribution (:func:`importlib.metadata.metadata`).

    Returns:
        Its licence expression, else its classifiers, else the first line of its licence text; :data:`UNKNOWN` where all
        are missing.

    Example:
        >>> from email import message_from_string
        >>> licence_of(message_from_string('License-Expression: MIT'))
        'MIT'
    """
    expression = metadata.get('License-Expression')
    classifiers = [
        str(line).rpartition(' :: ')[2]
        for line in metadata.get_all('Classifier') or ()
        if str(line).startswith('License ::') and str(line) != 'License :: OSI Approved'
    ]
    text = str(metadata.get('License') or '').strip().splitlines()
    return str(expression or ' AND '.join(classifiers) or (text[0][:80] if text else UNKNOWN))


def refused(licences: Iterable[tuple[str, str]]) -> list[str]:
    """Names of the packages whose licence is an AGPL, with it.

    Example:
        >>> refused([('a', 'MIT'), ('b', 'GNU Affero General Public License v3')])
        ['b: GNU Affero General Public License v3']
    """
    return [f'{name}: {licence}' for name, licence in licences if _REFUSED.search(licence)]


def main(argv: list[str] | None = None) -> int:
    """List the licences; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quiet', action='store_true', help='do not list what is in order')
    quiet = parser.parse_args(argv).quiet
    found = {dist.metadata['Name']: licence_of(dist.metadata) for dist in importlib.metadata.distributions()}
    listed = sorted(found.items(), key=lambda pair: pair[0].lower())
    for name, licence in listed:
        if not quiet or licence == UNKNOWN:
            print(f'{name}: {licence}')
    bad = refused(listed)
    print('\n'.join(f'refused: {line}' for line in bad) or f'{len(listed)} packages, none under the AGPL')
    return int(bool(bad))


if __name__ == '__main__':
    raise SystemExit(main())
