// The list of events, and the form in which one of them is corrected.

class Editor {
  constructor(page) {
    this.page = page;
    this.list = byId('events');
    this.form = byId('editor');
    this.fields = Object.fromEntries(
      ['label', 'start', 'end', 'person', 'region'].map((name) => [name, byId(`edit-${name}`)]),
    );
    const { data } = page;
    for (let person = 0; person < Math.max(data.answer.persons, 1); person++) option(this.fields.person, person, String(person));
    for (const region of data.regions) option(this.fields.region, region, region);
    option(this.fields.region, '', 'unknown');
    for (const [name, field] of Object.entries(this.fields)) field.addEventListener('change', () => this.commit(name));
    this.form.addEventListener('submit', (event) => event.preventDefault());
    byId('start-now').addEventListener('click', () => page.shift(page.chosen, 'start', page.player.time));
    byId('end-now').addEventListener('click', () => page.shift(page.chosen, 'end', page.player.time));
    byId('delete').addEventListener('click', () => page.remove());
    byId('close').addEventListener('click', () => page.choose(null));
  }

  commit(name) {
    const { page, fields } = this;
    const event = page.store.get(page.chosen);
    if (!event) return;
    if (name === 'start' || name === 'end') {
      const time = fields[name].value === '' ? NaN : Number(fields[name].value);
      if (Number.isFinite(time)) page.shift(event.id, name, time);
      else this.draw();
    } else if (name === 'label' && !fields.label.value.trim()) {
      page.say('An event needs a label.', true);
      this.draw();
    } else {
      const value = { label: fields.label.value.trim(), person: Number(fields.person.value), region: fields.region.value || null };
      if (event[name] !== value[name]) page.store.change(event.id, { [name]: value[name] });
    }
  }

  draw() {
    const { page } = this;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset?.id : null;
    this.list.replaceChildren(...page.visible.map((event) => this.row(event)));
    if (focused) this.list.querySelector(`[data-id="${focused}"]`)?.focus();
    byId('count').textContent = `(${page.visible.length})`;
    const labels = new Set([...(page.data.answer.model?.classes ?? []), ...page.store.events.map((event) => event.label)]);
    byId('labels').replaceChildren(...[...labels].map((label) => Object.assign(document.createElement('option'), { value: label })));
    this.drawForm(page.store.get(page.chosen));
  }

  row(event) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.className = 'event';
    button.dataset.id = event.id;
    if (event.id === this.page.chosen) button.setAttribute('aria-current', 'true');
    const part = (name, text) => {
      const span = document.createElement('span');
      span.className = name;
      span.textContent = text;
      return span;
    };
    const said = { person: 'corrected by hand', rule: `rule, size ${event.score.toFixed(2)}`, model: `model, ${event.score.toFixed(2)}` };
    const who = this.page.data.answer.persons > 1 ? `person ${event.person} · ` : '';
    button.append(
      swatch(event.region),
      part('event-label', event.label),
      part('event-time number soft', `${clockText(event.start)} – ${clockText(event.end)}`),
      part('event-by', `${who}${event.region ? `by ${event.region}` : 'part unknown'} · ${said[event.source]}`),
    );
    button.addEventListener('click', () => this.page.choose(event.id));
    item.append(button);
    return item;
  }

  drawForm(event) {
    this.form.classList.toggle('hidden', !event);
    if (!event) return;
    this.fields.label.value = event.label;
    this.fields.start.value = event.start.toFixed(3);
    this.fields.end.value = event.end.toFixed(3);
    this.fields.person.value = String(event.person);
    this.fields.region.value = event.region ?? '';
    byId('told').replaceChildren(...this.routing(event));
  }

  // Which part of the body the model listened to, as shares of one bar.
  routing(event) {
    const { data } = this.page;
    const weights = data.regions.filter((region) => event.routing?.[region] !== undefined);
    if (!weights.length) return [];
    const bar = document.createElement('div');
    bar.className = 'shares';
    for (const region of weights) {
      const share = document.createElement('span');
      const [paper, ink] = colorsOf(data, region);
      Object.assign(share.style, { width: `${event.routing[region] * 100}%`, background: paper, color: ink });
      share.textContent = `${region} ${Math.round(event.routing[region] * 100)}%`;
      bar.append(share);
    }
    return ['Routing: how much the model listened to each part', bar];
  }

  // Underlines what is going on; scrolls nothing, so that reading on is possible while it plays.
  mark(time) {
    for (const button of this.list.querySelectorAll('.event')) {
      const event = this.page.store.get(Number(button.dataset.id));
      button.classList.toggle('now', Boolean(event) && event.start <= time && time <= event.end);
    }
  }

  show(id) {
    this.list.querySelector(`[data-id="${id}"]`)?.scrollIntoView({ block: 'nearest' });
  }
}

function byId(id) {
  return document.getElementById(id);
}

function option(select, value, text) {
  const one = document.createElement('option');
  one.value = value;
  one.textContent = text;
  select.append(one);
}

function clockText(time) {
  const whole = Math.floor(time / 60);
  const hours = Math.floor(whole / 60);
  const seconds = (Math.floor((time - whole * 60) * 100) / 100).toFixed(2).padStart(5, '0');
  return hours ? `${hours}:${String(whole % 60).padStart(2, '0')}:${seconds}` : `${whole}:${seconds}`;
}
