import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build, constant, gemm, input, relu, tanh } from "../../src/graph/index.js";
import { encodeModel, readModel, summarizeModel } from "../../src/onnx/index.js";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";
import { succeed } from "../helpers/cli.js";
import { about } from "../helpers/run.js";
import { executablePath, launch, pausedText, plainHost, watch } from "./browser.js";

/** Weights for the classifier that are not those of its file. */
const initial = [
  ["classifier.look", [784, 4]],
  ["classifier.answer", [4, 10]],
].map(([name, shape]) => {
  const [rows, columns] = shape as [number, number];
  const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.cos(i) / 8);
  return [name as string, { dtype: "float32", shape: [rows, columns], data }] as const;
});

const weight = (name: string, shape: readonly [number, number]) => {
  const numbers = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i) / 8);
  return constant("float32", shape, numbers, name);
};

/** Do something on the page, opened at a static host, and require that nothing went wrong there. */
async function onPage(use: (page: Page) => Promise<void>): Promise<void> {
  const [host, browser] = await Promise.all([plainHost(), launch()]);
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const seen = watch(page, host.url);
    await page.goto(`${host.url}?count=16`);
    await page.locator("#start:enabled").waitFor();
    await use(page);
    expect(seen).toEqual([]);
  } finally {
    await Promise.all([browser.close(), host.close()]);
  }
}

describe.skipIf(!executablePath)(
  `networks from files in ${executablePath ?? "chromium, which is not here"}`,
  () => {
    let cwd: string;
    beforeAll(async () => {
      cwd = await mkdtemp(join(tmpdir(), "gan-onnx-page-networks-"));
      const [z, x] = [input("noise", "float32", ["N", 3]), input("picture", "float32", ["N", 784])];
      const picture = tanh(gemm(relu(gemm(z, weight("first", [3, 8]))), weight("second", [8, 784])));
      const real = gemm(relu(gemm(x, weight("look", [784, 4]))), weight("judge", [4, 1]));
      await writeFile(join(cwd, "g.onnx"), encodeModel(build(about, { inputs: [z], outputs: { picture } })));
      await writeFile(join(cwd, "d.onnx"), encodeModel(build(about, { inputs: [x], outputs: { real } })));
      const own = ["--network", "generator=g.onnx", "--network", "discriminator=d.onnx", "--latent", "3"];
      await succeed(["build-graphs", ...own, "--freeze", "generator.first", "--out", "graphs"], { cwd });
      const logits = gemm(relu(gemm(x, weight("look", [784, 4]))), weight("answer", [4, 10]));
      await writeFile(join(cwd, "c.onnx"), encodeModel(build(about, { inputs: [x], outputs: { logits } })));
      await writeFile(join(cwd, "initial.safetensors"), encodeSafetensors(new Map(initial)));
      const classifier = ["--recipe", "classifier", "--network", "classifier=c.onnx"];
      const from = ["--init", "initial.safetensors", "--freeze", "classifier.look", "--ema", "0"];
      await succeed(["build-graphs", ...classifier, ...from, "--out", "classifier"], { cwd });
    });
    afterAll(() => rm(cwd, { recursive: true, force: true }));

    test("train.onnx and its manifest train in the page, from the weights of the files, which it gives back learned", () =>
      onPage(async (page) => {
        const [train, manifest] = ["train.onnx", "manifest.json"].map((name) => join(cwd, "graphs", name));
        const choose = (...files: string[]) => page.locator("#file").setInputFiles(files);
        const fails = (text: RegExp) => page.locator("#train-problem").filter({ hasText: text }).waitFor();

        await choose(manifest);
        await fails(
          /manifest\.json: is one half of a training graph; drop train\.onnx and manifest\.json together/,
        );
        await choose(manifest, join(cwd, "g.onnx"));
        await fails(/g\.onnx: is not the file that manifest\.json describes/);
        await choose(manifest, train);
        await page
          .locator("#train-progress")
          .filter({ hasText: /^step [1-9]/ })
          .waitFor();
        await page.getByText("train.onnx, generator from g.onnx, discriminator from d.onnx").waitFor();

        await page.locator("#start").click();
        await page.locator("#train-status").filter({ hasText: pausedText }).waitFor();
        const downloading = page.waitForEvent("download");
        await page.locator("#download").click();
        const [before, after] = await Promise.all(
          [join(cwd, "g.onnx"), await (await downloading).path()].map(
            async (path) => new Uint8Array(await readFile(path)),
          ),
        );
        expect({ ...summarizeModel(after), metadata: {} }).toEqual({
          ...summarizeModel(before),
          metadata: {},
        });
        const [old, learned] = [readModel(before).tensors, readModel(after).tensors];
        expect(learned.get("first")?.data).toEqual(old.get("first")?.data);
        expect(learned.get("second")?.data).not.toEqual(old.get("second")?.data);
      }));

    test("a classifier from a file trains in the page from the weights of --init, and shows its answers", () =>
      onPage(async (page) => {
        const files = ["train.onnx", "manifest.json"].map((name) => join(cwd, "classifier", name));
        await page.locator("#file").setInputFiles(files);
        await page.locator("#curves", { hasText: "right answers" }).waitFor();
        await page
          .getByText("train.onnx, classifier from c.onnx, weights from initial.safetensors")
          .waitFor();
        await page.getByRole("img", { name: /^What the classifier says at step \d/ }).waitFor();
        expect(await page.locator("#real").isVisible()).toBe(false);
        await page.locator("#start").click();
        await page.locator("#train-status", { hasText: pausedText }).waitFor();
        const downloading = page.waitForEvent("download");
        await page.getByRole("button", { name: "Download classifier.onnx" }).click();
        const learned = readModel(new Uint8Array(await readFile(await (await downloading).path()))).tensors;
        const [look, answer] = initial.map(([, { data }]) => data);
        expect(learned.get("look")?.data).toEqual(look);
        expect(learned.get("answer")?.data).not.toEqual(answer);
      }));
  },
);
