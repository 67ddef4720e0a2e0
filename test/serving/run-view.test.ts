import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { appendMetrics, truncateMetrics } from "../../src/runs/run-folder.js";
import { type News, newsOf, pictureOf, requireRun } from "../../src/serving/run-view.js";

const room = await realpath(await mkdtemp(join(tmpdir(), "gan-onnx-view-")));
const run = join(room, "my run");
const metrics = join(run, "metrics.jsonl");
afterAll(() => rm(room, { recursive: true, force: true }));

const shown = {
  recipe: "vanilla",
  data: "digits",
  ep: "cpu",
  epochs: 3,
  batchSize: 128,
  seed: 7,
  learningRate: 0.0002,
  loss: "bce",
};
const config = { ...shown, data: "/home/somebody/digits/", init: "/home/somebody/secret" };
const line = (epoch: number, step: number) => ({ epoch, step, metrics: { d_loss: 1, g_loss: 2 } });
const start = { file: "", from: 0 };
/** What is new after some news. */
const newsSince = ({ metrics }: News) => newsOf(run, { file: metrics!.file, from: metrics!.next });
const linesIn = ({ metrics }: News) => metrics?.text.split("\n").filter((text) => text !== "").length;

beforeEach(async () => {
  await rm(run, { recursive: true, force: true });
  await mkdir(join(run, "img"), { recursive: true });
  await writeFile(join(run, "config.json"), JSON.stringify(config));
});

describe("the news of a run", () => {
  test("are its name, the settings that are shown, and nothing else that the configuration holds", async () => {
    const { settings, ...others } = await newsOf(run, start);
    expect(others).toEqual({ name: "my run", there: true, sheets: [], claimed: false });
    expect(settings).toEqual(shown);
    for (const broken of ["", '{"recipe": "van', "[]", "null", '{"recipe": 5}']) {
      await writeFile(join(run, "config.json"), broken);
      expect(await newsOf(run, start), broken).toEqual(others);
    }
  });

  test("are whether a process trains there", async () => {
    // A process that is not there any more has been killed.
    await writeFile(join(run, "run-4194303.lock"), "");
    expect((await newsOf(run, start)).claimed).toBe(false);
    await writeFile(join(run, "run-1.lock"), "");
    expect((await newsOf(run, start)).claimed).toBe(true);
    await rm(join(run, "run-1.lock"));
    expect((await newsOf(run, start)).claimed).toBe(false);
  });

  test("are scores that are new, no line that is none, and where it diverged once nobody trains there", async () => {
    const good = { epoch: 2, scores: { distance: 3.5 }, classes: [0.25, 0.75] };
    const bad = [
      { epoch: 2, scores: { distance: "<b>" } },
      { epoch: 2, scores: {}, classes: [7] },
      "x",
      null,
    ];
    const lines = [...bad, { ...good, warnings: ["not shown"] }];
    await writeFile(join(run, "scores.jsonl"), lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const { scores } = await newsOf(run, start);
    expect(scores?.lines).toEqual([good]);
    expect((await newsOf(run, { ...start, scored: scores?.changed })).scores).toBeUndefined();

    const position = { epoch: 1, step: 0 };
    const session = {
      from: position,
      to: position,
      started: "",
      ended: "",
      seconds: 1,
      steps: 1,
      versions: { "gan-onnx": "1", onnxruntime: "1", node: "1" },
      machine: { platform: "", processor: "", cores: 1, memory: 1 },
      epochs: [],
    };
    const data = { name: "d", count: 1, channels: 1, height: 1, width: 1, bytes: 1, sha256: "" };
    const diverged = { epoch: 2, step: 31, phase: "generator", what: "g_loss is NaN" };
    const provenance = { command: "", data, sessions: [session, { ...session, diverged }] };
    await writeFile(join(run, "provenance.json"), JSON.stringify(provenance));
    expect((await newsOf(run, start)).diverged).toEqual({ epoch: 2, step: 31 });
    // The next session goes on.
    const resumed = { ...provenance, sessions: [...provenance.sessions, session] };
    await writeFile(join(run, "provenance.json"), JSON.stringify(resumed));
    expect((await newsOf(run, start)).diverged).toBeUndefined();
  });

  test("are the sheets that there are, by epoch, and when they were made", async () => {
    const names = ["fake_images-10.png", "fake_images-2.png", "real_images.png"];
    const others = ["fake_images-3.png.txt", "fake_images-.png", "fake_images-01.png", ".x.tmp", "notes.txt"];
    for (const name of [...names, ...others]) {
      await writeFile(join(run, "img", name), name);
      await utimes(join(run, "img", name), 1000, 1000);
    }
    await mkdir(join(run, "img", "fake_images-4.png"));
    const { sheets, real } = await newsOf(run, start);
    expect(sheets).toEqual([
      [2, 1_000_000],
      [10, 1_000_000],
    ]);
    expect(real).toBe(1_000_000);
  });

  test("are the whole lines since the last time", async () => {
    await appendMetrics(metrics, [line(1, 1), line(1, 2)]);
    const first = await newsOf(run, start);
    expect(first.metrics).toMatchObject({ from: 0, more: false });
    expect(linesIn(first)).toBe(2);
    const none = await newsSince(first);
    expect(none.metrics).toMatchObject({ text: "", from: first.metrics!.next, next: first.metrics!.next });
    await appendMetrics(metrics, [line(1, 3)]);
    await writeFile(metrics, '{"epoch":1,"itera', { flag: "a" });
    const second = await newsSince(none);
    expect(second.metrics?.text).toBe('{"epoch":1,"iteration":3,"d_loss":1,"g_loss":2}\n');
    await writeFile(metrics, 'tion":4}\n', { flag: "a" });
    expect((await newsSince(second)).metrics?.text).toBe('{"epoch":1,"iteration":4}\n');
  });

  test("begin anew when a resume has cut the file, however long it is by now", async () => {
    await appendMetrics(metrics, [line(1, 1), line(1, 2), line(2, 1), line(2, 2)]);
    const before = await newsOf(run, start);
    await truncateMetrics(metrics, { epoch: 1, step: 0 });
    const cut = await newsSince(before);
    expect(cut.metrics?.from).toBe(0);
    expect(linesIn(cut)).toBe(2);
    await truncateMetrics(metrics, { epoch: 1, step: 0 });
    await appendMetrics(metrics, [line(2, 1), line(2, 2), line(2, 3)]);
    expect(linesIn(await newsSince(cut))).toBe(5);
    // Another file with the same inode.
    const [other] = (await newsOf(run, start)).metrics!.text.split("\n");
    const last = await newsSince(await newsOf(run, start));
    await writeFile(metrics, `${other}\n`.repeat(9));
    expect(linesIn(await newsSince(last))).toBe(9);
    // The same file, emptied.
    const now = await newsOf(run, start);
    await writeFile(metrics, "");
    expect((await newsSince(now)).metrics).toMatchObject({ from: 0, next: 0, text: "" });
  });

  test("come by parts when there are many lines", async () => {
    const all = Array.from({ length: 30_000 }, (_, i) => line(1, i + 1));
    await appendMetrics(metrics, all);
    let news = await newsOf(run, start);
    let count = linesIn(news)!;
    let parts = 1;
    while (news.metrics!.more) {
      news = await newsSince(news);
      count += linesIn(news)!;
      parts++;
    }
    expect(count).toBe(all.length);
    expect(parts).toBe(2);
    // A line without an end is passed over, part by part.
    await writeFile(metrics, "x".repeat(2 ** 21));
    expect((await newsOf(run, start)).metrics).toMatchObject({ more: true, next: 2 ** 20 });
  });

  test("are how long nothing came", async () => {
    await appendMetrics(metrics, [line(1, 1)]);
    const ago = Date.now() / 1000 - 300;
    await utimes(metrics, ago, ago);
    expect((await newsOf(run, start)).metrics?.idle).toBeCloseTo(300, -1);
  });

  test("are that the folder is gone, and that it is back", async () => {
    await rename(run, `${run} away`);
    expect(await newsOf(run, start)).toEqual({ name: "my run", there: false, sheets: [], claimed: false });
    expect(await pictureOf(run, "img/real_images.png")).toBeUndefined();
    await rename(`${run} away`, run);
    expect((await newsOf(run, start)).there).toBe(true);
  });
});

describe("a run's files", () => {
  test("are its pictures, and no others of its folder", async () => {
    const names = ["real_images.png", "fake_images-3.png", "other.png", "fake_images-03.png"];
    for (const name of names) await writeFile(join(run, "img", name), name);
    await writeFile(join(run, "checkpoint.safetensors"), "secret");
    const get = async (path: string) => (await pictureOf(run, path))?.toString();
    expect(await get("img/real_images.png")).toBe("real_images.png");
    expect(await get("img/fake_images-3.png")).toBe("fake_images-3.png");
    for (const path of [
      "img/fake_images-4.png",
      "img/other.png",
      "img/fake_images-03.png",
      "img/fake_images-3.png/",
      "img/../config.json",
      "img/fake_images-3.png/../../config.json",
      "img/../img/real_images.png",
      "img//real_images.png",
      "config.json",
      "metrics.jsonl",
      "checkpoint.safetensors",
      "",
    ]) {
      expect(await get(path), path).toBeUndefined();
    }
  });

  test.skipIf(process.platform === "win32")(
    "do not lead elsewhere by links, nor wait for a pipe",
    async () => {
      const secret = join(room, "secret.png");
      await writeFile(secret, '{"recipe": "secret"}\n');
      await symlink(secret, join(run, "img", "fake_images-1.png"));
      await rm(join(run, "config.json"));
      await symlink(secret, join(run, "config.json"));
      await symlink(secret, metrics);
      expect(await newsOf(run, start)).toEqual({ name: "my run", there: true, sheets: [], claimed: false });
      expect(await pictureOf(run, "img/fake_images-1.png")).toBeUndefined();

      await mkdir(join(room, "elsewhere"), { recursive: true });
      await writeFile(join(room, "elsewhere", "fake_images-1.png"), "secret");
      await rm(join(run, "img"), { recursive: true });
      await symlink(join(room, "elsewhere"), join(run, "img"));
      expect(await readdir(join(run, "img"))).toEqual(["fake_images-1.png"]);
      expect(await pictureOf(run, "img/fake_images-1.png")).toBeUndefined();

      // The folder itself may be named by a link.
      const link = join(room, "latest");
      await symlink(run, link);
      await rm(join(run, "config.json"));
      await writeFile(join(run, "config.json"), JSON.stringify(config));
      expect(await newsOf(link, start)).toMatchObject({ name: "latest", settings: { recipe: "vanilla" } });

      const { execFileSync } = await import("node:child_process");
      await rm(metrics);
      execFileSync("mkfifo", [metrics]);
      expect((await newsOf(run, start)).metrics).toBeUndefined();
    },
  );

  test("are looked for in a folder that is a run's, or empty yet", async () => {
    await requireRun(run);
    await mkdir(join(room, "empty"));
    await requireRun(join(room, "empty"));
    await expect(requireRun(room)).rejects.toThrow(
      `${room}: is not the folder of a run: it has no config.json; name`,
    );
    expect(await requireRun(join(room, "nowhere"))).toBe(false);
    await expect(requireRun(join(run, "config.json"))).rejects.toThrow("config.json: is not a folder; name");
  });
});
