// Handing files over to the server, one after the other.
const endings = JSON.parse(byId('endings').textContent);
const sending = [];  // what is on its way or was refused, shown in front of what the server has
let limits = { file: Infinity };
let sendingNow = false;
const every = () => (byId('every').checked ? 2 : 1);  // of so many frames one is looked at

function send(files, changed) {
  for (const { file, name } of files) {
    sending.push({ id: `s${send.next++}`, file, name, every: every(), size: file.size, state: 'sending', share: 0 });
  }
  changed();
  if (!sendingNow) sendAll(changed);
}
send.next = 0;

async function sendAll(changed) {
  sendingNow = true;
  let one;
  while ((one = sending.find((each) => each.state === 'sending'))) {
    try {
      if (one.file.size > limits.file) throw new Error(`larger than ${size(limits.file)}, the most that one video may have`);
      await ask(`/api/room?size=${one.file.size}`);
      await sendOne(one, changed);
      sending.splice(sending.indexOf(one), 1);
    } catch (error) {
      if (one.state !== 'sending') continue;  // the user has cancelled it
      one.state = 'refused';
      one.error = error.message;
    }
    changed();
  }
  sendingNow = false;
}

function sendOne(one, changed) {
  return new Promise((done, failed) => {
    const request = one.request = new XMLHttpRequest();
    request.open('POST', `/api/videos?name=${encodeURIComponent(one.name)}&every=${one.every}`);
    request.upload.addEventListener('progress', (event) => {
      one.share = event.total ? event.loaded / event.total : 0;
      changed();
    });
    request.addEventListener('load', () => {
      if (request.status === 201) return done();
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* no JSON: the words below */ }
      return failed(new Error(said.error || 'The app has refused it.'));
    });
    request.addEventListener('error', () => failed(new Error('It could not be handed over: the app does not answer, or the file cannot be read.')));
    request.addEventListener('abort', () => failed(new Error('cancelled')));
    request.send(one.file);
  });
}

function forget(one) {
  one.state = 'gone';
  sending.splice(sending.indexOf(one), 1);
  if (one.request) one.request.abort();
}

const isVideo = (name) => endings.some((ending) => name.toLowerCase().endsWith(ending));

function chosen(list) {
  return [...list].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files);
  const files = [];
  for (const entry of entries) await walk(entry, '', files, true);
  return files;
}

async function walk(entry, above, files, asked) {
  if (entry.isFile) {
    if (asked || isVideo(entry.name)) files.push({ file: await new Promise((done, no) => entry.file(done, no)), name: above + entry.name });
    return;
  }
  const reader = entry.createReader();
  for (;;) {  // a reader hands over at most a hundred at a time
    const inside = await new Promise((done, no) => reader.readEntries(done, no));
    if (!inside.length) return;
    for (const one of inside) await walk(one, `${above}${entry.name}/`, files, false);
  }
}
