import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { GanOnnxError } from "../error.js";

/** A sequence of random numbers. Each call advances it. */
export interface Random {
  /** A multiple of 2^-53 in [0, 1). */
  uniform(): number;
  /** A standard normal number. */
  normal(): number;
  /** An unbiased integer in [0, n), for a safe integer n of at least 1. */
  below(n: number): number;
}

/**
 * The random sequence of a seed and some keys, e.g. `randomStream(seed, "noise", "z_d", step)`. It is a pure function
 * of them, so a resumed run needs only its counters. Streams with different keys are independent; `"1"` and `1` are
 * different keys, and so are `"ab"` and `"a", "b"`. Creation takes less than a microsecond. The generator is
 * xoroshiro128+ (Blackman & Vigna, https://arxiv.org/abs/1805.01407). Its bits, `uniform` and `below` are the same on
 * every machine; `normal` may differ in the last bit where a JavaScript engine computes `Math.log` differently.
 *
 * @throws {@link GanOnnxError} when the seed or a numeric key is not a safe integer.
 */
export function randomStream(seed: number, ...keys: readonly (string | number)[]): Random {
  const hash = new Hash();
  hash.integer(seed, "seed");
  for (const key of keys) {
    if (typeof key === "string") hash.text(key);
    else hash.integer(key, "key");
  }
  return new Stream(hash.lanes);
}

/** Overwrite `out` with standard normal numbers, rounded to float32, and return it. */
export function fillNormal(random: Random, out: Float32Array): Float32Array {
  for (let i = 0; i < out.length; i++) out[i] = random.normal();
  return out;
}

/** Overwrite `out` with uniform numbers in [0, 1) and return it. */
export function fillUniform(random: Random, out: Float32Array): Float32Array {
  // Multiples of 2^-24 are exact in float32. Rounding all 53 bits would sometimes give 1.
  for (let i = 0; i < out.length; i++) out[i] = Math.floor(random.uniform() * 2 ** 24) * 2 ** -24;
  return out;
}

/** A random permutation of 0 ... count - 1, each equally likely (Fisher-Yates, Knuth's algorithm P). */
export function shuffled(random: Random, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  return order;
}

/**
 * Four 32-bit chains h <- mix(h xor word) with different initial values. `mix` is the finalizer of MurmurHash3
 * (https://github.com/aappleby/smhasher), a bijection in which each input bit flips each output bit half the time.
 * Different keys give different words: a text begins with its length, a number with -1.
 */
class Hash {
  // The fractional digits of pi, as in Blowfish: constants that were not chosen for a purpose. All must be int32: with
  // one double among them, V8 keeps the generator's whole state in doubles, which takes twice the time.
  readonly lanes: [number, number, number, number] = [0x243f6a88, 0x85a308d3 | 0, 0x13198a2e, 0x03707344];

  integer(value: number, name: "seed" | "key"): void {
    if (!Number.isSafeInteger(value)) {
      throw new GanOnnxError({
        what: `${value} is not a safe integer`,
        where: `random ${name}`,
        fix: "use a whole number between -(2^53 - 1) and 2^53 - 1",
        kind: "usage",
      });
    }
    this.#word(-1);
    this.#word(Math.floor(value / 2 ** 32));
    this.#word(value);
  }

  text(value: string): void {
    this.#word(value.length);
    for (let i = 0; i < value.length; i++) this.#word(value.charCodeAt(i));
  }

  /** Add one word to the hash: a number modulo 2^32, as `^` converts it. */
  #word(word: number): void {
    const { lanes } = this;
    for (let i = 0; i < 4; i++) {
      let h = lanes[i] ^ word;
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      lanes[i] = h ^ (h >>> 16);
    }
  }
}

/**
 * The Ziggurat of Marsaglia & Tsang (2000, https://doi.org/10.18637/jss.v005.i08): the area under f(x) = exp(-x²/2),
 * x >= 0, is covered by 256 layers of equal area: 255 rectangles of width edge[i], and at the bottom (i = 0) a strip
 * that reaches to r and continues as the tail. For these layers r = 3.654..., and the area v = r f(r) + ∫ f beyond r.
 */
const layers = 256;
const tailStart = 3.6541528853610088;
const layerArea = 0.004928673233974658;

/** edge[i] is the width of layer i, falling from v / f(r) (as if the tail were a rectangle) over r to 0. */
const edge = new Float64Array(layers + 1);
/** height[i] = f(edge[i]), so that layer i >= 1 lies between height[i] and height[i + 1]. */
const height = new Float64Array(layers + 1);
/** width[i] = edge[i] 2^-31 turns a signed 32-bit integer into a point of the layer, left or right of 0. */
const width = new Float64Array(layers);

edge[0] = layerArea / Math.exp(-0.5 * tailStart ** 2);
edge[1] = tailStart;
for (let i = 1; i < layers; i++) {
  height[i] = Math.exp(-0.5 * edge[i] ** 2);
  // Equal areas: edge[i] (height[i + 1] - height[i]) = v; the last layer closes at x = 0.
  if (i + 1 < layers) edge[i + 1] = Math.sqrt(-2 * Math.log(layerArea / edge[i] + height[i]));
}
height[layers] = 1;
for (let i = 0; i < layers; i++) width[i] = edge[i] * 2 ** -31;

class Stream implements Random {
  readonly #bits;

  constructor(state: readonly number[]) {
    this.#bits = xoroshiro128plusFromState(state);
  }

  uniform(): number {
    return uniformFloat64(this.#bits);
  }

  below(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new GanOnnxError({
        what: `there is no integer in [0, ${n})`,
        where: "random below",
        fix: "ask for a safe integer of at least 1",
        kind: "usage",
      });
    }
    return uniformInt(this.#bits, 0, n - 1);
  }

  // Short enough for V8 to inline it into loops: a call would box every result.
  normal(): number {
    for (;;) {
      // Layer and point come from different words: shared bits would make them dependent (Doornik 2005, "An improved
      // Ziggurat method to generate normal random samples"). Use the high bits, because the lowest bits of this
      // generator are weak.
      const layer = this.#bits.next() >>> 24;
      const x = this.#bits.next() * width[layer];
      // Below the layer above, therefore below the curve: 98.8% of all points.
      if (Math.abs(x) < edge[layer + 1]) return x;
      const kept = this.#edgeCase(layer, x);
      if (kept !== 0) return kept;
    }
  }

  /** Decide about a point at the right or left end of its layer: return a normal number, or 0 to draw again. */
  #edgeCase(layer: number, x: number): number {
    if (layer === 0) return Math.sign(x) * this.#tail();
    const y = height[layer] + this.uniform() * (height[layer + 1] - height[layer]);
    return y < Math.exp(-0.5 * x * x) ? x : 0;
  }

  /** A normal number beyond r (Marsaglia 1964): r + a with a = -ln(U)/r, kept with probability exp(-a²/2). */
  #tail(): number {
    for (;;) {
      const a = -Math.log(1 - this.uniform()) / tailStart;
      const b = -Math.log(1 - this.uniform());
      if (2 * b > a * a) return tailStart + a;
    }
  }
}
