// Curves over time: routing and probabilities of a model, and movement signals; all on the timeline's own span.

const LINES = [
  ['#0b6cc4', []], ['#b84300', [8, 3]], ['#00785a', [2, 3]], ['#8a3b8f', [10, 3, 2, 3]], ['#6b5900', [4, 4]],
  ['#5a5f66', [1, 4]],
];
const DARK_LINES = ['#6cb4ff', '#ff9a5c', '#4fd1a5', '#dc9be0', '#d9c45a', '#c3c8ce'];
const DIGITS = 3;

class Curves {
  constructor(holder, data, arrays, handlers) {
    Object.assign(this, { holder, data, arrays, handlers });
    this.plots = [];
    this.dark = matchMedia('(prefers-color-scheme: dark)').matches;
    this.hidden = new Set();
  }

  // Titles of the diagrams that there are.
  get titles() {
    const routed = this.data.windows.some((one) => one.routing);
    const asked = this.data.windows.length > 0;
    return [
      ...(asked ? ['Probabilities'] : []), ...(routed ? ['Routing'] : []), ...Object.keys(this.data.signals.groups),
    ];
  }

  // What one diagram shows of one person: times, rows with names and colours, unit, range.
  content(title, person) {
    const windows = this.data.windows.findIndex((one) => one.person === person);
    if (title === 'Probabilities' || title === 'Routing') {
      return windows < 0 ? null : this.ofModel(title, windows);
    }
    const { names, units, groups, length, low, high } = this.data.signals;
    const rows = groups[title].map((name) => {
      const index = names.indexOf(name);
      const row = person * names.length + index;
      const region = name.startsWith('energy_') ? name.slice(7) : null;
      const values = rowOf(this.arrays.signals, row, length, low[person][index], high[person][index]);
      return { name: name.replaceAll('_', ' '), values, region };
    });
    const seen = rows.filter((row) => row.values.some((value) => value !== null));
    const atZero = /energy|Speed/.test(title);
    if (!seen.length) return null;
    return { times: this.data.times, rows: seen, unit: units[names.indexOf(groups[title][0])], range: null, atZero };
  }

  ofModel(title, index) {
    const windows = this.data.windows[index];
    const arrays = this.arrays.windows[index];
    if (title === 'Routing') {
      if (!windows.routing) return null;
      const rows = this.data.regions.map((region, i) => ({
        name: region, region, values: rowOf(arrays.routing, i, windows.times.length, 0, 1),
      }));
      return { times: windows.times, rows, unit: 'weight of each part, 0 to 1', range: [0, 1] };
    }
    const rows = this.data.answer.model.classes.map((name, i) => ({
      name, region: null, values: rowOf(arrays.scores, i, windows.times.length, 0, 1),
    }));
    const peak = (row) => Math.max(...row.values.map((value) => value ?? 0));
    const best = rows.sort((a, b) => peak(b) - peak(a)).slice(0, LINES.length);
    const unit = `probability, 0 to 1; ${rows.length > best.length ? `the ${best.length} highest of ${rows.length} classes; ` : ''}dashes: threshold`;
    return { times: windows.times, rows: best, unit, range: [0, 1], threshold: this.data.answer.model.threshold };
  }

  draw(titles, person, view) {
    for (const { plot } of this.plots) plot.destroy();
    this.plots = [];
    this.holder.replaceChildren();
    this.width = Math.max(this.holder.clientWidth, 200);
    for (const title of titles) {
      const content = this.content(title, person);
      if (content) this.diagram(title, content, view);
    }
    return this.plots.length;
  }

  look(row, i) {
    if (row.region) return { stroke: this.data.colors[this.data.regions.indexOf(row.region)], dash: LINES[i % LINES.length][1] };
    const [light, dash] = LINES[i % LINES.length];
    return { stroke: this.dark ? DARK_LINES[i % LINES.length] : light, dash };
  }

  diagram(title, content, view) {
    const box = document.createElement('div');
    box.className = 'curve';
    const head = document.createElement('div');
    head.className = 'curve-head';
    const name = document.createElement('h3');
    name.textContent = title;
    const unit = document.createElement('span');
    unit.className = 'soft';
    unit.textContent = content.unit;
    head.append(name, unit);
    box.append(head);
    this.holder.append(box);
    const series = content.rows.map((row, i) => {
      const look = this.look(row, i);
      const key = `${title}/${row.name}`;
      head.append(this.legend(row.name, look, key, i));
      return { label: row.name, ...look, width: 1.75, show: !this.hidden.has(key), points: { show: false }, spanGaps: false };
    });
    if (content.threshold !== undefined) series.push({ stroke: 'gray', dash: [3, 5], width: 1, points: { show: false } });
    const columns = [content.times, ...content.rows.map((row) => row.values)];
    if (content.threshold !== undefined) columns.push(content.times.map(() => content.threshold));
    const plot = new uPlot(this.options(series, content, view), columns, box);
    const line = document.createElement('div');
    line.className = 'plot-head';
    plot.over.append(line);
    plot.root.setAttribute('aria-hidden', 'true');
    plot.over.addEventListener('click', (pointer) => {
      if (!pointer.defaultPrevented) this.handlers.seek(plot.posToVal(pointer.offsetX, 'x'));
    });
    this.plots.push({ plot, line });
  }

  // A checkbox with the line's colour and dash that shows and hides one curve.
  legend(text, look, key, i) {
    const label = document.createElement('label');
    label.className = 'check';
    const tick = document.createElement('input');
    tick.type = 'checkbox';
    tick.checked = !this.hidden.has(key);
    const place = this.plots.length;
    tick.addEventListener('change', () => {
      if (tick.checked) this.hidden.delete(key);
      else this.hidden.add(key);
      this.plots[place].plot.setSeries(i + 1, { show: tick.checked });
    });
    const line = svg('svg', { width: 24, height: 8, 'aria-hidden': 'true' });
    svg('line', { x1: 0, x2: 24, y1: 4, y2: 4, stroke: look.stroke, 'stroke-width': 3, 'stroke-dasharray': look.dash.join(' ') }, line);
    label.append(tick, line, text);
    return label;
  }

  options(series, content, view) {
    const style = getComputedStyle(document.body);
    const [ink, grid] = [style.getPropertyValue('--soft'), style.getPropertyValue('--line')];
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    const span = (plot, low, high) => {
      if (content.range) return content.range;
      if (low === null || low === undefined) return [0, 1];
      const pad = (high - low || 1) * 0.06;
      return content.atZero ? [0, high + pad || 1] : [low - pad, high + pad];
    };
    return {
      width: this.width,
      height: 132,
      padding: [6, RIGHT, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      select: { show: true },
      scales: { x: { time: false, range: () => this.view }, y: { range: span } },
      axes: [
        { ...axis, size: 26, gap: 6, splits: () => timeMarks(this.view, Math.max(3, this.width / 90)),
          values: (plot, marks) => marks.map((mark) => shortTime(mark, this.view[1] - this.view[0])) },
        { ...axis, size: LEFT, space: 28, splits: content.range ? () => [0, 0.25, 0.5, 0.75, 1] : undefined,
          values: (plot, marks) => marks.map((mark) => (mark === null ? '' : String(Number(mark.toPrecision(DIGITS))))) },
      ],
      series: [{}, ...series],
      hooks: {
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  // A span that was drawn over a diagram becomes the span that everything shows.
  selected(plot) {
    if (plot.select.width < 8) return;
    const from = plot.posToVal(plot.select.left, 'x');
    const to = plot.posToVal(plot.select.left + plot.select.width, 'x');
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.handlers.show([from, to]);
  }

  setView(view) {
    this.view = view;
    for (const { plot } of this.plots) plot.setScale('x', { min: view[0], max: view[1] });
  }

  setTime(time) {
    for (const { plot, line } of this.plots) {
      const x = ((time - this.view[0]) / (this.view[1] - this.view[0])) * plot.over.clientWidth;
      line.style.transform = `translateX(${x - 1}px)`;
      line.hidden = time < this.view[0] || time > this.view[1];
    }
  }
}
