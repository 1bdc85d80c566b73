// The live view: what to look at, the picture, the pace, and what happened.
let liveTimer = 0;
let liveShown = '';

function showSources(state) {
  const videos = state.videos.filter((video) => video.state !== 'sending');
  const options = [
    ...Array.from({ length: state.cameras }, (_, n) => [{ kind: 'camera', which: n }, n ? `camera ${n + 1}` : 'the camera of this computer']),
    ...state.streams.map((name, n) => [{ kind: 'stream', which: n }, name]),
    ...videos.map((video) => [{ kind: 'video', which: video.id }, `play ${video.name}`]),
  ];
  const text = JSON.stringify(options);
  if (text === liveShown) return;
  liveShown = text;
  const select = byId('live-source');
  const before = select.value;
  select.replaceChildren(...options.map(([value, words]) => new Option(words, JSON.stringify(value))));
  if (options.some(([value]) => JSON.stringify(value) === before)) select.value = before;
}

function showEvent(event) {
  const line = document.createElement('li');
  const swatch = element('span', `swatch ${event.region || ''}`);
  swatch.title = event.region || 'part of the body not known';
  const words = element('span', '', `${event.label}${event.region ? `, by ${event.region}` : ''} · person ${event.person}`);
  line.append(swatch, words, element('span', 'number soft', `${clock(event.start)}–${clock(event.end)}`));
  return line;
}

const LIVE_WORDS = {
  off: '', starting: 'Starting … the first picture takes some seconds.', ended: 'The video has ended.',
};

function showLive(said) {
  const on = said.state === 'on' || said.state === 'starting';
  const words = said.trouble || (said.state === 'on'
    ? `Looking at ${said.name}: ${count(said.persons, 'person')}` : LIVE_WORDS[said.state] || '');
  if (byId('live-said').textContent !== words) byId('live-said').textContent = words;
  byId('live-stop').disabled = !on;
  byId('live-start').disabled = on;
  const picture = byId('live-picture');
  const showing = said.state === 'on';
  if (showing && picture.classList.contains('hidden')) picture.src = `/live.mjpg?${Date.now()}`;
  if (!on) picture.removeAttribute('src');
  picture.classList.toggle('hidden', !showing);
  byId('live-off').classList.toggle('hidden', showing);
  byId('live-pace').textContent = !said.rate ? '' : `${said.rate.toFixed(1)} pictures a second, each seen `
    + `${Math.round(1000 * said.latency)} ms after it was taken (95 in 100 within ${Math.round(1000 * said.latency95)} ms); `
    + `${said.dropped} left out because there was no time for them. An event is told up to ${(said.delay || 0).toFixed(1)} s after its end.`;
  const text = JSON.stringify(said.events);
  const list = byId('live-events');
  if (list.dataset.shown === text) return;
  list.dataset.shown = text;
  list.replaceChildren(...said.events.map(showEvent));
}

function watchLive(on) {
  clearInterval(liveTimer);
  const look = () => trying(async () => showLive(await ask('/api/live')));
  if (!on) {
    byId('live-picture').removeAttribute('src');
    byId('live-picture').classList.add('hidden');
    return;
  }
  look();
  liveTimer = setInterval(look, 500);
}

byId('live-form').addEventListener('submit', (event) => {
  event.preventDefault();
  complain('');
  trying(async () => { await tell('/api/live', JSON.parse(byId('live-source').value)); watchLive(true); });
});
byId('live-stop').addEventListener('click', () => trying(async () => { await tell('/api/live/stop'); watchLive(true); }));
