// Numbers as people say them.
const count = (number, word) => `${number || 'no'} ${word}${number === 1 ? '' : 's'}`;

function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function about(seconds) {
  if (seconds < 60) return 'less than a minute left';
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 6) / 10} hours left`;
}

const size = (bytes) => (bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 1024))} kB`
  : bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MB` : `${(bytes / 2 ** 30).toFixed(1)} GB`);

function found(video) {
  const length = video.seconds === null ? '' : `${clock(video.seconds)} long · `;
  if (!video.persons) return `${length}nobody was seen`;
  return `${length}${count(video.persons, 'person')} · ${count(video.events, 'event')}`;
}

function saying(video) {
  switch (video.state) {
    case 'sending': return `being handed over, ${Math.round(100 * video.share)} %`;
    case 'refused': return video.error;
    case 'queued': return `waiting · ${size(video.size)}`;
    case 'running': return `${video.phase || 'beginning'}${video.share ? `, ${Math.round(100 * video.share)} %` : ''}`;
    case 'ok': return found(video);
    case 'partial': return `${found(video)} · not read whole: ${video.error || 'see the answer'}`;
    case 'failed': return video.error;
    default: return 'cancelled';
  }
}
