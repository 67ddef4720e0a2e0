/**
 * A second implementation of the recipe vanilla: plain float64 TypeScript, with derivatives written by hand, one sample
 * at a time. It shares no code with `src/`, so it is an independent reference.
 */

/** An activation and its derivative. */
interface Curve {
  at(x: number): number;
  slope(x: number): number;
}

const relu: Curve = { at: (x) => Math.max(0, x), slope: (x) => (x > 0 ? 1 : 0) };
const leakyRelu: Curve = { at: (x) => (x > 0 ? x : 0.2 * x), slope: (x) => (x > 0 ? 1 : 0.2) };
const identity: Curve = { at: (x) => x, slope: () => 1 };
const hyperbolic: Curve = { at: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log(1 + Math.exp(x));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A multilayer perceptron whose parameters are in one vector: each layer's weight [out, in], then its bias [out]. */
export class Perceptron {
  readonly gradient: Float64Array;
  private inputs: (readonly number[])[] = [];
  private sums: (readonly number[])[] = [];

  constructor(
    readonly sizes: readonly number[],
    readonly parameters: Float64Array,
    private readonly hidden: Curve,
    private readonly last: Curve,
  ) {
    this.gradient = new Float64Array(parameters.length);
  }

  private layers() {
    let offset = 0;
    return this.sizes.slice(1).map((outs, i) => {
      const ins = this.sizes[i];
      const layer = { ins, outs, weight: offset, bias: offset + outs * ins };
      offset += outs * (ins + 1);
      return { ...layer, curve: i === this.sizes.length - 2 ? this.last : this.hidden };
    });
  }

  /** The output for one sample. The values that {@link backward} needs are kept until the next call. */
  forward(x: readonly number[]): readonly number[] {
    [this.inputs, this.sums] = [[], []];
    for (const { ins, outs, weight, bias, curve } of this.layers()) {
      const input = x;
      const sums = Array.from({ length: outs }, (_, o) => {
        let sum = this.parameters[bias + o];
        for (let i = 0; i < ins; i++) sum += this.parameters[weight + o * ins + i] * input[i];
        return sum;
      });
      this.inputs.push(input);
      this.sums.push(sums);
      x = sums.map(curve.at);
    }
    return x;
  }

  /**
   * Add the last sample's gradient to `gradient`, from the derivative of the loss by the output. Returns that by the
   * input.
   */
  backward(dy: readonly number[]): readonly number[] {
    for (const [l, { ins, outs, weight, bias, curve }] of [...this.layers().entries()].reverse()) {
      const dx = Array<number>(ins).fill(0);
      for (let o = 0; o < outs; o++) {
        const d = dy[o] * curve.slope(this.sums[l][o]);
        this.gradient[bias + o] += d;
        for (let i = 0; i < ins; i++) {
          this.gradient[weight + o * ins + i] += d * this.inputs[l][i];
          dx[i] += d * this.parameters[weight + o * ins + i];
        }
      }
      dy = dx;
    }
    return dy;
  }
}

/** `gen.0`, `gen.2`, …: latents to pixels. */
export function generatorOf(sizes: readonly number[], parameters: ArrayLike<number>): Perceptron {
  return new Perceptron(sizes, Float64Array.from(parameters), relu, hyperbolic);
}

/** `dis.0`, `dis.2`, …: pixels to a logit. */
export function discriminatorOf(sizes: readonly number[], parameters: ArrayLike<number>): Perceptron {
  return new Perceptron(sizes, Float64Array.from(parameters), leakyRelu, identity);
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** torch.optim.Adam, as in its documentation: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html */
export class Adam {
  private readonly m: Float64Array;
  private readonly v: Float64Array;
  private t = 0;

  constructor(
    private readonly parameters: Float64Array,
    private readonly options: AdamOptions,
  ) {
    this.m = new Float64Array(parameters.length);
    this.v = new Float64Array(parameters.length);
  }

  step(gradient: ArrayLike<number>): void {
    const { learningRate, beta1, beta2, epsilon } = this.options;
    this.t++;
    for (let i = 0; i < this.parameters.length; i++) {
      this.m[i] = beta1 * this.m[i] + (1 - beta1) * gradient[i];
      this.v[i] = beta2 * this.v[i] + (1 - beta2) * gradient[i] ** 2;
      const m = this.m[i] / (1 - beta1 ** this.t);
      const v = this.v[i] / (1 - beta2 ** this.t);
      this.parameters[i] -= (learningRate * m) / (Math.sqrt(v) + epsilon);
    }
  }
}

type Batch = readonly (readonly number[])[];

/** A vanilla GAN in training. `x` are pixels from 0 to 255, `z_d` and `z_g` latents. */
export class VanillaGan {
  private readonly optimizers: { readonly generator: Adam; readonly discriminator: Adam };

  constructor(
    readonly generator: Perceptron,
    readonly discriminator: Perceptron,
    options: AdamOptions,
  ) {
    this.optimizers = {
      generator: new Adam(generator.parameters, options),
      discriminator: new Adam(discriminator.parameters, options),
    };
  }

  /** One update of the discriminator, then one of the generator. Returns the metrics. */
  step(x: Batch, zD: Batch, zG: Batch) {
    const { generator, discriminator, optimizers } = this;
    discriminator.gradient.fill(0);
    const real = x.map((pixels) => {
      const [logit] = discriminator.forward(pixels.map((pixel) => pixel / 127.5 - 1));
      discriminator.backward([-sigmoid(-logit) / x.length]);
      return logit;
    });
    const fake = zD.map((z) => {
      const [logit] = discriminator.forward(generator.forward(z));
      discriminator.backward([sigmoid(logit) / zD.length]);
      return logit;
    });
    optimizers.discriminator.step(discriminator.gradient);

    generator.gradient.fill(0);
    const fooled = zG.map((z) => {
      const [logit] = discriminator.forward(generator.forward(z));
      generator.backward(discriminator.backward([-sigmoid(-logit) / zG.length]));
      return logit;
    });
    optimizers.generator.step(generator.gradient);
    return {
      d_loss: mean(real.map((a) => softplus(-a))) + mean(fake.map(softplus)),
      real_score: mean(real.map(sigmoid)),
      fake_score: mean(fake.map(sigmoid)),
      g_loss: mean(fooled.map((a) => softplus(-a))),
    };
  }
}
