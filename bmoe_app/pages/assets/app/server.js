// Asking the server, and saying when it cannot be asked.
const byId = (id) => document.getElementById(id);

function complain(text) {
  byId('trouble').textContent = text;
  byId('trouble').classList.toggle('hidden', !text);
}

async function ask(address, options = {}) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error('The app does not answer. Was its window closed? Start it again: what was waiting goes on.');
  }
  if (answer.status === 204) return null;
  const kind = answer.headers.get('content-type') || '';
  const said = kind.startsWith('application/json') ? await answer.json() : {};
  if (!answer.ok) throw new Error(said.error || 'The app has refused that. Open it by the address that it prints.');
  return said;
}

const tell = (address, body = {}) => ask(address, { method: 'POST', body: JSON.stringify(body) });

async function trying(work) {
  try {
    await work();
  } catch (error) {
    complain(error.message);
  }
}
