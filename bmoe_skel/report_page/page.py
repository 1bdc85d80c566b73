"""The page itself, section by section."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import resources

import numpy as np

from bmoe_ground.pages import data_block, escape, html_document
from bmoe_skel.metrics.by_class import scores_by_class
from bmoe_skel.metrics.calibration import reliability
from bmoe_skel.report_page.figures import confusion_svg, curve_svg, reliability_svg, routing_svg, shade
from bmoe_skel.report_page.run import TestRun
from pose_extract.skeletons import REGIONS, get_skeleton, region_hex

_CURVES = 12  # small pictures of routing over time; more are said, and stand in the table


def report_html(run: TestRun) -> str:
    """Make the page.

    Args:
        run: What the test found.

    Returns:
        One HTML document without anything to load.
    """
    sections = {
        'Mistakes': _confusions(run),
        'F1 by class': _by_class(run),
        'Routing': _routing(run),
        'Surest mistakes': _mistakes(run),
        'Calibration': _calibration(run),
        'Learning curve': _curve(run),
        'Settings': _settings(run),
    }
    links = ' '.join(f'<a href="#s{i}">{name}</a>' for i, name in enumerate(sections))
    body = f'<header><h1>{escape(run.title)}</h1>{_tiles(run)}<nav>{links}</nav></header>\n<main>' + '\n'.join(
        f'<section id="s{i}"><h2>{name}</h2>{content}</section>' for i, (name, content) in enumerate(sections.items())
    )
    colours = ':root{' + ''.join(f'--{region}:{region_hex(region)};' for region in REGIONS) + '}\n'
    style = colours + _asset('report.css')
    return html_document(run.title, body + '</main>' + data_block('motions', _motions(run)), style, _asset('report.js'))


def _asset(name: str) -> str:
    return (resources.files('bmoe_skel.report_page') / name).read_text('utf-8')


def _number(value: float) -> str:
    return f'{value:.2f}' if math.isfinite(value) else '–'


def _tiles(run: TestRun) -> str:
    numbers = {key: value for key, value in run.scores.items() if isinstance(value, (int, float))}
    tiles = [f'<div><b>{value:.3f}</b> {escape(key)}</div>' for key, value in numbers.items()]
    return f'<div class="tiles"><div><b>{len(run.labels)}</b> clips</div>{"".join(tiles)}</div>'


def _order(run: TestRun) -> list[int]:
    """Classes of one coarse class beside each other."""
    return sorted(range(len(run.classes)), key=lambda c: (run.coarse[c] if run.coarse else 0, c))


def _confusions(run: TestRun) -> str:
    order = _order(run)
    fine = confusion_svg(run.confusion[np.ix_(order, order)], [run.classes[c] for c in order], 'confusion of classes')
    scale = ''.join(f'<i style="background:{shade(i / 10)}"></i>' for i in range(11))
    parts = [f'<p>Rows are the truth, columns the answer. <span class="scale">0 {scale} 1</span> share of the true '
             f'class; a cell says its count when pointed at.</p>'
             f'<div class="wide" tabindex="0">{fine}</div>']  # fmt: skip
    if run.coarse:
        member = np.eye(len(run.coarse_names), dtype=int)[list(run.coarse)]
        coarse = confusion_svg(member.T @ run.confusion @ member, run.coarse_names, 'confusion of coarse classes')
        parts.append(f'<h3>Coarse classes</h3><div class="wide" tabindex="0">{coarse}</div>')
    return ''.join(parts)


def _by_class(run: TestRun) -> str:
    scores = scores_by_class(run.confusion)
    rows = []
    for c in np.argsort(np.nan_to_num(scores.f1, nan=2), kind='stable'):
        bar = ''
        if np.isfinite(scores.f1[c]):
            low, high, at = (100 * float(ends[c]) for ends in (scores.low, scores.high, scores.f1))
            bar = (f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
                   f'<rect class="span" x="{low:.1f}" y="3" width="{high - low:.1f}" height="4"/>'
                   f'<rect x="{max(at - 0.7, 0):.1f}" y="0" width="1.4" height="10"/></svg>')  # fmt: skip
        trained = run.trained[c] if run.trained is not None else 'unknown'
        rows.append(f'<tr><th scope="row">{escape(run.classes[c])}</th><td>{_number(scores.f1[c])}</td><td>{bar}</td>'
                    f'<td>{_number(scores.low[c])} to {_number(scores.high[c])}</td><td>{scores.clips[c]}</td>'
                    f'<td>{trained}</td></tr>')  # fmt: skip
    return (
        '<p>Weakest first. The interval is of 95 %, Wilson’s of TP / (TP + FP + FN) carried over to F1; it says how '
        'far few clips can mislead, not how other people or cameras would score.</p>'
        '<div class="wide" tabindex="0"><table><thead><tr><th>class</th><th>F1</th><th>0 … 1</th><th>interval</th>'
        f'<th>test clips</th><th>training clips</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _legend() -> str:
    return '<p class="legend">' + ''.join(f'<span><i class="{r}"></i>{r}</span>' for r in REGIONS) + '</p>'


def _routing(run: TestRun) -> str:
    if run.routing is None:
        return '<p>The model has no router.</p>'
    rows, curves = [], []
    for c in _order(run):
        own = run.routing[run.labels == c]
        if not len(own):
            continue
        mean = own.mean((0, 2))
        cells = ''.join(
            f'<td style="background:{shade(w)};color:{"#fff" if w > 0.5 else "#111"}">{w:.2f}</td>' for w in mean
        )
        rows.append(f'<tr><th scope="row">{escape(run.classes[c])}</th>{cells}<td>{len(own)}</td></tr>')
    groups: Sequence[int] = run.coarse if run.coarse else range(len(run.classes))
    names = run.coarse_names if run.coarse else run.classes
    of_clip = np.asarray(groups)[run.labels]
    present = sorted(np.unique(of_clip), key=lambda g: -int((of_clip == g).sum()))
    for g in present[:_CURVES]:
        own = run.routing[of_clip == g]
        caption = f'{escape(names[g])} ({len(own)} clips)'
        curves.append(f'<figure>{routing_svg(own.mean(0), names[g])}<figcaption>{caption}</figcaption></figure>')
    left_out = f' The {_CURVES} with most clips, of {len(present)}.' if len(present) > _CURVES else ''
    head = ''.join(f'<th>{region}</th>' for region in REGIONS)
    return (
        '<p>The weight that the router gives each region, mean over the clips of a true class. A weight says what the '
        'model listened to, which need not be what it could not do without.</p>'
        f'<div class="wide" tabindex="0"><table class="heat"><thead><tr><th>class</th>{head}<th>clips</th></tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table></div><h3>Over time</h3><p>From the clip’s first frame to its last, '
        f'cuts of a clip averaged.{left_out}</p>{_legend()}<div class="grid">{"".join(curves)}</div>'
    )


def _mistakes(run: TestRun) -> str:
    if not run.mistakes:
        return '<p>No clip was mistaken.</p>'
    cards = []
    for i, motion in run.mistakes.items():
        canvas = '<p class="none">Its keypoints could not be read.</p>'
        if motion is not None:
            said = 'role="img" aria-label="the clip’s skeleton"'
            canvas = f'<canvas width="280" height="280" data-clip="{i}" {said}></canvas>'
        bar = ''
        if run.routing is not None:
            weights = run.routing[i].mean(1)
            words = ', '.join(f'{r} {w:.2f}' for r, w in zip(REGIONS, weights, strict=True))
            spans = ''.join(f'<i class="{r}" style="flex:{w:.3f}"></i>' for r, w in zip(REGIONS, weights, strict=True))
            bar = f'<div class="routing" role="img" aria-label="routing: {words}" title="{words}">{spans}</div>'
        cards.append(f'<figure class="card">{canvas}{bar}<figcaption>Said <b>'
                     f'{escape(run.classes[run.predicted[i]])}</b> '
                     f'({run.confidence[i]:.2f}), is <b>{escape(run.classes[run.labels[i]])}</b><br>'
                     f'<small>{escape(run.names[i])}</small></figcaption></figure>')  # fmt: skip
    return (
        f'<p>{int((run.labels != run.predicted).sum())} of {len(run.labels)} clips are wrong; these are the ones the '
        'model was surest of. Look here for wrong labels first. <button id="play" type="button">Pause</button></p>'
        f'{_legend()}<noscript><p>The animations need JavaScript.</p></noscript>'
        f'<div class="grid">{"".join(cards)}</div>'
    )


def _motions(run: TestRun) -> dict[str, object]:
    shown = {i: motion for i, motion in run.mistakes.items() if motion is not None}
    layouts = {}
    for name in {motion.skeleton for motion in shown.values()}:
        layout = get_skeleton(name)
        region = {k: r for r, keypoints in layout.regions.items() for k in keypoints}
        layouts[name] = {
            'edges': [list(edge) for edge in layout.edges],
            'regions': [region[k] for k in range(layout.num_keypoints)],
        }
    clips = {str(i): {'skeleton': m.skeleton, 'points': m.points.tolist()} for i, m in shown.items()}
    return {'layouts': layouts, 'clips': clips}


def _calibration(run: TestRun) -> str:
    found = reliability(np.clip(run.confidence, 0, 1), run.labels == run.predicted)
    return (
        f'<p>Expected calibration error {found.error:.3f} over ten bins: how far the confidence is from the share that '
        f'is right, on average. Bars above the line are clips of which the model was too unsure, bars below of which '
        f'it was too sure.</p><figure class="one">{reliability_svg(found)}</figure>'
    )


def _curve(run: TestRun) -> str:
    if run.curve is None:
        return '<p>The log of the training was not found beside the checkpoint.</p>'
    highest = max(value for _, value in run.curve.loss) or 1.0
    figures = [f'<figure>{curve_svg(run.curve.loss, "loss", highest)}<figcaption>Training</figcaption></figure>']
    if run.curve.score:
        score = curve_svg(run.curve.score, run.curve.metric, max(1.0, *(value for _, value in run.curve.score)))
        figures.append(f'<figure>{score}<figcaption>Validation</figcaption></figure>')
    else:
        figures.append('<p>There was no validation.</p>')
    return f'<div class="grid">{"".join(figures)}</div><p><small>From {escape(run.curve.source)}</small></p>'


def _settings(run: TestRun) -> str:
    facts = ''.join(f'<tr><th scope="row">{escape(k)}</th><td>{escape(v)}</td></tr>' for k, v in run.facts.items())
    lines = '\n'.join(escape(line) for line in run.config.splitlines())
    config = (
        f'<details><summary>The whole config</summary><pre tabindex="0">{lines}</pre></details>' if run.config else ''
    )
    return f'<div class="wide" tabindex="0"><table>{facts}</table></div>{config}'
