"""The fairness report as one HTML page that needs nothing else: style and plots are inline."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from face_aux.metrics.fairness_types import ColumnReport, FairnessReport, Spread, Value
from face_aux.metrics.report_text import FEW, LABELS, shown_metrics, summary, worst_name
from face_aux.metrics.svg import dot_plot, roc_plot

STYLE = """
:root{--bg:#fff;--fg:#1c2430;--soft:#5b6675;--line:#dde2e8;--card:#f5f7f9;--accent:#0063a6;--warn:#c2410c;
--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#b38600;--s5:#56b4e9;--s6:#6b4fa0;--s7:#555}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e6eaf0;--soft:#9aa6b5;--line:#2b333d;--card:#1a2028;
--accent:#5cb3ee;--warn:#ff8a50;--s0:#56b4e9;--s1:#ff8a50;--s2:#2fd1a0;--s3:#e59ac6;--s4:#f0c843;--s5:#9ad4f7;
--s6:#b9a3ea;--s7:#bbb}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}h1{font-size:26px;margin:0 0 4px}h2{font-size:21px;
margin:44px 0 10px;padding-top:14px;border-top:2px solid var(--line)}h3{font-size:17px;margin:30px 0 8px}
p,li{max-width:80ch}.soft,.note{color:var(--soft)}.note{font-size:13.5px;margin:6px 0}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}.card{background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:10px 14px;min-width:150px;flex:1}.card b{display:block;font-size:21px;line-height:1.3}
.card span{color:var(--soft);font-size:13px}.card.warn b{color:var(--warn)}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:8px 0;font-size:14px;min-width:50%}
th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{font-weight:600;color:var(--soft)}th:first-child,td:first-child,.left{text-align:left}
tr.all td{font-weight:600;border-top:2px solid var(--line)}td.worst{color:var(--warn);font-weight:600}
td small,.reason{color:var(--soft)}td small{display:block;
font-size:12px;white-space:normal;min-width:13ch;max-width:24ch;margin-left:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(430px,1fr));gap:8px 24px}
svg{width:100%;height:auto;max-width:680px;font:13px system-ui,sans-serif}svg text{fill:var(--fg)}
svg .reason{paint-order:stroke;stroke:var(--bg);stroke-width:5px}
svg .tick,svg .n,svg .reason{fill:var(--soft);font-size:11.5px}svg .axis{fill:var(--soft);font-size:12.5px}
.grid{stroke:var(--line)}.overall{stroke:var(--soft);stroke-dasharray:5 4;stroke-width:1.5}
.diagonal{stroke:var(--soft);stroke-dasharray:3 4}circle.dot{fill:var(--accent)}circle.worst{fill:var(--warn)}
.bar{stroke-width:3;stroke-linecap:round;opacity:.55}line.dot{stroke:var(--accent)}line.worst{stroke:var(--warn)}
.curve{fill:none;stroke-width:2}.dashed{stroke-dasharray:6 3}
.series-0{stroke:var(--s0)}.series-1{stroke:var(--s1)}.series-2{stroke:var(--s2)}.series-3{stroke:var(--s3)}
.series-4{stroke:var(--s4)}.series-5{stroke:var(--s5)}.series-6{stroke:var(--s6)}.series-7{stroke:var(--s7)}
.heat td,.heat th{text-align:center;min-width:58px}.heat td:first-child{text-align:left}
.heat small{color:inherit}.overview th,.overview td{padding:5px 7px;font-size:13px}
details summary{cursor:pointer;font-weight:600;margin:10px 0}
"""
_RATES = ('tpr', 'fpr')
_NOT_RECOMMENDED = (
    '<p class="note">Scores from which on a group would have to be called positive to have the rate that all have '
    'together at 0.5. Shown for what they say of the scores, not recommended: to use them one must know to which group '
    'somebody belongs, people are then treated differently for it, and thresholds of small groups are mostly noise.</p>'
)
NONE = Value(None, reason='no group is large enough')

DEFINITIONS = """
<h2>How to read this page</h2>
<ul>
<li><b>Interval</b>: percentile bootstrap within the group. Groups whose intervals overlap
widely may not differ.</li>
<li><b>Largest gap</b>: best group minus worst group; its interval is that of the difference between these two, as if
they had been chosen beforehand. <b>By chance</b>: the 95th percentile of the largest gap when the group
names are shuffled among the samples (for error rates: among the samples of one true class); a gap below it needs no
explanation.</li>
<li><b>Degree of bias</b>: population standard deviation of the groups' values.</li>
<li><b>Demographic parity difference</b>: largest gap of the rate at which the positive class is predicted. It asks
for equal rates even where the groups truly differ.</li>
<li><b>Equalised odds difference</b>: the larger of the gaps of true and false positive rate. <b>Equal opportunity</b>:
the gap of the true positive rate alone.</li>
<li><b>F_FPR, F_EO</b>: sums over groups of the distance to the rate of all samples, as the deepfake literature has
them; they grow with the number of groups.</li>
<li>With more than two classes each class is taken against the rest and the worst one is named.</li>
<li><b>Not defined</b>: the group lacks what the metric needs, say negatives. It stays out of the gaps
and is listed.</li>
</ul>
<p class="note">Group labels are perceived or machine-made unless the data say otherwise; they are not how people would
describe themselves.</p>
"""


def html_page(reports: Sequence[FairnessReport], title: str = 'For whom does it work?', source: str = '') -> str:
    """The whole page.

    Args:
        reports: One a task.
        title: Heading.
        source: What was tested, such as the checkpoint and the data; shown below the heading.
    """
    body = [f'<h1>{escape(title)}</h1>']
    if source:
        body.append(f'<p class="soft">{escape(source)}</p>')
    body += [f'<p><b>{escape(summary(made))}.</b></p>' for made in reports]
    body.append(_overview(reports))
    for number, made in enumerate(reports):
        body.append(_task(made, f'task{number}', is_open=number < 3))
    settings = reports[0].settings if reports else {}
    drawn = f'{settings.get("replicates", 0)} bootstrap replicates, seed {settings.get("seed", 0)}, '
    body.append(f'{DEFINITIONS}<p class="note">{drawn}{100 * settings.get("confidence", 0.95):g} % intervals.</p>')
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{"".join(body)}</main></body></html>\n'
    )


def _overview(reports: Sequence[FairnessReport]) -> str:
    rows = []
    for number, made in enumerate(reports):
        for column in made.columns:
            spread = column.spreads.get('accuracy')
            cells = [f'<td class="left"><a href="#task{number}">{escape(made.task)}</a></td>']
            cells.append(f'<td class="left">{escape(column.name)}</td><td>{_cell(made.overall["accuracy"])}</td>')
            cells += [f'<td>{text}</td>' for text in _spread_cells(spread)]
            names = ('demographic_parity_difference', 'equalized_odds_difference', 'fpr_gap')
            cells += [f'<td>{_cell(column.criteria.get(name, NONE))}</td>' for name in names]
            rows.append(f'<tr>{"".join(cells)}</tr>')
    heads = ['task', 'by', 'accuracy', 'worst group', 'largest gap', 'degree of bias', 'dem. parity diff.',
             'eq. odds diff.', 'FPR gap']  # fmt: skip
    head = ''.join(f'<th class="left">{h}</th>' if i < 2 else f'<th>{h}</th>' for i, h in enumerate(heads))
    return f'<div class="scroll"><table class="overview"><tr>{head}</tr>{"".join(rows)}</table></div>'


def _spread_cells(spread: Spread | None) -> list[str]:
    if spread is None:
        return ['–', '<span class="reason">fewer than two groups</span>', '–']
    return [escape(worst_name(spread)), _cell(spread.gap), f'{spread.degree_of_bias:.4f}']


def _cell(value: Value) -> str:
    if value.value is None:
        return f'<span class="reason">not defined<small>{escape(value.reason)}</small></span>'
    extra = f'[{value.low:.3f}, {value.high:.3f}]' if value.low is not None else value.reason
    note = f'<small>by chance up to {value.chance:.3f}</small>' if value.chance is not None else ''
    note += f'<small>{escape(value.note)}</small>' if value.note else ''
    return f'{value.value:.3f}' + (f'<small>{escape(extra)}</small>' if extra else '') + note


def _task(made: FairnessReport, anchor: str, is_open: bool) -> str:
    positive = f' Rates are of the positive class <b>{escape(made.positive)}</b>.' if made.positive else ''
    cards = ''.join(
        f'<div class="card"><b>{_number(value)}</b><span>{LABELS[name]}{_interval(value)}</span></div>'
        for name, value in made.overall.items()
        if name in ('accuracy', 'balanced_accuracy', 'f1_macro', 'auc')
    )
    columns = ''.join(_column(made, column) for column in made.columns)
    body = f'<p class="soft">{made.n} samples.{positive}</p><div class="cards">{cards}</div>{_confusion(made)}{columns}'
    shown = ' open' if is_open else ''
    return f'<h2 id="{anchor}">{escape(made.task)}</h2><details{shown}><summary>Details</summary>{body}</details>'


def _number(value: Value) -> str:
    return '–' if value.value is None else f'{value.value:.3f}'


def _interval(value: Value) -> str:
    if value.value is None:
        return f': not defined ({escape(value.reason)})'
    return '' if value.low is None else f' [{value.low:.3f}, {value.high:.3f}]'


def _confusion(made: FairnessReport) -> str:
    """Counts with the row's share as shade."""
    head = ''.join(f'<th>{escape(c)}</th>' for c in made.classes)
    rows = []
    for name, counts in zip(made.classes, made.confusion, strict=True):
        total = sum(counts) or 1
        cells = ''.join(
            f'<td style="background:color-mix(in srgb,var(--accent) {round(60 * c / total)}%,transparent)">{c}'
            f'<small>{c / total:.0%}</small></td>'
            for c in counts
        )
        rows.append(f'<tr><td>{escape(name)}</td>{cells}</tr>')
    caption = '<h3>Confusion matrix</h3><p class="note">Rows: true class. Columns: predicted.</p>'
    return f'{caption}<div class="scroll"><table class="heat"><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def _column(made: FairnessReport, column: ColumnReport) -> str:
    worst = {name: spread.worst for name, spread in column.spreads.items()}
    names = ['accuracy', *(n for n in ('tpr', 'fpr') if n in made.overall)]
    long = {'tpr': 'true positive rate', 'fpr': 'false positive rate'}
    plots = [dot_plot(column.groups, n, long.get(n, LABELS[n]), made.overall[n], worst.get(n, '')) for n in names]
    plots.append(roc_plot(column.groups))
    grid = ''.join(f'<div>{plot}</div>' for plot in plots if plot)
    notes = [f'Accuracy: {escape(n)} stays out of the gap ({escape(r)}).' for n, r in _left_out(column).items()]
    if column.unknown:
        notes.append(f'{column.unknown} samples have no value in this column and are in no row.')
    if any(group.n < FEW for group in column.groups):
        notes.append(f'* fewer than {FEW} samples: read with care.')
    notes.append(f'Criteria: {escape(column.criteria_by)}.')
    text = ''.join(f'<p class="note">{note}</p>' for note in notes)
    return (
        f'<h3>By {escape(column.name)}</h3><div class="plots">{grid}</div>{_table(made, column, worst)}'
        f'{_criteria(column)}{text}'
    )


def _left_out(column: ColumnReport) -> dict[str, str]:
    spread = column.spreads.get('accuracy')
    return spread.left_out if spread else {}


def _table(made: FairnessReport, column: ColumnReport, worst: dict[str, str]) -> str:
    names = shown_metrics(made)
    head = ''.join(f'<th>{LABELS[name]}</th>' for name in names)
    rows = []
    for group in column.groups:
        mark = ' *' if group.n < FEW else ''
        cells = ''.join(
            f'<td{" class=worst" if worst.get(name) == group.name else ""}>{_cell(group.metrics[name])}</td>'
            for name in names
        )
        rows.append(f'<tr><td>{escape(group.name)}</td><td>{group.n}{mark}</td>{cells}</tr>')
    cells = ''.join(f'<td>{_cell(made.overall[name])}</td>' for name in names)
    rows.append(f'<tr class="all"><td>all</td><td>{made.n}</td>{cells}</tr>')
    return f'<div class="scroll"><table><tr><th>group</th><th>n</th>{head}</tr>{"".join(rows)}</table></div>'


def _criteria(column: ColumnReport) -> str:
    rows = []
    for spread in column.spreads.values():
        cells = ''.join(f'<td>{text}</td>' for text in _spread_cells(spread))
        ratio = '–' if spread.ratio is None else f'{spread.ratio:.3f}'
        rows.append(f'<tr><td>{LABELS[spread.metric]}</td>{cells}<td>{ratio}</td></tr>')
    heads = ''.join(f'<th>{h}</th>' for h in ('', 'worst group', 'largest gap', 'degree of bias', 'min / max'))
    spreads = f'<table><tr>{heads}</tr>{"".join(rows)}</table>' if rows else ''
    rows = [f'<tr><td>{LABELS[name]}</td><td>{_cell(value)}</td></tr>' for name, value in column.criteria.items()]
    return (
        f'<div class="scroll">{spreads}</div><details><summary>Group fairness criteria</summary>'
        f'<table>{"".join(rows)}</table></details>{_thresholds(column)}'
    )


def _thresholds(column: ColumnReport) -> str:
    rows = [
        f'<tr><td>{escape(group.name)}</td>'
        + ''.join(f'<td>{group.thresholds[k]:.3f}</td>' if k in group.thresholds else '<td>–</td>' for k in _RATES)
        + '</tr>'
        for group in column.groups
        if group.thresholds
    ]
    if not rows:
        return ''
    heads = ''.join(f'<th>for the {LABELS[name]} of all</th>' for name in _RATES)
    return (
        f'<details><summary>Thresholds by group</summary>{_NOT_RECOMMENDED}'
        f'<table><tr><th></th>{heads}</tr>{"".join(rows)}</table></details>'
    )
