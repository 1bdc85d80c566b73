// The list of videos: a row each, changed in place so that the keyboard's focus stays.
const rows = new Map();

function element(kind, name, text = '') {
  const made = document.createElement(kind);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function button(text, video, act) {
  const made = element('button', '', text);
  made.setAttribute('aria-label', `${text}: ${video.name}`);
  made.addEventListener('click', () => trying(act));
  return made;
}

function actions(video, refresh) {
  const change = (what) => async () => { await tell(`/api/videos/${video.id}/${what}`); await refresh(); };
  const remove = async () => {
    if (window.confirm(`Remove ${video.name} and its answer?`)) await change('remove')();
  };
  const away = async () => { forget(sending.find((one) => one.id === video.id)); await refresh(); };
  if (video.state === 'sending') return [button('Cancel', video, away)];
  if (video.state === 'refused') return [button('Hide', video, away)];
  if (video.state === 'queued' || video.state === 'running') return [button('Cancel', video, change('cancel'))];
  const ended = [button('Remove', video, remove)];
  if (video.state === 'failed' || video.state === 'cancelled') return [button('Try again', video, change('again')), ...ended];
  const open = element('a', 'button main-button', 'Open the answer');
  open.href = `#answer/${video.id}`;
  open.setAttribute('aria-label', `Open the answer: ${video.name}`);
  return [open, ...ended];
}

function makeRow(video) {
  const row = element('li', 'video');
  row.dataset.id = video.id;
  const parts = { row, name: element('span', 'video-name', video.name), said: element('span', 'video-said'),
    bar: document.createElement('progress'), acts: element('span', 'row'), state: '' };
  parts.bar.setAttribute('aria-label', `Progress of ${video.name}`);
  row.append(parts.name, parts.said, parts.bar, parts.acts);
  return parts;
}

function showVideos(videos, refresh) {
  const list = byId('list');
  const ids = new Set(videos.map((video) => video.id));
  for (const [id, parts] of rows) if (!ids.has(id)) { parts.row.remove(); rows.delete(id); }
  videos.forEach((video, place) => {
    const parts = rows.get(video.id) || makeRow(video);
    rows.set(video.id, parts);
    const text = saying(video);
    if (parts.said.textContent !== text) parts.said.textContent = text;
    const moving = video.state === 'running' || video.state === 'sending';
    parts.bar.classList.toggle('hidden', !moving);
    if (moving && video.share) parts.bar.value = video.share; else parts.bar.removeAttribute('value');
    if (parts.state !== video.state) {
      parts.state = video.state;
      parts.row.className = `video ${video.state === 'refused' ? 'failed' : video.state}`;
      parts.acts.replaceChildren(...actions(video, refresh));
    }
    if (list.children[place] !== parts.row) list.insertBefore(parts.row, list.children[place] || null);
  });
}

function showSum(videos, left) {
  const done = videos.filter((video) => video.state === 'ok' || video.state === 'partial').length;
  const failed = videos.filter((video) => video.state === 'failed' || video.state === 'refused').length;
  const open = videos.some((video) => video.state === 'queued' || video.state === 'running');
  const text = `${done} of ${count(videos.length, 'video')} answered${failed ? `, ${failed} not` : ''}`;
  if (byId('sum').textContent !== text) byId('sum').textContent = text;
  byId('left').textContent = !open ? '' : left === null ? 'the time left shows after a moment' : about(left);
  byId('head').classList.toggle('hidden', !videos.length);
  byId('empty').classList.toggle('hidden', videos.length > 0);
  byId('zip-link').setAttribute('aria-disabled', String(!done));
}

function showOffered(offered, refresh) {
  byId('offered').classList.toggle('hidden', !offered.length);
  byId('offered-title').textContent = `${count(offered.length, 'video')} in the folder named at the start`;
  const take = (numbers) => () => trying(async () => { await tell('/api/offered', { numbers, every: every() }); await refresh(); });
  byId('offered-all').onclick = take(offered.map((one) => one.number));
  byId('offered-list').replaceChildren(...offered.slice(0, 500).map((one) => {
    const line = element('li');
    const add = element('button', '', 'Add');
    add.setAttribute('aria-label', `Add ${one.name}`);
    add.addEventListener('click', take([one.number]));
    line.append(add, element('span', '', one.name));
    return line;
  }));
}
