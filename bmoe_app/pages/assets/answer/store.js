// The events as they stand after corrections: every change can be undone, and the browser keeps them over a reload.

const REGION_NAMES = ['head', 'body', 'upper', 'lower'];

class Store {
  constructor(answer, digest) {
    this.original = answer.events.map((event, id) => ({ ...event, id }));
    this.events = this.original;
    this.key = `bmoe-corrections:${digest}`;
    this.duration = answer.seconds;
    this.history = [];
    this.listeners = [];
    this.kept = true;
    this.restore();
  }

  restore() {
    try {
      const text = localStorage.getItem(this.key);
      if (text) this.events = JSON.parse(text).filter(isEvent);
    } catch {
      this.kept = false;
    }
  }

  keep() {
    try {
      if (this.changed) localStorage.setItem(this.key, JSON.stringify(this.events));
      else localStorage.removeItem(this.key);
      this.kept = true;
    } catch {
      this.kept = false;
    }
  }

  get changed() {
    return this.events !== this.original && JSON.stringify(this.events) !== JSON.stringify(this.original);
  }

  get(id) {
    return this.events.find((event) => event.id === id) ?? null;
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  // All changes pass here: sorted, undoable, kept, told to whoever shows them.
  replace(events, undoable = true) {
    if (undoable) this.history.push(this.events);
    this.events = [...events].sort((a, b) => a.start - b.start || a.person - b.person || a.id - b.id);
    this.keep();
    for (const listener of this.listeners) listener();
  }

  // What a person says is sure and has no routing: the weights were those of other edges, or of another label.
  change(id, parts) {
    const events = this.events.map((event) =>
      event.id === id ? { ...event, ...parts, score: 1, routing: {}, source: 'person' } : event,
    );
    this.replace(events);
  }

  add(parts) {
    const id = Math.max(-1, ...this.events.map((event) => event.id), this.original.length - 1) + 1;
    this.replace([...this.events, { region: null, ...parts, id, score: 1, routing: {}, source: 'person' }]);
    return id;
  }

  remove(id) {
    this.replace(this.events.filter((event) => event.id !== id));
  }

  undo() {
    if (this.history.length) this.replace(this.history.pop(), false);
  }

  startOver() {
    if (this.changed) this.replace(this.original);
  }

  // How many events were changed, added and deleted since the answer was made.
  get corrections() {
    const before = new Map(this.original.map((event) => [event.id, JSON.stringify(event)]));
    const after = new Map(this.events.map((event) => [event.id, JSON.stringify(event)]));
    let [changed, added, deleted] = [0, 0, 0];
    for (const [id, text] of after) {
      if (!before.has(id)) added += 1;
      else if (before.get(id) !== text) changed += 1;
    }
    for (const id of before.keys()) if (!after.has(id)) deleted += 1;
    return { changed, added, deleted };
  }
}

function isEvent(event) {
  return (
    event && Number.isFinite(event.start) && Number.isFinite(event.end) && event.start <= event.end &&
    Number.isInteger(event.person) && event.person >= 0 && Number.isInteger(event.id) &&
    typeof event.label === 'string' && (event.region === null || REGION_NAMES.includes(event.region))
  );
}
