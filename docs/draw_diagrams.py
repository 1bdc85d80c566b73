"""Draw the two diagrams of docs/architecture.md, plain SVG that needs nothing from elsewhere.

python docs/draw_diagrams.py
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

IMAGES = Path(__file__).resolve().parent / 'images'
# the regions have the colours of pose_extract.draw: head orange, trunk blue, arms green, legs pink
PLAIN, KEPT, HEAD, BODY, UPPER, LOWER = '#eceff1', '#fff8e1', '#ffe0b2', '#bbdefb', '#c8e6c9', '#f8bbd0'
STYLE = 'font-family="Helvetica, Arial, sans-serif" font-size="14" fill="#263238"'


class Box(NamedTuple):
    """A rectangle in pixels with lines of text; the first line is bold."""

    x: int
    y: int
    width: int
    height: int
    text: str
    fill: str = PLAIN

    def draw(self) -> str:
        """The box as SVG."""
        lines = self.text.split('\n')
        top = self.y + self.height / 2 - 9 * (len(lines) - 1) + 5
        weights = ['bold'] + ['normal'] * (len(lines) - 1)
        spans = ''.join(
            f'<text x="{self.x + self.width / 2:g}" y="{top + 18 * i:g}" text-anchor="middle" font-weight="{weight}">'
            f'{escape(line)}</text>'
            for i, (line, weight) in enumerate(zip(lines, weights, strict=True))
        )
        frame = f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="6"'
        return f'{frame} fill="{self.fill}" stroke="#78909c"/>{spans}'

    def side(self, name: str) -> tuple[float, float]:
        """The middle of a side: 'left', 'right', 'top' or 'bottom'."""
        x = {'left': 0.0, 'right': 1.0}.get(name, 0.5)
        y = {'top': 0.0, 'bottom': 1.0}.get(name, 0.5)
        return self.x + x * self.width, self.y + y * self.height


def arrow(start: tuple[float, float], end: tuple[float, float], label: str = '') -> str:
    """A straight arrow, with a label at its middle."""
    (x1, y1), (x2, y2) = start, end
    line = f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" stroke="#546e7a" stroke-width="1.5" marker-end="url(#tip)"/>'
    if not label:
        return line
    place = f'x="{(x1 + x2) / 2:g}" y="{(y1 + y2) / 2 - 6:g}"'
    return f'{line}<text {place} text-anchor="middle" font-size="12" font-style="italic">{escape(label)}</text>'


def picture(width: int, height: int, parts: list[str]) -> str:
    """The parts on a white ground, so that they are readable on a dark page."""
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {STYLE}>'
    defs = f'<defs>{tip}<path d="M0 0L8 4L0 8z" fill="#546e7a"/></marker></defs>'
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff" rx="8"/>'
    return '\n'.join([head, defs, ground, *parts, '</svg>', ''])


def chain() -> str:
    """From videos to an answer."""
    videos = Box(15, 205, 90, 50, 'videos')
    extract = Box(140, 190, 150, 80, 'pose_extract\nframes, estimator,\ntracking')
    tracks = Box(325, 190, 130, 80, 'tracks\none .npz a video,\nmanifest.json', KEPT)
    names = [('head', HEAD), ('body', BODY), ('upper limbs', UPPER), ('lower limbs', LOWER)]
    experts = [Box(510, 15 + 70 * i, 140, 50, f'{name}\nexpert (M3E)', fill) for i, (name, fill) in enumerate(names)]
    stream = Box(510, 365, 140, 60, 'global stream\nskeleton, RGB\nor features')
    router = Box(760, 95, 120, 60, 'router\ncross-attention')
    fusion = Box(760, 355, 120, 50, 'fusion')
    answer = Box(930, 340, 150, 80, 'micro-action\nand the weight\nof each region', KEPT)
    parts = [arrow(videos.side('right'), extract.side('left')), arrow(extract.side('right'), tracks.side('left'))]
    for expert in experts:
        parts.append(arrow(tracks.side('right'), expert.side('left')))
        parts.append(arrow(expert.side('right'), router.side('left')))
    parts += [
        arrow(tracks.side('right'), stream.side('left')),
        arrow(stream.side('right'), (775, 157), 'asks'),
        arrow(router.side('bottom'), fusion.side('top')),
        arrow(stream.side('right'), fusion.side('left')),
        arrow(fusion.side('right'), answer.side('left')),
    ]
    boxes = [videos, extract, tracks, *experts, stream, router, fusion, answer]
    return picture(1095, 440, parts + [box.draw() for box in boxes])


def rooms() -> str:
    """Which package imports which: an arrow points at what is imported."""
    top = Box(30, 15, 740, 50, 'bmoe_app, tools, benchmarks\nmay import everything below')
    pose = Box(30, 130, 210, 60, 'pose_extract\nvideos to tracks')
    skel = Box(295, 130, 210, 60, 'bmoe_skel\ntracks to micro-actions')
    face = Box(560, 130, 210, 60, 'face_aux\nfaces to attributes')
    runtime = Box(427, 250, 210, 60, 'mm_runtime\nwhat knows mmengine')
    ground = Box(30, 370, 740, 50, 'bmoe_ground\nerrors, files, safe pickles: knows neither mmengine nor a model')
    parts = [arrow((box.side('top')[0], 65), box.side('top')) for box in (pose, skel, face)]
    parts += [
        arrow(skel.side('left'), pose.side('right')),
        arrow(skel.side('bottom'), (480, 250)),
        arrow(face.side('bottom'), (584, 250)),
        arrow(pose.side('bottom'), (pose.side('bottom')[0], 370)),
        arrow((335, 190), (335, 370)),
        arrow((730, 190), (730, 370)),
        arrow(runtime.side('bottom'), (runtime.side('bottom')[0], 370)),
    ]
    note = '<text x="268" y="208" text-anchor="middle" font-size="12" font-style="italic">skeletons, tracks</text>'
    return picture(800, 435, [*parts, note, *(box.draw() for box in (top, pose, skel, face, runtime, ground))])


DIAGRAMS = {'chain.svg': chain, 'rooms.svg': rooms}


def main() -> None:
    """Write the pictures."""
    for name, draw in DIAGRAMS.items():
        (IMAGES / name).write_text(draw())


if __name__ == '__main__':
    main()
