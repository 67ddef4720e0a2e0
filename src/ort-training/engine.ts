import { setImmediate } from "node:timers/promises";
import type { Design, Phase } from "../recipes/index.js";
import { type Engine, queue } from "../runtime/engine.js";
import { type Tensor, type Tensors, tensorIn, zeros } from "../tensors/tensor.js";
import { parametersState } from "../training/names.js";
import { GENERATED, type OrtArtifacts, traceForOrt } from "./artifacts.js";
import { filesOf } from "./files.js";
import { OrtNetwork } from "./runtime.js";

interface Player {
  readonly phase: Phase;
  readonly artifacts: OrtArtifacts;
  readonly network: OrtNetwork;
}

/**
 * Owns a training in ORT's own training runtime. With the artifacts of a design it does what `train.onnx` does in one
 * graph. For each phase it generates the images that the phase needs, copies the parameters that the phase only reads,
 * accumulates gradients and updates.
 */
export class OrtTraining implements Engine {
  private readonly inTurn = queue();

  private constructor(
    private readonly design: Design,
    private readonly players: readonly Player[],
  ) {}

  /**
   * Load the artifacts of a design, with an initial state.
   *
   * @throws {@link GanOnnxError} when the training API cannot train the design, or the runtime is not installed.
   */
  static async open(design: Design, state: Tensors): Promise<OrtTraining> {
    const players: Player[] = [];
    const training = new OrtTraining(design, players);
    try {
      for (const [i, artifacts] of traceForOrt(design).entries()) {
        const network = await OrtNetwork.open(filesOf(design, artifacts, state), artifacts.network);
        players.push({ phase: design.phases[i], artifacts, network });
      }
      return training;
    } catch (error) {
      await training.close();
      throw error;
    }
  }

  consume(feeds: Tensors): Promise<Tensors> {
    return this.inTurn(() => this.steps(feeds));
  }

  /** The parameters of all networks. The runtime's API does not return Adam's moments. */
  getState(): Promise<Tensors> {
    return this.inTurn(() => this.parameters());
  }

  async close(): Promise<void> {
    for (const { network } of this.players) await network.close();
  }

  private async steps(feeds: Tensors): Promise<Tensors> {
    const [[steps]] = Array.from(feeds.values(), ({ shape }) => shape);
    const collected = new Map<string, number[]>();
    for (let step = 0; step < steps; step++) {
      for (const player of this.players) {
        const { repeats, inputs } = player.phase;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const batch = tensorsBy(Object.keys(inputs), (name) => {
            const ofStep = part(tensorIn(feeds, name), step);
            return repeats > 1 ? part(ofStep, repeat) : ofStep;
          });
          for (const [name, value] of await this.updated(player, batch)) {
            collected.set(name, [...(collected.get(name) ?? []), value]);
          }
        }
      }
      await setImmediate(); // The runtime computes in this thread: let the process handle Ctrl-C.
    }
    return tensorsBy([...collected.keys()], (name) => {
      const data = Float32Array.from(collected.get(name) ?? []);
      const repeats = data.length / steps;
      return { dtype: "float32", shape: repeats > 1 ? [steps, repeats] : [steps], data };
    });
  }

  private async parameters(): Promise<Tensors> {
    const state = new Map<string, Tensor>();
    for (const { artifacts, network } of this.players) {
      const data = await network.parameters({ frozen: false });
      state.set(parametersState(artifacts.network), { dtype: "float32", shape: [data.length], data });
    }
    return state;
  }

  /** Run one update with one batch. Returns the phase's metrics. */
  private async updated(
    { artifacts, network }: Player,
    batch: Tensors,
  ): Promise<ReadonlyMap<string, number>> {
    if (artifacts.frozen.length > 0) {
      const others = artifacts.frozen.map((name) => this.player(name).network.parameters({ frozen: false }));
      await network.freeze(await Promise.all(others));
    }
    const feeds = artifacts.inputs.includes(GENERATED)
      ? new Map([...batch, [GENERATED, await this.generated(artifacts, batch)]])
      : batch;
    const outputs = await network.accumulate(feeds);
    await network.update();
    const metrics = artifacts.outputs.filter((name) => name !== GENERATED);
    return new Map(metrics.map((name) => [name, Number(tensorIn(outputs, name).data[0])]));
  }

  /** The images for a phase: run the sampled network's eval model on the phase's own latents. */
  private async generated({ latents }: OrtArtifacts, batch: Tensors): Promise<Tensor> {
    const { phase, artifacts, network } = this.player(this.design.exported.network);
    const [batchSize] = tensorIn(batch, latents[0]).shape;
    const feeds = tensorsBy(artifacts.inputs, (name) => {
      const i = artifacts.latents.indexOf(name);
      // The images do not depend on the other inputs of the loss.
      return i >= 0
        ? tensorIn(batch, latents[i])
        : zeros("float32", [batchSize, ...phase.inputs[name].shape]);
    });
    return tensorIn(await network.evaluate(feeds), GENERATED);
  }

  private player(network: string): Player {
    const found = this.players.find(({ artifacts }) => artifacts.network === network);
    if (!found) throw new Error(`no artifacts update the ${network}`);
    return found;
  }
}

/** One element of tensors stacked along the first axis. */
function part({ dtype, shape: [count, ...shape], data }: Tensor, index: number): Tensor {
  const size = data.length / count;
  return { dtype, shape, data: data.subarray(index * size, (index + 1) * size) } as Tensor;
}

function tensorsBy(names: readonly string[], tensorOf: (name: string) => Tensor): Tensors {
  return new Map(names.map((name) => [name, tensorOf(name)]));
}
