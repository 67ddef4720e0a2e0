import { describe, expect, test } from "vitest";
import {
  decodeOrtCheckpoint,
  encodeOrtCheckpoint,
  type OrtCheckpoint,
} from "../../src/ort-training/checkpoint.js";
import { ortCheckpointOf, stateOfOrt } from "../../src/ort-training/state.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { artifactsOf, farthest } from "../helpers/ort-training.js";
import { designed, grey, randomFeeds, trained } from "../helpers/recipes.js";

const image = grey(4);
const design = designed("wgan-gp", { latent: 3, width: 5, depth: 1, beta1: 0.5 }, image);
const networks = ["generator", "discriminator"];

const { state } = await trained(design, randomFeeds(design, image, 7, 4), initialState(design, 1));
const encoded = (network: string, of = state) =>
  encodeOrtCheckpoint(ortCheckpointOf(design, artifactsOf(design, network).artifacts, of));
const decoded = (of = state) =>
  new Map(
    networks.map((network): [string, { checkpoint: OrtCheckpoint; where: string }] => {
      return [network, { checkpoint: decodeOrtCheckpoint(encoded(network, of), "c"), where: "c" }];
    }),
  );

describe("a checkpoint comes back as it went", () => {
  test("to the bit, with the steps that each network made", () => {
    const { checkpoint } = decoded().get("generator")!;
    expect(checkpoint).toEqual(ortCheckpointOf(design, artifactsOf(design, "generator").artifacts, state));
    expect(checkpoint.adam?.step).toBe(7);
    expect(decoded().get("discriminator")?.checkpoint.adam?.step).toBe(35);
    expect([...checkpoint.frozen.keys()][0]).toBe("discriminator.dis.0.weight");
  });

  test("as a state: parameters and corrections to the bit, moments but for the rounding of their scale", () => {
    const back = stateOfOrt(design, decoded());
    expect([...back.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, { data }] of back) {
      const before = floatsIn(state, name);
      if (!name.endsWith("_moment")) expect(data, name).toEqual(before);
      const largest = before.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect(farthest(data, before), name).toBeLessThanOrEqual(2 ** -22 * largest);
    }
  });

  test("before the first step, without moments", () => {
    const start = initialState(design, 1);
    expect(decoded(start).get("generator")?.checkpoint.adam).toBeUndefined();
    expect(stateOfOrt(design, decoded(start))).toEqual(start);
  });
});

describe("what is no checkpoint is refused", () => {
  const whole = encoded("generator");
  const refusal = /^c: is not a checkpoint of ORT's training API, version 2 \(.+\); write it again/;

  test("at whatever length it is cut off", () => {
    for (let length = 0; length < whole.length; length += length < 200 ? 1 : 97) {
      expect(() => decodeOrtCheckpoint(whole.subarray(0, length), "c"), String(length)).toThrow(refusal);
    }
  });

  test("with a byte changed, it is read or refused, and nothing else happens", () => {
    for (let at = 0; at < whole.length; at += at < 400 ? 1 : 53) {
      try {
        decodeOrtCheckpoint(whole.with(at, whole[at] ^ 0xff), "c");
      } catch (error) {
        expect((error as Error).message, String(at)).toMatch(/^c: is (not a checkpoint|damaged)/);
      }
    }
  });

  test("another file, another version", () => {
    expect(() => decodeOrtCheckpoint(new TextEncoder().encode("a text of some length"), "c")).toThrow(/ODTC/);
    const version = new DataView(whole.buffer);
    const at = Array.from(whole.keys()).find((i) => i % 4 === 0 && i > 8 && version.getInt32(i, true) === 2);
    expect(() => decodeOrtCheckpoint(whole.with(at!, 1), "c")).toThrow(/version 1\)/);
  });

  test("another network's, another size's: every tensor is named", () => {
    const { checkpoint } = decoded().get("discriminator")!;
    const swapped = decoded().set("generator", { checkpoint, where: "ck/generator/checkpoint" });
    expect(() => stateOfOrt(design, swapped)).toThrow(
      /^ck\/generator\/checkpoint: does not fit the recipe's generator: generator\.gen\.0\.weight is missing, /,
    );
    const wider = designed("wgan-gp", { latent: 3, width: 6, depth: 1 }, image);
    expect(() => stateOfOrt(wider, decoded())).toThrow(
      /generator\.gen\.0\.weight is float32 \[5, 3\] instead of float32 \[6, 3\]/,
    );
  });
});
