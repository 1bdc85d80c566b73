// Ties it together: asks for the state again and again, and shows what the address names.
let state = { videos: [], offered: [], left: null, streams: [], cameras: 0 };
let version = '';
let lost = false;

function show() {
  const videos = [...state.videos, ...sending];
  showVideos(videos, refresh);
  showSum(videos, state.left);
  const [what, id] = location.hash.slice(1).split('/');
  const video = what === 'answer' ? state.videos.find((one) => one.id === id && ['ok', 'partial'].includes(one.state)) : null;
  const place = video ? 'answer' : what === 'live' ? 'live' : 'videos';
  for (const name of ['videos', 'answer', 'live']) byId(name).classList.toggle('hidden', name !== place);
  for (const name of ['videos', 'live']) {
    if (name === (place === 'answer' ? 'videos' : place)) byId(`tab-${name}`).setAttribute('aria-current', 'page');
    else byId(`tab-${name}`).removeAttribute('aria-current');
  }
  document.body.classList.toggle('reading', place === 'answer');
  if (video) showAnswer(video); else hideAnswer();
  if (show.place !== place) watchLive(place === 'live');
  show.place = place;
  showSources(state);
}

async function refresh() {
  const said = await ask(`/api/state?version=${version}`);
  if (lost) { lost = false; complain(''); }
  if (said) {
    ({ version } = said);
    state = said;
    ({ limits } = said);
    showOffered(said.offered, refresh);
    byId('asked').textContent = said.asked;
    byId('place').textContent = said.place;
  }
  show();
  document.documentElement.dataset.ready = '1';
}

async function keepAsking() {
  try {
    await refresh();
  } catch (error) {
    lost = true;
    version = '';
    complain(error.message);
  }
  setTimeout(keepAsking, 1000);
}

function take(files) {
  if (!files.length) return complain('There is no video in this folder.');
  complain('');
  location.hash = '#videos';
  send(files, show);
}

for (const [press, field] of [['choose', 'files'], ['choose-folder', 'folder']]) {
  byId(press).addEventListener('click', () => byId(field).click());
  byId(field).addEventListener('change', () => {
    const all = chosen(byId(field).files);
    take(field === 'folder' ? all.filter(({ name }) => isVideo(name)) : all);
    byId(field).value = '';
  });
}
addEventListener('dragover', (event) => { event.preventDefault(); document.body.classList.add('dragging'); });
addEventListener('dragleave', (event) => { if (!event.relatedTarget) document.body.classList.remove('dragging'); });
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dragging');
  trying(async () => take(await dropped(event.dataTransfer)));
});
addEventListener('hashchange', show);
addEventListener('beforeunload', (event) => { if (sendingNow) event.preventDefault(); });
const address = () => { byId('zip-link').href = `/all.zip?videos=${byId('zip-videos').checked ? 1 : 0}`; };
byId('zip-videos').addEventListener('change', address);
byId('zip').addEventListener('submit', (event) => event.preventDefault());
address();
show();
keepAsking();
