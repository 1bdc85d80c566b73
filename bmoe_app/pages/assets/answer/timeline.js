// A timeline for each person: a row for each part of the body, patterns beside the colours, edges that can be dragged.

const SVG = 'http://www.w3.org/2000/svg';
const LEFT = 64;
const RIGHT = 10;
const ROW = 26;
const RULER = 20;

function svg(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

// Round steps of time for about so many marks.
function timeMarks([from, to], most) {
  const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 86400];
  const step = steps.find((one) => (to - from) / one <= most) ?? to - from;
  const marks = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9; n++) marks.push(n * step);
  return marks;
}

// Colour and pattern of a region; a small element of its own so that lists and legends show the same.
function patternsFor(data) {
  const holder = svg('svg', { width: 0, height: 0, 'aria-hidden': 'true', style: 'position:absolute' }, document.body);
  const defs = svg('defs', {}, holder);
  const marks = {
    head: ['circle', { cx: 4, cy: 4, r: 1.1 }],
    body: ['path', { d: 'M0 4H8' }],
    upper: ['path', { d: 'M-2 6 6 -2M2 10 10 2' }],
    lower: ['path', { d: 'M4 0V8' }],
  };
  for (const region of [...data.regions, 'unknown']) {
    const [paper, ink] = colorsOf(data, region);
    const pattern = svg('pattern', { id: `fill-${region}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse' }, defs);
    svg('rect', { width: 8, height: 8, fill: paper }, pattern);
    const [shape, form] = marks[region] ?? ['path', {}];
    const filled = shape === 'circle' ? { fill: ink } : { fill: 'none', stroke: ink };
    svg(shape, { ...form, ...filled, opacity: 0.28 }, pattern);
  }
}

function swatch(region) {
  const image = svg('svg', { class: 'swatch', 'aria-hidden': 'true' });
  svg('rect', { width: '100%', height: '100%', fill: `url(#fill-${region ?? 'unknown'})` }, image);
  return image;
}

class Timeline {
  constructor(holder, data, handlers) {
    Object.assign(this, { holder, data, handlers });
    this.heads = [];
    this.view = [0, data.answer.seconds || 1];
    this.drag = null;
  }

  // Rows of one person: a region that has events gets as many as its events need to lie beside each other.
  rows(events) {
    const rows = [];
    for (const region of [...this.data.regions, null]) {
      const lanes = [];
      for (const event of events.filter((one) => one.region === region)) {
        const lane = lanes.find((one) => one.at(-1).end <= event.start);
        if (lane) lane.push(event);
        else lanes.push([event]);
      }
      lanes.forEach((lane, i) => rows.push([i ? '' : (region ?? 'unknown'), lane]));
    }
    return rows.length ? rows : [['', []]];
  }

  x(time) {
    return LEFT + ((time - this.view[0]) / (this.view[1] - this.view[0])) * (this.width - LEFT - RIGHT);
  }

  timeAt(clientX, element) {
    const share = (clientX - element.getBoundingClientRect().left - LEFT) / (this.width - LEFT - RIGHT);
    return this.view[0] + Math.min(Math.max(share, 0), 1) * (this.view[1] - this.view[0]);
  }

  draw(shown, events, chosen) {
    this.width = Math.max(this.holder.clientWidth, 200);
    this.heads = [];
    this.holder.replaceChildren(
      ...shown.map((person, i) => this.person(person, events.filter((one) => one.person === person), chosen, i === 0)),
    );
  }

  person(person, events, chosen, withRuler) {
    const box = document.createElement('div');
    box.className = 'person';
    if (this.data.answer.persons > 1) {
      const name = document.createElement('h3');
      name.textContent = `Person ${person}`;
      box.append(name);
    }
    const rows = this.rows(events);
    const top = withRuler ? RULER : 2;
    const height = top + rows.length * ROW + 2;
    const image = svg('svg', { height, viewBox: `0 0 ${this.width} ${height}`, role: 'img' }, box);
    image.setAttribute('aria-label', `Timeline of person ${person}: ${events.length} events, listed above under Events`);
    this.ruler(image, top, height, withRuler);
    rows.forEach(([name, lane], i) => {
      const y = top + i * ROW;
      const text = svg('text', { x: 0, y: y + 17, class: 'soft-text' }, image);
      text.textContent = name || (lane.length ? '' : 'no events');
      svg('line', { x1: LEFT, x2: this.width - RIGHT, y1: y + ROW - 1, y2: y + ROW - 1, stroke: 'var(--line)' }, image);
      for (const event of lane) this.bar(image, event, y + 2, event.id === chosen);
    });
    this.heads.push(svg('line', { class: 'playhead', y1: 0, y2: height }, image));
    image.addEventListener('pointerdown', (pointer) => this.press(pointer, image));
    image.addEventListener('pointermove', (pointer) => this.move(pointer, image));
    image.addEventListener('pointerup', (pointer) => this.release(pointer));
    image.addEventListener('pointercancel', () => (this.drag = null));
    return box;
  }

  ruler(image, top, height, written) {
    for (const mark of timeMarks(this.view, Math.max(3, this.width / 90))) {
      const x = this.x(mark);
      svg('line', { x1: x, x2: x, y1: written ? 14 : 0, y2: height, stroke: 'var(--line)' }, image);
      if (!written) continue;
      const text = svg('text', { x, y: 11, 'text-anchor': 'middle', class: 'soft-text' }, image);
      text.textContent = shortTime(mark, this.view[1] - this.view[0]);
    }
  }

  bar(image, event, y, chosen) {
    const [from, to] = [this.x(event.start), this.x(event.end)];
    if (to < LEFT || from > this.width - RIGHT) return;
    const left = Math.max(from, LEFT);
    const width = Math.max(Math.min(to, this.width - RIGHT) - left, 3);
    const classes = `bar${chosen ? ' chosen' : ''}${event.source === 'person' ? ' by-person' : ''}`;
    const group = svg('g', { class: classes, 'data-id': event.id }, image);
    svg('title', {}, group).textContent = describe(event);
    const box = { x: left, y, width, height: ROW - 5, rx: 3 };
    svg('rect', { ...box, class: 'body', fill: `url(#fill-${event.region ?? 'unknown'})` }, group);
    if (width > 22) {
      const [, ink] = colorsOf(this.data, event.region);
      const text = svg('text', { x: left + 6, y: y + 15, style: `fill:${ink};font-weight:600` }, group);
      const most = Math.floor((width - 8) / 6.8);
      text.textContent = event.label.length > most ? `${event.label.slice(0, Math.max(most - 1, 1))}…` : event.label;
    }
    if (!chosen) return;
    for (const [edge, x] of [['start', from], ['end', to]]) {
      if (x >= LEFT - 1 && x <= this.width - RIGHT + 1) {
        svg('rect', { class: 'handle', 'data-edge': edge, x: x - 4, y: y - 1, width: 8, height: ROW - 3, rx: 3 }, group);
      }
    }
  }

  press(pointer, image) {
    const bar = pointer.target.closest('.bar');
    const edge = pointer.target.dataset.edge;
    image.setPointerCapture(pointer.pointerId);
    if (bar && edge) this.drag = { id: Number(bar.dataset.id), edge };
    else if (bar) this.handlers.choose(Number(bar.dataset.id));
    else {
      this.drag = { scrub: true };
      this.handlers.seek(this.timeAt(pointer.clientX, image));
    }
  }

  move(pointer, image) {
    if (!this.drag) return;
    this.drag.time = this.timeAt(pointer.clientX, image);
    this.handlers.seek(this.drag.time);
    if (!this.drag.edge) return;
    const handle = image.querySelector(`.handle[data-edge=${this.drag.edge}]`);
    handle?.setAttribute('x', this.x(this.drag.time) - 4);
  }

  release() {
    const { id, edge, time } = this.drag ?? {};
    this.drag = null;
    if (edge && time !== undefined) this.handlers.shift(id, edge, time);
  }

  setTime(time) {
    const x = Math.min(Math.max(this.x(time), LEFT - 2), this.width - RIGHT + 2);
    for (const head of this.heads) {
      head.setAttribute('x1', x);
      head.setAttribute('x2', x);
    }
  }
}

function describe(event) {
  const by = event.region ? `, by ${event.region}` : '';
  return `${event.label}${by}, ${event.start.toFixed(2)} to ${event.end.toFixed(2)} s, person ${event.person}`;
}

// A moment as a ruler shows it: tenths only where a ruler is that fine.
function shortTime(time, span) {
  const digits = span <= 1 ? 2 : span <= 6 ? 1 : 0;
  const whole = Math.floor(time / 60 + 1e-9);
  const seconds = Math.max(time - whole * 60, 0).toFixed(digits).padStart(digits ? 3 + digits : 2, '0');
  return `${whole}:${seconds}`;
}
