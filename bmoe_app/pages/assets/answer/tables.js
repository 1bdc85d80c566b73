// Corrections as a table: the columns of every events.csv, with the video in front; and back.

const COLUMNS = [
  'video', 'start', 'end', 'person', 'label', 'score', 'region', 'source',
  ...REGION_NAMES.map((name) => `routing_${name}`),
];
// A cell that begins so is a formula to a spreadsheet: such cells get an apostrophe, which reading takes off again.
const FORMULA = /^'*[=+\-@\t\r]/;

function cell(value) {
  let text = value === null || value === undefined ? '' : String(value);
  if (typeof value === 'string' && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function toCsv(video, events) {
  const lines = [COLUMNS.join(',')];
  for (const event of events) {
    const routing = REGION_NAMES.map((name) => event.routing?.[name] ?? '');
    const values = [
      video, event.start.toFixed(3), event.end.toFixed(3), event.person, event.label, event.score, event.region,
      event.source, ...routing,
    ];
    lines.push(values.map((value, i) => (i === 1 || i === 2 ? value : cell(value))).join(','));
  }
  return `${lines.join('\n')}\n`;
}

// Rows of cells; quotes as RFC 4180 has them.
function csvRows(text, comma) {
  const rows = [[]];
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${comma}\\r\\n][^${comma}\\r\\n]*)?)(${comma}|\\r\\n|\\n|\\r|$)`, 'y');
  while (pattern.lastIndex <= text.length) {
    const found = pattern.exec(text);
    if (!found) throw new Error(`a quote is not closed, in row ${rows.length}`);
    rows.at(-1).push(found[1] !== undefined ? found[1].replaceAll('""', '"') : (found[2] ?? ''));
    if (found[3] === '') break;
    if (found[3] !== comma) rows.push([]);
  }
  return rows.filter((row) => row.some((one) => one.trim() !== ''));
}

// Events of one video, and what could not be read: a fault costs its row.
function fromCsv(text, video, persons, duration) {
  const plain = text.replace(/^\uFEFF/, '');
  const head = plain.split(/\r?\n/, 1)[0];
  const comma = [',', ';', '\t'].find((sign) => head.split(sign).length > 3) ?? ',';
  const [names, ...rows] = csvRows(plain, comma);
  const column = (name) => (names ?? []).map((one) => one.trim()).indexOf(name);
  const lacking = ['start', 'end', 'person', 'label'].filter((name) => column(name) < 0);
  if (lacking.length) throw new Error(`no column ${lacking.join(', ')}`);
  const events = [];
  const faults = [];
  let others = 0;
  rows.forEach((row, i) => {
    const text = (name) => {
      const value = column(name) < 0 ? '' : (row[column(name)] ?? '');
      return FORMULA.test(value) && value.startsWith("'") ? value.slice(1) : value;
    };
    const number = (name) => (text(name).trim() === '' ? NaN : Number(comma === ';' ? text(name).replace(',', '.') : text(name)));
    if (column('video') >= 0 && text('video') !== video) {
      others += 1;
      return;
    }
    const event = {
      start: number('start'), end: number('end'), person: number('person'), label: text('label'),
      score: column('score') < 0 ? 1 : number('score'), region: text('region') || null,
      source: text('source') || 'person', routing: routingOf(number), id: events.length,
    };
    const fault = faultOf(event, persons, duration);
    if (fault) faults.push(`row ${i + 2}: ${fault}`);
    else events.push(event);
  });
  if (!events.length && others) throw new Error(`its rows are of other videos, none of ${video}`);
  return { events, faults };
}

function routingOf(number) {
  const weights = REGION_NAMES.map((name) => [name, number(`routing_${name}`)]);
  return weights.every(([, weight]) => weight >= 0 && weight <= 1) ? Object.fromEntries(weights) : {};
}

function faultOf(event, persons, duration) {
  if (!(event.start >= 0 && event.end >= event.start)) return 'start and end must be seconds, the end not before the start';
  if (event.start > duration) return `it starts after the video's end at ${duration.toFixed(3)} s`;
  if (!(Number.isInteger(event.person) && event.person >= 0 && event.person < Math.max(persons, 1))) {
    return `person must be one of 0 to ${Math.max(persons, 1) - 1}`;
  }
  if (!event.label.trim()) return 'it has no label';
  if (!(event.score >= 0 && event.score <= 1)) return 'score must be within 0 and 1';
  if (event.region !== null && !REGION_NAMES.includes(event.region)) return `region must be one of ${REGION_NAMES.join(', ')} or empty`;
  if (!['model', 'rule', 'person'].includes(event.source)) return 'source must be model, rule or person';
  return null;
}
