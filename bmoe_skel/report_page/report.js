// Draws the surest mistakes as moving skeletons; still where the reader asked for less motion, until Play is pressed.
const { layouts, clips } = JSON.parse(document.getElementById('motions').textContent);
const colours = getComputedStyle(document.documentElement);
const canvases = [...document.querySelectorAll('canvas[data-clip]')];
const button = document.getElementById('play');
let playing = !matchMedia('(prefers-reduced-motion: reduce)').matches;
let frame = 0;
let last = 0;

function draw(canvas) {
  const { points, skeleton } = clips[canvas.dataset.clip];
  const { edges, regions } = layouts[skeleton];
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.lineCap = 'round';
  const place = (point) => point.map((value) => (value / 500) * canvas.width);
  for (const person of points) {
    const now = person[frame % person.length];
    pen.lineWidth = 4;
    for (const [from, to] of edges) {
      if (now[from][0] < 0 || now[to][0] < 0) continue;
      pen.strokeStyle = colours.getPropertyValue(`--${regions[to]}`);
      pen.beginPath();
      pen.moveTo(...place(now[from]));
      pen.lineTo(...place(now[to]));
      pen.stroke();
    }
    now.forEach((point, k) => {
      if (point[0] < 0) return;
      pen.fillStyle = colours.getPropertyValue(`--${regions[k]}`);
      pen.beginPath();
      pen.arc(...place(point), 3, 0, 7);
      pen.fill();
    });
  }
}

function step(time) {
  if (!playing) return;
  if (time - last > 80) {
    last = time;
    frame += 1;
    canvases.forEach(draw);
  }
  requestAnimationFrame(step);
}

function show() {
  if (button) button.textContent = playing ? 'Pause' : 'Play';
  if (playing) requestAnimationFrame(step);
}

canvases.forEach(draw);
button?.addEventListener('click', () => {
  playing = !playing;
  show();
});
show();
