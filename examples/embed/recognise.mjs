// Label a clip of keypoints with an exported model, in a browser or under Node:
//   npm install onnxruntime-web
//   node recognise.mjs model.onnx clip.json
// clip.json: {"keypoints": [frames][keypoints][x, y], "scores": [frames][keypoints], "times": [seconds of each frame]},
// keypoints in the order of model.onnx.json, null for one that is not there.
import { readFile } from 'node:fs/promises'; // in a browser: fetch
import * as ort from 'onnxruntime-web';

export async function recognise(session, facts, clip) {
  const frames = clip.times.length;
  const joints = facts.keypoints.length;
  const keypoints = new Float32Array(frames * joints * 2).fill(NaN);
  const scores = new Float32Array(frames * joints);
  clip.keypoints.forEach((points, t) => points.forEach((point, k) => {
    if (point === null) return;
    keypoints.set(point, (t * joints + k) * 2);
    scores[t * joints + k] = clip.scores[t][k];
  }));
  const given = {
    keypoints: new ort.Tensor('float32', keypoints, [1, 1, frames, joints, 2]),
    scores: new ort.Tensor('float32', scores, [1, 1, frames, joints]),
    times: new ort.Tensor('float32', Float32Array.from(clip.times), [1, frames]),
  };
  const { probabilities, routing } = await session.run(given);
  const ranked = facts.classes.map((label, c) => ({ label, score: probabilities.data[c] }));
  ranked.sort((a, b) => b.score - a.score);
  const regions = routing && Object.fromEntries(facts.regions.map((name, r) => [name, routing.data[r]]));
  return { label: ranked[0].label, score: ranked[0].score, regions };
}

const [model, file] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await readFile(model));
const facts = JSON.parse(await readFile(`${model}.json`, 'utf8'));
console.log(JSON.stringify(await recognise(session, facts, JSON.parse(await readFile(file, 'utf8')))));
