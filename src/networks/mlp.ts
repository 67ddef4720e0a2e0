import { leakyRelu, relu, tanh, type Value, withScope } from "../graph/index.js";
import { type Layer, linear, plain } from "./layers.js";
import type { Network, Scope } from "./network.js";

export interface MlpSize {
  /** Neurons in each hidden layer. */
  readonly width: number;
  /** Number of hidden layers. */
  readonly depth: number;
}

/** Linear layers with an activation between them, numbered as in PyTorch's `nn.Sequential`: 0, 2, 4, … */
function stack(scope: Scope, prefix: string, sizes: readonly number[], activation: Layer): Layer {
  const layers = sizes.slice(1).map((size, i) => plain(linear(scope, `${prefix}.${2 * i}`, sizes[i], size)));
  return (x) => layers.reduce((h, layer, i) => layer(i === 0 ? h : activation(h)), x);
}

const hidden = ({ width, depth }: MlpSize) => Array<number>(depth).fill(width);

/** Latents [batch, latent] to pixels [batch, pixels] in [-1, 1], with ReLU between layers and tanh at the end. */
export function mlpGenerator(latent: number, pixels: number, size: MlpSize): Network<(z: Value) => Value> {
  return {
    name: "generator",
    create(scope) {
      const layers = stack(scope, "gen", [latent, ...hidden(size), pixels], relu);
      return (z) => withScope("generator", () => tanh(layers(z)));
    },
  };
}

/** Pixels [batch, pixels] to logits [batch, 1] of the probability of being real, with LeakyReLU 0.2 between layers. */
export function mlpDiscriminator(pixels: number, size: MlpSize): Network<(x: Value) => Value> {
  return {
    name: "discriminator",
    create(scope) {
      const layers = stack(scope, "dis", [pixels, ...hidden(size), 1], (x) => leakyRelu(x, 0.2));
      return (x) => withScope("discriminator", () => layers(x));
    },
  };
}
