"""List what can be named: configs, keypoint layouts, backends, textures.

bmoe list                   # everything
bmoe list configs           # to train with: bmoe train NAME
bmoe list skeletons         # --skeleton, --layout
bmoe list backends          # bmoe extract --backend
bmoe list textures          # model.variant of a face model, such as MRGB/RLDP/CRGB
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from bmoe_app.parsing import parse_arguments


def _configs() -> list[str]:
    from mm_runtime.catalog import list_configs

    return [f'{entry.name:<36} {entry.description}'.rstrip() for entry in list_configs()]


def _skeletons() -> list[str]:
    from pose_extract.skeletons import REGIONS, get_skeleton, skeleton_names

    lines = []
    for name in skeleton_names():
        layout = get_skeleton(name)
        parts = ', '.join(f'{region} {len(layout.regions[region])}' for region in REGIONS)
        lines.append(f'{name:<20} {layout.num_keypoints:>3} keypoints: {parts}')
    return lines


def _backends() -> list[str]:
    from pose_extract.estimators import BACKENDS

    return sorted(BACKENDS)


def _textures() -> list[str]:
    from face_aux.textures import texture_names

    return list(texture_names())


KINDS: Mapping[str, Callable[[], list[str]]] = {
    'configs': _configs,
    'skeletons': _skeletons,
    'backends': _backends,
    'textures': _textures,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('kind', nargs='?', choices=tuple(KINDS), help='what to list (default: everything)')


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command; see :data:`bmoe_app.cli.COMMANDS`."""
    args = parse_arguments('bmoe list', __doc__, add_arguments, argv, prog)
    if args.kind:
        print('\n'.join(KINDS[args.kind]()))
        return 0
    for kind, lines in KINDS.items():
        print(f'{kind}:\n' + '\n'.join(f'  {line}' for line in lines()))
    return 0
