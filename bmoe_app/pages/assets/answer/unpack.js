// The page's arrays as Python packed them: bmoe_app/pages/packing.py says how.

const ABSENT = -32768;
const UNKNOWN = 65535;

function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Whole numbers, row after row: each told by its step from the one before, low bytes first, then the high ones.
async function unpack(packed, signed = false) {
  const planes = await inflated(bytesOf(packed.data));
  const wide = packed.bits === 16;
  const count = wide ? planes.length / 2 : planes.length;
  const values = wide ? (signed ? new Int16Array(count) : new Uint16Array(count)) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const step = wide ? planes[i] | (planes[count + i] << 8) : planes[i];
    values[i] = i % packed.length ? values[i - 1] + step : step;
  }
  return values;
}

// One row as numbers for a curve, null where unknown.
function rowOf(levels, row, length, low, high) {
  const values = new Array(length);
  for (let i = 0; i < length; i++) {
    const level = levels[row * length + i];
    values[i] = level === UNKNOWN ? null : low + (level / (UNKNOWN - 1)) * (high - low);
  }
  return values;
}

// Index of the last of rising times that is not after t; 0 before the first.
function indexAt(times, t) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= t + 1e-6) low = middle;
    else high = middle - 1;
  }
  return low;
}
