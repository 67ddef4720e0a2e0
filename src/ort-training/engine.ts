import { setImmediate } from "node:timers/promises";
import { sizeOf } from "../graph/index.js";
import type { Design, Phase } from "../recipes/index.js";
import { type Engine, queue } from "../runtime/engine.js";
import type { Tensor, Tensors } from "../tensors/safetensors.js";
import { parametersState } from "../training/state.js";
import { GENERATED, type OrtArtifacts, traceForOrt } from "./artifacts.js";
import { filesOf } from "./files.js";
import { OrtNetwork } from "./runtime.js";

interface Player {
  readonly phase: Phase;
  readonly artifacts: OrtArtifacts;
  readonly network: OrtNetwork;
}

/**
 * Owns a training in ORT's own training runtime: it does with the artifacts of a design what `train.onnx` does in one
 * graph. For each phase it has the images generated that the phase takes, hands over the parameters that it only
 * reads, adds up its gradients and updates.
 */
export class OrtTraining implements Engine {
  private readonly inTurn = queue();

  private constructor(
    private readonly design: Design,
    private readonly players: readonly Player[],
  ) {}

  /**
   * Load the artifacts of a design, starting from a state.
   *
   * @throws GanOnnxError when the training API cannot train the design, or the runtime is not installed.
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

  /** The parameters of all networks. The runtime's API gives Adam's moments to nobody. */
  getState(): Promise<Tensors> {
    return this.inTurn(() => this.parameters());
  }

  async close(): Promise<void> {
    for (const { network } of this.players) await network.close();
  }

  private async steps(feeds: Tensors): Promise<Tensors> {
    const steps = Object.values(feeds)[0].shape[0];
    const collected: Record<string, number[]> = {};
    for (let step = 0; step < steps; step++) {
      for (const player of this.players) {
        const { repeats, inputs } = player.phase;
        for (let repeat = 0; repeat < repeats; repeat++) {
          const batch = mapped(Object.keys(inputs), (name) => {
            const ofStep = part(feeds[name], step);
            return repeats > 1 ? part(ofStep, repeat) : ofStep;
          });
          for (const [name, value] of Object.entries(await this.updated(player, batch))) {
            collected[name] ??= [];
            collected[name].push(value);
          }
        }
      }
      await setImmediate(); // The runtime computes in this thread: let Ctrl-C be heard.
    }
    return mapped(Object.keys(collected), (name) => {
      const data = Float32Array.from(collected[name]);
      const repeats = data.length / steps;
      return { dtype: "float32", shape: repeats > 1 ? [steps, repeats] : [steps], data };
    });
  }

  private async parameters(): Promise<Tensors> {
    const state: Record<string, Tensor> = {};
    for (const { artifacts, network } of this.players) {
      const data = await network.parameters({ frozen: false });
      state[parametersState(artifacts.network)] = { dtype: "float32", shape: [data.length], data };
    }
    return state;
  }

  /** One update from one batch; returns the phase's metrics. */
  private async updated({ artifacts, network }: Player, batch: Tensors): Promise<Record<string, number>> {
    if (artifacts.frozen.length > 0) {
      const others = artifacts.frozen.map((name) => this.player(name).network.parameters({ frozen: false }));
      await network.freeze(await Promise.all(others));
    }
    const feeds = artifacts.inputs.includes(GENERATED)
      ? { ...batch, [GENERATED]: await this.generated(artifacts, batch) }
      : batch;
    const outputs = await network.accumulate(feeds);
    await network.update();
    const metrics = artifacts.outputs.filter((name) => name !== GENERATED);
    return mapped(metrics, (name) => Number(outputs[name].data[0]));
  }

  /** The images that a phase takes, drawn by the sampled network's eval model from the phase's own latents. */
  private async generated({ latents }: OrtArtifacts, batch: Tensors): Promise<Tensor> {
    const { phase, artifacts, network } = this.player(this.design.sampler.network);
    const [batchSize] = batch[latents[0]].shape;
    const feeds = mapped(artifacts.inputs, (name): Tensor => {
      const i = artifacts.latents.indexOf(name);
      if (i >= 0) return batch[latents[i]];
      // What the loss reads beside the images does not show in them.
      const shape = [batchSize, ...phase.inputs[name].shape];
      return { dtype: "float32", shape, data: new Float32Array(sizeOf(shape)) };
    });
    return (await network.evaluate(feeds))[GENERATED];
  }

  private player(network: string): Player {
    const found = this.players.find(({ artifacts }) => artifacts.network === network);
    if (!found) throw new Error(`no artifacts update the ${network}`);
    return found;
  }
}

/** One of the tensors that are stacked along the first axis. */
function part({ dtype, shape: [count, ...shape], data }: Tensor, index: number): Tensor {
  const size = data.length / count;
  return { dtype, shape, data: data.subarray(index * size, (index + 1) * size) } as Tensor;
}

function mapped<T>(names: readonly string[], map: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, map(name)]));
}
