// The page of one answer: reads its data, and ties the video, the timelines, the curves and the corrections together.

const TROUBLE = {
  missing: 'The video cannot be shown: it is not where this page expects it, or this browser lacks its codec. The keypoints play on grey instead.',
  broken: 'The video cannot be played by this browser. The keypoints play on grey instead.',
  codec: 'This browser lacks the codec of the video. The keypoints play on grey instead.',
  none: 'This page was made without a video: the keypoints play on grey.',
};

class Page {
  constructor(data, arrays) {
    this.data = data;
    this.chosen = null;
    this.duration = Math.max(data.answer.seconds, data.times.at(-1) ?? 0, 0.001);
    this.shown = new Set(Array.from({ length: data.answer.persons }, (_, person) => person));
    this.view = [0, this.duration];
    this.store = new Store(data.answer, data.digest);
    const handlers = {
      seek: (time) => this.seek(time),
      choose: (id) => this.choose(id),
      shift: (id, edge, time) => this.shift(id, edge, time),
      show: (view) => this.show(view),
    };
    patternsFor(data);
    this.player = new Player(byId('video'), data.video, data.times, this.duration);
    this.overlay = new Overlay(byId('overlay'), data, arrays.keypoints, arrays.scores);
    this.timeline = new Timeline(byId('timelines'), data, handlers);
    this.curves = new Curves(byId('curves'), data, arrays, handlers);
    this.editor = new Editor(this);
    this.curvePerson = 0;
    const first = data.windows.length ? ['Probabilities', 'Routing', 'Head angles'] : ['Head angles', 'Movement energy'];
    this.curveTitles = new Set(this.curves.titles.filter((title) => first.includes(title)));
    this.controls();
    this.player.onTrouble = (why) => this.grey(why);
    this.player.onTime((time) => this.setTime(time));
    this.store.onChange(() => this.redraw());
    if (!data.video) this.grey('none');
    new ResizeObserver(() => this.layout()).observe(byId('timelines'));
    this.layout();
  }

  get visible() {
    return this.store.events.filter((event) => this.shown.has(event.person) || event.person >= this.data.answer.persons);
  }

  controls() {
    const { data } = this;
    const [height, width] = data.answer.image_size;
    byId('screen').style.setProperty('--aspect', `${width} / ${height}`);
    byId('screen').style.setProperty('--ratio', width / height);
    byId('moment').max = this.duration;
    const on = (id, name, what) => byId(id).addEventListener(name, what);
    on('play', 'click', () => this.player.toggle());
    on('overlay', 'click', () => this.player.toggle());
    on('frame-back', 'click', () => this.player.step(-1));
    on('frame-on', 'click', () => this.player.step(1));
    on('event-back', 'click', () => this.next(-1));
    on('event-on', 'click', () => this.next(1));
    on('moment', 'input', () => this.seek(Number(byId('moment').value)));
    on('rate', 'change', () => this.player.setRate(Number(byId('rate').value)));
    on('add', 'click', () => this.add());
    on('undo', 'click', () => this.store.undo());
    on('start-over', 'click', () => this.store.startOver());
    on('save-csv', 'click', () => this.save('csv'));
    on('save-eaf', 'click', () => this.save('eaf'));
    on('load', 'click', () => byId('file').click());
    on('file', 'change', () => this.load(byId('file')));
    for (const [id, part] of [['show-skeleton', 'skeleton'], ['show-labels', 'labels']]) {
      on(id, 'change', () => {
        this.overlay[part] = byId(id).checked;
        this.setTime(this.player.time);
      });
    }
    for (const region of data.regions) {
      const item = document.createElement('li');
      item.append(swatch(region), region);
      byId('legend').append(item);
    }
    const spans = [['', 'the whole video'], ...[60, 20, 5].filter((s) => s < this.duration).map((s) => [s, `${s} seconds`]), ['own', 'a chosen span']];
    for (const [value, text] of spans) option(byId('span'), value, text);
    on('span', 'change', () => this.showSpan(byId('span').value));
    if (data.answer.persons > 1) {
      for (const person of this.shown) {
        byId('choices').append(check(`Person ${person}`, true, (yes) => {
          if (yes) this.shown.add(person);
          else this.shown.delete(person);
          this.redraw();
        }));
        option(byId('curve-person'), person, `person ${person}`);
      }
      on('curve-person', 'change', () => {
        this.curvePerson = Number(byId('curve-person').value);
        this.drawCurves();
      });
    } else byId('curve-person-field').classList.add('hidden');
    for (const title of this.curves.titles) {
      byId('curve-choices').append(check(title, this.curveTitles.has(title), (yes) => {
        if (yes) this.curveTitles.add(title);
        else this.curveTitles.delete(title);
        this.drawCurves();
      }));
    }
  }

  layout() {
    if (byId('timelines').clientWidth === this.laidOut) return;
    this.laidOut = byId('timelines').clientWidth;
    this.redraw();
    this.drawCurves();
  }

  redraw() {
    if (!this.store.get(this.chosen)) this.chosen = null;
    this.timeline.view = this.view;
    this.timeline.draw([...this.shown].sort((a, b) => a - b), this.visible, this.chosen);
    this.editor.draw();
    byId('undo').disabled = !this.store.history.length;
    byId('start-over').disabled = !this.store.changed;
    const { changed, added, deleted } = this.store.corrections;
    const kept = this.store.kept ? 'kept in this browser' : 'lost on reload, as this browser keeps nothing for this page: save them';
    byId('state').textContent = changed + added + deleted
      ? `Corrections: ${changed} changed, ${added} added, ${deleted} deleted; ${kept}.` : 'No corrections yet.';
    this.setTime(this.player.time);
  }

  drawCurves() {
    this.curves.view = this.view;
    const drawn = this.curves.draw(this.curves.titles.filter((title) => this.curveTitles.has(title)), this.curvePerson, this.view);
    byId('no-curves').classList.toggle('hidden', drawn > 0 || !this.curveTitles.size);
    this.curves.setTime(this.player.time);
  }

  setTime(time) {
    if (this.player.playing && (time > this.view[1] || time < this.view[0])) this.follow(time);
    const frame = this.player.frame;
    const now = this.visible.filter((event) => event.start <= time && time <= event.end);
    this.overlay.draw(frame, this.shown, now);
    this.timeline.setTime(time);
    this.curves.setTime(time);
    this.editor.mark(time);
    byId('moment').value = time;
    byId('clock').textContent = `${clockText(time)} / ${clockText(this.duration)} · frame ${frame * this.data.every}`;
    byId('play').textContent = this.player.playing ? 'Pause' : 'Play';
  }

  seek(time) {
    this.player.seek(time);
  }

  show([from, to]) {
    this.view = [Math.max(from, 0), Math.min(to, this.duration)];
    byId('span').value = 'own';
    this.setView();
  }

  showSpan(value) {
    if (value === 'own') return;
    const length = value ? Number(value) : this.duration;
    const from = Math.min(Math.max(this.player.time - length / 4, 0), this.duration - length);
    this.view = [from, from + length];
    this.setView();
  }

  // The shown span goes on with the moment.
  follow(time) {
    const length = this.view[1] - this.view[0];
    const from = Math.min(Math.max(time - length * 0.05, 0), this.duration - length);
    this.view = [from, from + length];
    this.timeline.view = this.view;
    this.timeline.draw([...this.shown].sort((a, b) => a - b), this.visible, this.chosen);
    this.curves.setView(this.view);
  }

  setView() {
    this.curves.setView(this.view);
    this.redraw();
  }

  choose(id) {
    this.chosen = id;
    const event = this.store.get(id);
    if (event) {
      if (event.start < this.view[0] || event.start > this.view[1]) this.follow(event.start);
      if (event.person !== this.curvePerson && event.person < this.data.answer.persons) {
        this.curvePerson = event.person;
        byId('curve-person').value = String(event.person);
        this.drawCurves();
      }
      this.seek(event.start + 0.001);
    }
    this.redraw();
    this.editor.show(id);
  }

  next(way) {
    const events = this.visible;
    const at = events.findIndex((event) => event.id === this.chosen);
    const found = at >= 0 ? events[at + way] : way > 0
      ? events.find((event) => event.start > this.player.time) : events.findLast((event) => event.start < this.player.time - 0.05);
    if (found) this.choose(found.id);
  }

  shift(id, edge, time) {
    const event = this.store.get(id);
    if (!event) return;
    const rounded = Math.round(Math.min(Math.max(time, 0), this.duration) * 1000) / 1000;
    const moved = { ...event, [edge]: rounded };
    if (moved.start > moved.end) {
      this.say('An event must end after it starts: the edge stays where it was.', true);
      this.redraw();
    } else if (rounded !== event[edge]) this.store.change(id, { [edge]: rounded });
  }

  add() {
    const start = Math.round(this.player.time * 1000) / 1000;
    const person = this.store.get(this.chosen)?.person ?? [...this.shown][0] ?? 0;
    const end = Math.min(start + 0.5, this.duration);
    this.choose(this.store.add({ start: Math.min(start, end), end, person, label: 'new event' }));
    byId('edit-label').focus();
    byId('edit-label').select();
  }

  remove() {
    if (this.chosen !== null) this.store.remove(this.chosen);
  }

  save(kind) {
    const name = this.data.answer.video;
    const text = kind === 'csv' ? toCsv(name, this.store.events) : toEaf(name, this.data.video, this.store.events);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: kind === 'csv' ? 'text/csv' : 'application/xml' }));
    link.download = `${name.split('/').at(-1)}.${kind === 'csv' ? 'corrected.csv' : 'eaf'}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async load(input) {
    const [file] = input.files;
    if (!file) return;
    try {
      const { video: name, persons } = this.data.answer;
      const { events, faults } = fromCsv(await file.text(), name, persons, this.duration);
      this.store.replace(events);
      const lost = faults.length ? ` ${faults.length} rows were left out: ${faults.slice(0, 3).join('; ')}.` : '';
      this.say(`${events.length} events read from ${file.name}.${lost}`, faults.length > 0);
    } catch (error) {
      this.say(`${file.name} cannot be read: ${error.message}.`, true);
    }
    input.value = '';
  }

  grey(why) {
    byId('screen').classList.add('grey');
    byId('overlay').setAttribute('aria-label', 'Keypoints on grey');
    this.say(TROUBLE[why], why !== 'none');
  }

  say(text, bad = false) {
    byId('trouble').textContent = text;
    byId('trouble').classList.toggle('bad', bad);
    byId('trouble').classList.remove('hidden');
  }
}

function check(text, checked, changed) {
  const label = document.createElement('label');
  label.className = 'check';
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked });
  box.addEventListener('change', () => changed(box.checked));
  label.append(box, ` ${text}`);
  return label;
}

async function start() {
  const data = JSON.parse(byId('answer-data').textContent);
  const arrays = {
    keypoints: await unpack(data.keypoints, true),
    scores: await unpack(data.scores),
    signals: await unpack(data.signals),
    windows: await Promise.all(data.windows.map(async (one) => ({
      scores: await unpack(one.scores), routing: one.routing && (await unpack(one.routing)),
    }))),
  };
  const page = new Page(data, arrays);
  bindKeys(page);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();
