// The keypoints over the picture, bones in the colour of their region, and what is going on above each head.

const LEAST_SCORE = 0.3;

class Overlay {
  constructor(canvas, data, keypoints, scores) {
    Object.assign(this, { canvas, data, keypoints, scores });
    [this.height, this.width] = data.answer.image_size;
    this.persons = data.answer.persons;
    this.count = data.regionOf.length;
    this.skeleton = true;
    this.labels = true;
  }

  // Place of a keypoint in pixels of the video, or null.
  place(person, k, frame) {
    const { length, step, offset } = this.data.keypoints;
    const row = (person * this.count + k) * 2;
    const x = this.keypoints[row * length + frame];
    if (x === ABSENT) return null;
    return [x * step + offset[0], this.keypoints[(row + 1) * length + frame] * step + offset[1]];
  }

  sure(person, k, frame) {
    return this.scores[(person * this.count + k) * this.data.scores.length + frame] >= LEAST_SCORE * 255;
  }

  draw(frame, shown, events) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    const pen = this.canvas.getContext('2d');
    const scale = Math.min(wide / this.width, high / this.height);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const [left, top] = [(wide - this.width * scale) / 2, (high - this.height * scale) / 2];
    const onScreen = ([x, y]) => [left + x * scale, top + y * scale];
    for (const person of shown) {
      const places = Array.from({ length: this.count }, (_, k) => this.place(person, k, frame));
      const now = events.filter((event) => event.person === person);
      if (this.skeleton) this.bones(pen, places.map((one) => one && onScreen(one)), person, frame, now, ratio);
      if (this.labels) this.names(pen, places.map((one) => one && onScreen(one)), person, now, ratio, wide);
    }
  }

  bones(pen, places, person, frame, now, ratio) {
    const active = new Set(now.map((event) => event.region));
    const unit = ratio * Math.max(1, this.canvas.height / ratio / 360);
    pen.lineCap = 'round';
    for (const [parent, child, region] of this.data.edges) {
      if (!places[parent] || !places[child]) continue;
      const sure = this.sure(person, parent, frame) && this.sure(person, child, frame);
      pen.globalAlpha = sure ? 1 : 0.3;
      // a dark rim keeps the colours apart from any picture
      for (const [color, extra] of [['rgba(0,0,0,.55)', 2], [this.data.colors[region], 0]]) {
        pen.strokeStyle = color;
        pen.lineWidth = ((active.has(this.data.regions[region]) ? 4.5 : 2.2) + extra) * unit;
        pen.beginPath();
        pen.moveTo(...places[parent]);
        pen.lineTo(...places[child]);
        pen.stroke();
      }
    }
    places.forEach((place, k) => {
      if (!place) return;
      pen.globalAlpha = this.sure(person, k, frame) ? 1 : 0.3;
      pen.fillStyle = this.data.colors[this.data.regionOf[k]];
      pen.beginPath();
      pen.arc(...place, 2.4 * unit, 0, 7);
      pen.fill();
    });
    pen.globalAlpha = 1;
  }

  names(pen, places, person, now, ratio, wide) {
    const seen = places.filter(Boolean);
    if (!seen.length) return;
    const size = 13 * ratio;
    pen.font = `600 ${size}px system-ui, sans-serif`;
    pen.textBaseline = 'top';
    const lines = [
      ...(this.persons > 1 ? [[`person ${person}`, '#1b1f24', '#fff']] : []),
      ...now.map((event) => [event.label, ...colorsOf(this.data, event.region)]),
    ];
    const top = Math.min(...seen.map(([, y]) => y));
    const center = seen.find(([, y]) => y === top)[0];
    let y = Math.max(4 * ratio, top - (lines.length * 1.55 + 0.9) * size);
    for (const [text, paper, ink] of lines) {
      const width = pen.measureText(text).width + size;
      const x = Math.min(Math.max(center - width / 2, 4 * ratio), Math.max(wide - width - 4 * ratio, 4 * ratio));
      pen.fillStyle = paper;
      pen.fillRect(x, y, width, size * 1.4);
      pen.fillStyle = ink;
      pen.fillText(text, x + size / 2, y + size * 0.22);
      y += size * 1.55;
    }
  }
}

// Colour of a region, and a colour that can be read on it.
function colorsOf(data, region) {
  const index = data.regions.indexOf(region);
  if (index < 0) return ['#57606a', '#fff'];
  return [data.colors[index], region === 'body' ? '#fff' : '#111'];
}
