import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../helpers/cli.js";
import { freePort } from "../helpers/ports.js";

const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-serve-"));
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe("serve", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "prints its address, serves, and ends well by %s",
    async (signal) => {
      const port = await freePort();
      const serving = startCli(["serve", "--port", String(port)], { cwd });
      await serving.says("press Ctrl-C to stop");
      const page = await fetch(`http://127.0.0.1:${port}/`);
      expect(await page.text()).toContain("gan-onnx");
      serving.kill(signal);
      expect(await serving.finished).toMatchObject({ code: 0, stdout: `http://127.0.0.1:${port}/\n` });
    },
  );

  test("shows a run, by the address of its page", async () => {
    const port = await freePort();
    await mkdir(join(cwd, "runs", "mine"), { recursive: true });
    await writeFile(join(cwd, "runs", "mine", "config.json"), "{}");
    const serving = startCli(["serve", "--port", String(port), "--run", "runs/mine"], { cwd });
    await serving.says("press Ctrl-C to stop");
    const news = await (await fetch(`http://127.0.0.1:${port}/run.json`)).json();
    expect(news).toEqual({ name: "mine", there: true, sheets: [], claimed: false });
    serving.kill("SIGINT");
    expect(await serving.finished).toMatchObject({ code: 0, stdout: `http://127.0.0.1:${port}/run.html\n` });
  });

  test("waits for a run whose folder is not there yet", async () => {
    const port = await freePort();
    const serving = startCli(["serve", "--port", String(port), "--run", "later"], { cwd });
    await serving.says("press Ctrl-C to stop");
    const news = async () => (await fetch(`http://127.0.0.1:${port}/run.json`)).json();
    expect(await news()).toMatchObject({ there: false });
    await mkdir(join(cwd, "later"));
    expect(await news()).toMatchObject({ there: true });
    serving.kill("SIGINT");
    expect(await serving.finished).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^later is not there yet/),
    });
  });

  test("refuses a folder that is no run's", async () => {
    const serve = (...args: string[]) => runCli(["serve", "--port", "0", ...args], { cwd });
    await writeFile(join(cwd, "a file"), "");
    expect(await serve("--run", "a file")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^error: a file: is not a folder; name the folder of a run/),
    });
    expect(await serve("--run", "runs")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: runs: is not the folder of a run: it has no config.json; /),
    });
    expect(await serve("--run")).toMatchObject({ code: 2, stdout: "" });
  });

  test("refuses a file that is not a generator, a file that is not there, and a port that is none", async () => {
    await writeFile(join(cwd, "text.onnx"), "hello, this is no model");
    const serve = (...args: string[]) => runCli(["serve", "--port", "0", ...args], { cwd });
    expect(await serve("--model", "text.onnx")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^error: text.onnx: is not an ONNX model .*; name a model that `gan-onnx export` wrote\n$/,
      ),
    });
    expect((await serve("--model", "nowhere.onnx")).stderr).toMatch(/^error: nowhere.onnx: cannot be read /);
    expect(await runCli(["serve", "--port", "65536"], { cwd })).toMatchObject({ code: 2, stdout: "" });
  });
});
