// The moment that is shown, and what moves it: the video, or a clock where there is none that this browser can play.

class Player {
  constructor(video, href, times, duration) {
    this.video = video;
    this.times = times;
    this.duration = duration;
    this.time = times[0] ?? 0;
    this.rate = 1;
    this.hasVideo = Boolean(href);
    this.clockRuns = false;
    this.listeners = [];
    this.onTrouble = () => {};
    if (!href) return;
    const lost = (why) => this.loseVideo(why);
    video.addEventListener('error', () => lost(video.error?.code === 4 ? 'missing' : 'broken'));
    video.addEventListener('loadedmetadata', () => {
      if (!video.videoWidth) lost('codec');
      else if (this.time > 0) video.currentTime = this.time;
    });
    for (const name of ['play', 'pause', 'ended', 'seeked']) video.addEventListener(name, () => this.look());
    video.src = href;
  }

  // From here on the keypoints play by the clock, from the same moment.
  loseVideo(why) {
    if (!this.hasVideo) return;
    const played = this.playing;
    this.hasVideo = false;
    this.video.pause();
    this.onTrouble(why);
    if (played) this.play();
    this.tell();
  }

  get playing() {
    return this.hasVideo ? !this.video.paused && !this.video.ended : this.clockRuns;
  }

  get frame() {
    return indexAt(this.times, this.time);
  }

  onTime(listener) {
    this.listeners.push(listener);
  }

  tell() {
    for (const listener of this.listeners) listener(this.time);
  }

  look() {
    if (this.hasVideo && this.video.readyState > 0) this.time = this.video.currentTime;
    this.tell();
    if (this.playing && !this.looking) {
      this.looking = true;
      requestAnimationFrame(() => {
        this.looking = false;
        if (this.playing) this.look();
      });
    }
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.duration);
    if (this.hasVideo && this.video.readyState > 0) this.video.currentTime = this.time;
    if (this.clockRuns) this.startClock();
    this.tell();
  }

  // Frames as the answer counts them; the middle of a frame is aimed at, as its edges belong to either neighbour.
  step(frames) {
    this.pause();
    const frame = Math.min(Math.max(this.frame + frames, 0), this.times.length - 1);
    const next = this.times[frame + 1] ?? this.duration;
    this.seek(this.times[frame] + Math.min((next - this.times[frame]) / 2, 0.02));
  }

  setRate(rate) {
    this.rate = rate;
    this.video.playbackRate = rate;
    if (this.clockRuns) this.startClock();
  }

  play() {
    if (this.time >= this.duration - 0.02) this.seek(0);
    if (this.hasVideo) {
      this.video.play().catch((error) => {
        if (error.name !== 'AbortError') this.loseVideo('broken');
      });
      return;
    }
    this.startClock();
    this.tick();
    this.tell();
  }

  pause() {
    this.clockRuns = false;
    if (this.hasVideo) this.video.pause();
    this.tell();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  startClock() {
    this.clockRuns = true;
    this.began = performance.now() / 1000 - this.time / this.rate;
  }

  tick() {
    if (!this.clockRuns || this.ticking) return;
    this.ticking = true;
    requestAnimationFrame(() => {
      this.ticking = false;
      if (!this.clockRuns) return;
      this.time = Math.min((performance.now() / 1000 - this.began) * this.rate, this.duration);
      if (this.time >= this.duration) this.clockRuns = false;
      this.tell();
      this.tick();
    });
  }
}
