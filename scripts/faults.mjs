// `npm run faults -- [--tries 100] [--seed 1]`: test runs whose process, disk or folder fails. Prints a table.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    tries: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    /** A word in the names of the faults to test. The default is all faults. */
    only: { type: "string", default: "" },
  },
});
const tries = Number(values.tries);
const cli = fileURLToPath(new URL("../dist/bin.cjs", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "gan-onnx-faults-"));

/** Numbers in [0, 1) from a seed, so that a table can be reproduced (mulberry32). */
let seed = Number(values.seed);
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** 451 images of 8x8 as IDX. */
function writeData(folder) {
  mkdirSync(folder);
  const [count, size] = [451, 8];
  const images = Buffer.alloc(16 + count * size * size);
  images.set([0, 0, 8, 3]);
  for (const [i, dim] of [count, size, size].entries()) images.writeUInt32BE(dim, 4 + 4 * i);
  for (let at = 16; at < images.length; at++) images[at] = (at * 97) % 251;
  writeFileSync(join(folder, "train-images-idx3-ubyte"), images);
}

const training = (out, epochs = 6) => [
  ...[
    "train",
    "--recipe",
    "vanilla",
    "--data",
    "data",
    "--out",
    out,
    "--epochs",
    String(epochs),
    "--batch-size",
    "2",
    "--latent",
    "4",
  ],
  ...["--width", "8", "--seed", "7", "--steps-per-call", "16"],
];
const resuming = (out) => ["train", "--resume", "--out", out];

function start(args) {
  const child = spawn(process.execPath, [cli, ...args], { cwd: place, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code: code ?? signal, stderr })),
  );
  return { child, ended, stderr: () => stderr };
}

const run = (args) => start(args).ended;

/** Wait for a condition, at most until the process ends. */
async function until(holds, { ended }) {
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over && !holds()) await sleep(5);
}

/** Every file of a run with its hash, except those that depend on the time. */
function contentOf(out) {
  const files = readdirSync(join(place, out), { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        statSync(join(place, out, path)).isFile() &&
        !path.startsWith("checkpoint-before-") &&
        !["report.html", "provenance.json"].includes(path),
    )
    .sort();
  const hash = (path) =>
    createHash("sha256")
      .update(readFileSync(join(place, out, path)))
      .digest("hex");
  return JSON.stringify(files.map((path) => [path, hash(path)]));
}

/** Resume to the end and compare the results. Returns what is wrong; undefined if they are as without a fault. */
async function faultAfter(out, expected) {
  const args = existsSync(join(place, out, "checkpoint.safetensors")) ? resuming(out) : training(out);
  if (args[1] !== "--resume") rmSync(join(place, out), { recursive: true, force: true });
  const { code, stderr } = await run(args);
  if (code !== 0) return `exit ${code}: ${lastLine(stderr)}`;
  return contentOf(out) === expected ? undefined : "other content than without the fault";
}

const lastLine = (text) => text.trimEnd().split("\n").at(-1);
const isClear = (stderr) => /^error: [^\n]+\n$/m.test(stderr) && !/\n {4}at /.test(stderr);

/** Mount a small file system; undefined if that is not permitted. */
function smallDisk(name, size) {
  try {
    mkdirSync(join(place, name));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", join(place, name)], {
      stdio: "pipe",
    });
    return {
      remount: (how) => execFileSync("mount", ["-o", `remount,${how}`, join(place, name)], { stdio: "pipe" }),
    };
  } catch {
    return undefined;
  }
}
const unmount = (name) => execFileSync("umount", ["-l", join(place, name)], { stdio: "pipe" });

const scenarios = {
  async "SIGKILL at a random moment, until the run is complete"(expected, note) {
    const began = performance.now();
    await run(training("timed"));
    const length = performance.now() - began;
    let [killed, lost] = [0, 0];
    for (let number = 0; killed < tries; number++) {
      const out = `killed-${number}`;
      for (let args = training(out); killed < tries; ) {
        const { child, ended } = start(args);
        const timer = setTimeout(() => child.kill("SIGKILL"), random() * length * 1.1);
        const { code } = await ended;
        clearTimeout(timer);
        if (code === 0) break;
        killed++;
        if (code !== "SIGKILL") note(`${out}: exit ${code}`);
        const resumable = existsSync(join(place, out, "checkpoint.safetensors"));
        if (!resumable) rmSync(join(place, out), { recursive: true, force: true });
        args = resumable ? resuming(out) : training(out);
      }
      const fault = await faultAfter(out, expected);
      if (fault) lost += 1;
      if (fault) note(`${out}: ${fault}`);
    }
    return [killed, killed - lost];
  },
  async "a full disk"(expected, note) {
    let [made, good] = [0, 0];
    for (let number = 0; number < Math.ceil(tries / 10); number++) {
      const disk = `disk-${number}`;
      if (!smallDisk(disk, `${60 + Math.floor(random() * 140)}k`))
        return "not tried: needs the right to mount";
      const out = join(disk, "run");
      const { code, stderr } = await run(training(out));
      made += code === 0 ? 0 : 1;
      const clear = code === 0 || (code === 1 && isClear(stderr));
      if (!clear) note(`${disk}: exit ${code}: ${lastLine(stderr)}`);
      execFileSync("mount", ["-o", "remount,size=8m", join(place, disk)], { stdio: "pipe" });
      const fault = code === 0 ? undefined : await faultAfter(out, expected);
      if (fault) note(`${disk}: ${fault}`);
      if (code !== 0 && clear && !fault) good++;
      unmount(disk);
    }
    return [made, good];
  },
  async "a file system that turns read-only"(expected, note) {
    const disk = smallDisk("readonly", "8m");
    if (!disk) return "not tried: needs the right to mount";
    const out = join("readonly", "run");
    const running = start(training(out));
    await until(() => existsSync(join(place, out, "checkpoint.safetensors")), running);
    try {
      disk.remount("ro");
    } catch {
      running.child.kill("SIGKILL");
      await running.ended;
      unmount("readonly");
      return "not tried: a file was being written";
    }
    const { code, stderr } = await running.ended;
    disk.remount("rw");
    const fault = await faultAfter(out, expected);
    if (fault || !isClear(stderr)) note(`exit ${code}: ${lastLine(stderr)} ${fault ?? ""}`);
    unmount("readonly");
    return [1, fault || code !== 1 ? 0 : 1];
  },
  async "a folder that disappears"(_, note) {
    const running = start(training("gone", 60));
    await until(() => existsSync(join(place, "gone", "checkpoint.safetensors")), running);
    rmSync(join(place, "gone"), { recursive: true, force: true, maxRetries: 20 });
    const { code, stderr } = await running.ended;
    const good = code === 1 && isClear(stderr);
    if (!good) note(`exit ${code}: ${lastLine(stderr)}`);
    return [1, good ? 1 : 0];
  },
  async "two processes in one folder"(expected, note) {
    let good = 0;
    const rounds = Math.ceil(tries / 10);
    for (let number = 0; number < rounds; number++) {
      const out = `two-${number}`;
      const both = await Promise.all([run(training(out)), run(training(out))]);
      const codes = both.map(({ code }) => code).sort();
      const fault = codes.includes(0) ? undefined : await faultAfter(out, expected);
      const content = fault ?? (contentOf(out) === expected ? undefined : "other content");
      if (content || (codes[0] === 0 && codes[1] === 0)) note(`${out}: exits ${codes}: ${content ?? ""}`);
      else good++;
    }
    return [rounds, good];
  },
  async "SIGSTOP for 15 s, and SIGCONT"(expected, note) {
    const running = start(training("stopped"));
    await until(() => existsSync(join(place, "stopped", "checkpoint.safetensors")), running);
    running.child.kill("SIGSTOP");
    await sleep(15_000);
    running.child.kill("SIGCONT");
    const { code } = await running.ended;
    const good = code === 0 && contentOf("stopped") === expected;
    if (!good) note(`exit ${code}`);
    return [1, good ? 1 : 0];
  },
  async "claims of processes that are gone, here and elsewhere"(expected, note) {
    await run(training("stale", 2));
    const claim = (space) => JSON.stringify({ pid: process.pid, host: "h", space, began: "1", beats: 1 });
    writeFileSync(join(place, "stale", `run-${process.pid}-00000001.lock`), claim("another machine"));
    writeFileSync(join(place, "stale", "run-999999.lock"), "");
    const { code, stderr } = await run([...resuming("stale"), "--epochs", "6"]);
    const good = code === 0 && contentOf("stale") === expected;
    if (!good) note(`exit ${code}: ${lastLine(stderr)}`);
    return [2, good ? 2 : 0];
  },
};

writeData(join(place, "data"));
let failed = false;
try {
  await run(training("whole"));
  const expected = contentOf("whole");
  console.log(
    "| fault | tries | as if nothing had happened, or one clear line | lost |\n|---|---:|---:|---:|",
  );
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (!name.includes(values.only)) continue;
    const result = await scenario(expected, (line) => console.error(`  ${name}: ${line}`));
    if (typeof result === "string") {
      console.log(`| ${name} | ${result} | | |`);
      continue;
    }
    const [made, good] = result;
    failed ||= good < made;
    console.log(`| ${name} | ${made} | ${good} | ${made - good} |`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
