// One answer inside the page.
function showAnswer(video) {
  const page = `/answers/${video.id}/answer.html`;
  byId('answer-table').href = `/answers/${video.id}/answer.events.csv?save`;
  byId('answer-alone').href = page;
  const frame = byId('frame');
  frame.title = `Answer to ${video.name}`;
  if (frame.dataset.id !== video.id) {
    frame.dataset.id = video.id;
    frame.contentWindow.location.replace(page);  // not a step of its own on the way back
  }
}

function hideAnswer() {
  const frame = byId('frame');
  if (frame.dataset.id) {
    delete frame.dataset.id;
    frame.contentWindow.location.replace('about:blank');  // a video that nobody sees must not play on
  }
}
