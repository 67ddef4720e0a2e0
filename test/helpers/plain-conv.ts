/**
 * A second implementation of the convolutional networks, in float64 and as plain loops, for comparison with the graph.
 * Weights have PyTorch's names.
 */
export type Weights = Readonly<Record<string, Float64Array>>;

export interface PlainSize {
  readonly channels: number;
  /** Height and width of the images. */
  readonly side: number;
  readonly depth: number;
  readonly classes: number;
}

/** Square images, [count, channels, side, side]. */
interface Images {
  readonly count: number;
  readonly channels: number;
  readonly side: number;
  readonly data: Float64Array;
}

const at = ({ channels, side }: Images, n: number, c: number, i: number, j: number) =>
  ((n * channels + c) * side + i) * side + j;

/**
 * All products of a convolution with kernel 4, stride 2, padding 1 between a small and a large image: pixel (i, j) of
 * the small one, pixel (2i - 1 + u, 2j - 1 + v) of the large one, weight (small channel, large channel, u, v).
 */
function eachProduct(
  small: Images,
  large: Images,
  visit: (small: number, large: number, weight: number) => void,
): void {
  for (let n = 0; n < small.count; n++)
    for (let s = 0; s < small.channels; s++)
      for (let l = 0; l < large.channels; l++)
        for (let i = 0; i < small.side; i++)
          for (let j = 0; j < small.side; j++)
            for (let u = 0; u < 4; u++)
              for (let v = 0; v < 4; v++) {
                const [y, x] = [2 * i - 1 + u, 2 * j - 1 + v];
                if (Math.min(y, x) < 0 || Math.max(y, x) >= large.side) continue;
                const weight = ((s * large.channels + l) * 4 + u) * 4 + v;
                visit(at(small, n, s, i, j), at(large, n, l, y, x), weight);
              }
}

function biased(count: number, side: number, bias: Float64Array): Images {
  const area = side * side;
  const data = Float64Array.from({ length: count * bias.length * area }, (_, i) => {
    return bias[Math.floor(i / area) % bias.length];
  });
  return { count, channels: bias.length, side, data };
}

function halved(x: Images, weight: Float64Array, bias: Float64Array): Images {
  const y = biased(x.count, x.side / 2, bias);
  eachProduct(y, x, (small, large, w) => {
    y.data[small] += x.data[large] * weight[w];
  });
  return y;
}

function doubled(x: Images, weight: Float64Array, bias: Float64Array): Images {
  const y = biased(x.count, x.side * 2, bias);
  eachProduct(x, y, (small, large, w) => {
    y.data[large] += x.data[small] * weight[w];
  });
  return y;
}

/** x·Wᵀ + b, with each feature as a channel of side 1. */
function linear(x: readonly Float64Array[], weight: Float64Array, bias: Float64Array): Images {
  const data = x.flatMap((row) =>
    Array.from(bias, (b, o) => row.reduce((sum, value, i) => sum + value * weight[o * row.length + i], b)),
  );
  return { count: x.length, channels: bias.length, side: 1, data: Float64Array.from(data) };
}

/** torch.nn.BatchNorm: with the statistics of the batch, or in inference with the running ones. */
function normalized(x: Images, weights: Weights, name: string, training: boolean): Images {
  const { count, channels, side } = x;
  const area = side * side;
  const channelOf = (i: number) => Math.floor(i / area) % channels;
  const mean = training ? new Float64Array(channels) : weights[`${name}.running_mean`];
  const variance = training ? new Float64Array(channels) : weights[`${name}.running_var`];
  if (training) {
    x.data.forEach((value, i) => {
      mean[channelOf(i)] += value / (count * area);
    });
    x.data.forEach((value, i) => {
      variance[channelOf(i)] += (value - mean[channelOf(i)]) ** 2 / (count * area);
    });
  }
  const [gamma, beta] = [weights[`${name}.weight`], weights[`${name}.bias`]];
  const data = x.data.map((value, i) => {
    const c = channelOf(i);
    return ((value - mean[c]) / Math.sqrt(variance[c] + 1e-5)) * gamma[c] + beta[c];
  });
  return { ...x, data };
}

const mapped = (x: Images, f: (value: number) => number): Images => ({ ...x, data: x.data.map(f) });
const relu = (value: number) => Math.max(value, 0);

function rows(data: Float64Array, count: number): Float64Array[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, n) => data.subarray(n * size, (n + 1) * size));
}

const oneHot = (label: number, classes: number) => Array.from({ length: classes }, (_, i) => +(i === label));

export interface PlainInput {
  /** Latents, or images in [-1, 1], of all samples. */
  readonly data: Float64Array;
  readonly count: number;
  readonly labels: readonly number[];
  readonly training: boolean;
}

/** Images in [-1, 1], flattened. */
export function plainGenerator(weights: Weights, size: PlainSize, input: PlainInput): Float64Array {
  const { count, labels, training } = input;
  const joined = rows(input.data, count).map((z, n) =>
    Float64Array.of(...z, ...oneHot(labels[n], size.classes)),
  );
  const fc = linear(joined, weights["fc.weight"], weights["fc.bias"]);
  const side = size.side / 2 ** size.depth;
  let h = mapped(normalized(fc, weights, "bn1", training), relu);
  h = { ...h, side, channels: h.channels / side ** 2 };
  for (let i = 1; i <= size.depth; i++) {
    const y = doubled(h, weights[`up${i}.weight`], weights[`up${i}.bias`]);
    h =
      i === size.depth ? mapped(y, Math.tanh) : mapped(normalized(y, weights, `bn${i + 1}`, training), relu);
  }
  return h.data;
}

/** Logits. */
export function plainDiscriminator(weights: Weights, size: PlainSize, input: PlainInput): Float64Array {
  const { count, labels, training } = input;
  const area = size.side ** 2;
  const planes = (n: number) => oneHot(labels[n], size.classes).flatMap((on) => Array<number>(area).fill(on));
  const joined = rows(input.data, count).flatMap((x, n) => [...x, ...planes(n)]);
  let h: Images = {
    count,
    channels: size.channels + size.classes,
    side: size.side,
    data: Float64Array.from(joined),
  };
  for (let i = 1; i <= size.depth; i++) {
    const y = halved(h, weights[`down${i}.weight`], weights[`down${i}.bias`]);
    const normal = i === 1 ? y : normalized(y, weights, i === 2 ? "bn" : `bn${i - 1}`, training);
    h = mapped(normal, (value) => (value > 0 ? value : 0.2 * value));
  }
  return linear(rows(h.data, count), weights["fc.weight"], weights["fc.bias"]).data;
}
