/**
 * `npm run faults -- [--tries 100] [--seed 1] [--only WORD]`: what becomes of a run whose process, disk, folder or clock
 * fails. Prints a table.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { randomStream } from "../src/tensors/random.js";
import { type Finished, type Place, type Running, runCli, startCli } from "../test/helpers/cli.js";
import { trainingPlace } from "../test/helpers/runs.js";

const { values } = parseArgs({
  options: {
    tries: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    /** A word of the faults to try; all of them unless given. */
    only: { type: "string", default: "" },
  },
});
const tries = Number(values.tries);
/** For faults of which each try takes longer. */
const few = Math.ceil(tries / 10);
const random = randomStream(Number(values.seed), "faults");

const EPOCHS = 6;
const place = await trainingPlace();
const { cwd } = place;
const slow = ["--steps-per-call", "16"];
const training = (out: string, epochs = EPOCHS) => place.train(out, epochs, slow);
const run = (args: readonly string[], env?: Place["env"]) => runCli(args, { cwd, env });
const start = (args: readonly string[]) => startCli(args, { cwd });

/** Wait for something, but not for longer than the process takes. */
async function until(holds: () => boolean, { finished }: Running): Promise<void> {
  let over = false;
  finished.finally(() => {
    over = true;
  });
  while (!over && !holds()) await sleep(5);
}

const lastLine = ({ stderr }: Finished) => stderr.trimEnd().split("\n").at(-1) ?? "";
/** One line that says what is wrong, and no stack. */
const isClear = ({ stderr }: Finished) => /^error: [^\n]+\n$/m.test(stderr) && !/\n {4}at /.test(stderr);

/** What is wrong with a run's files; undefined when they are as if nothing had happened. */
async function difference(out: string, expected: object): Promise<string | undefined> {
  const same = isDeepStrictEqual(await place.contentOf(out), expected);
  return same ? undefined : "other content than without the fault";
}

/** Resume a run to its end, and say what is wrong then. */
async function faultAfter(out: string, expected: object): Promise<string | undefined> {
  const result = await run(await place.again(out, EPOCHS, slow));
  if (result.code !== 0) return `exit ${result.code}: ${lastLine(result)}`;
  return difference(out, expected);
}

/** Mount a small file system; undefined where that is not allowed. */
function smallDisk(name: string, size: string): { remount(how: string): void; unmount(): void } | undefined {
  const at = join(cwd, name);
  const mount = (...args: string[]) => execFileSync("mount", args, { stdio: "pipe" });
  mkdirSync(at);
  try {
    mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at);
  } catch {
    return undefined;
  }
  return {
    remount: (how) => mount("-o", `remount,${how}`, at),
    unmount: () => execFileSync("umount", ["-l", at], { stdio: "pipe" }),
  };
}

/** A module that shows every process a clock that is set back by a year, after so many milliseconds. */
function clockSetBack(after: number): Readonly<Record<string, string>> {
  const code = `const Real = Date, began = Real.now();
    const now = () => Real.now() - (Real.now() - began >= ${after} ? 365 * 86400000 : 0);
    globalThis.Date = class Date extends Real {
      constructor(...given) { if (given.length) super(...given); else super(now()); }
      static now() { return now(); }
    };`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
}

/** How many tries were made and how many went well, or why none was made. */
type Outcome = readonly [made: number, good: number] | string;
type Scenario = (expected: object, note: (line: string) => void) => Promise<Outcome>;

const scenarios: Readonly<Record<string, Scenario>> = {
  async "SIGKILL at a random moment, until the run is complete"(expected, note) {
    const began = performance.now();
    await run(training("timed"));
    const length = performance.now() - began;
    let [killed, lost] = [0, 0];
    for (let number = 0; killed < tries; number++) {
      const out = `killed-${number}`;
      for (let args = training(out); killed < tries; args = await place.again(out, EPOCHS, slow)) {
        const result = await place.killed(args, () => sleep(random.uniform() * length * 1.1));
        if (result.code === 0) break;
        killed++;
        if (result.code !== "SIGKILL") note(`${out}: exit ${result.code}: ${lastLine(result)}`);
      }
      const fault = await faultAfter(out, expected);
      if (fault) lost += 1;
      if (fault) note(`${out}: ${fault}`);
      rmSync(join(cwd, out), { recursive: true, force: true });
    }
    return [killed, killed - lost];
  },
  async "a full disk"(expected, note) {
    let [made, good] = [0, 0];
    for (let number = 0; number < few; number++) {
      const disk = smallDisk(`disk-${number}`, `${60 + random.below(140)}k`);
      if (!disk) return "not tried: needs the right to mount";
      const out = join(`disk-${number}`, "run");
      const result = await run(training(out));
      made += result.code === 0 ? 0 : 1;
      const clear = result.code === 0 || (result.code === 1 && isClear(result));
      if (!clear) note(`disk ${number}: exit ${result.code}: ${lastLine(result)}`);
      disk.remount("size=8m");
      const fault = result.code === 0 ? undefined : await faultAfter(out, expected);
      if (fault) note(`disk ${number}: ${fault}`);
      if (result.code !== 0 && clear && !fault) good++;
      disk.unmount();
    }
    return [made, good];
  },
  async "a file system that turns read-only"(expected, note) {
    let [made, good] = [0, 0];
    for (let number = 0; number < few; number++) {
      const disk = smallDisk(`readonly-${number}`, "8m");
      if (!disk) return "not tried: needs the right to mount";
      const out = join(`readonly-${number}`, "run");
      const running = start(training(out, EPOCHS));
      await until(() => place.isSaved(out), running);
      let turned = false;
      // Not while a file is open for writing, which is most of the time here.
      for (let attempt = 0; attempt < 2000 && !turned; attempt++) {
        try {
          disk.remount("ro");
          turned = true;
        } catch {
          await sleep(1);
        }
      }
      const result = await running.finished;
      disk.remount("rw");
      if (turned && result.code !== 0) {
        made++;
        const fault = await faultAfter(out, expected);
        if (result.code === 1 && isClear(result) && !fault) good++;
        else note(`exit ${result.code}: ${lastLine(result)} ${fault ?? ""}`);
      }
      disk.unmount();
    }
    return made > 0 ? [made, good] : "not tried: a file was always being written";
  },
  async "a folder that disappears"(_, note) {
    let good = 0;
    for (let number = 0; number < few; number++) {
      const out = `gone-${number}`;
      const running = start(training(out, 600));
      await until(() => place.isSaved(out), running);
      // At once: while the process writes there, the folder cannot be removed file by file.
      renameSync(join(cwd, out), join(cwd, `${out} elsewhere`));
      const result = await running.finished;
      if (result.code === 1 && isClear(result)) good++;
      else note(`exit ${result.code}: ${lastLine(result)}`);
    }
    return [few, good];
  },
  async "two processes that start in one folder at once"(expected, note) {
    let good = 0;
    for (let number = 0; number < few; number++) {
      const out = `two-${number}`;
      const both = await Promise.all([run(training(out)), run(training(out))]);
      const codes = both.map(({ code }) => code);
      const fault = codes.includes(0) ? await difference(out, expected) : await faultAfter(out, expected);
      const twice = codes.every((code) => code === 0);
      if (fault || twice) note(`${out}: exits ${codes}: ${fault ?? ""}`);
      else good++;
    }
    return [few, good];
  },
  async "SIGSTOP for a minute, and SIGCONT; another process meanwhile"(expected, note) {
    const running = start(training("stopped"));
    await until(() => place.isSaved("stopped"), running);
    running.kill("SIGSTOP");
    const other = await run(place.resume("stopped"));
    const refused = other.code === 1 && /is being trained already/.test(other.stderr);
    await sleep(60_000);
    running.kill("SIGCONT");
    const result = await running.finished;
    const fault = await difference("stopped", expected);
    if (!refused || result.code !== 0 || fault)
      note(`exits ${result.code}, ${other.code}: ${lastLine(other)} ${fault ?? ""}`);
    return [1, refused && result.code === 0 && !fault ? 1 : 0];
  },
  async "the clock set back by a year, during a run and before it is resumed"(expected, note) {
    let good = 0;
    for (let number = 0; number < few; number++) {
      const out = `clock-${number}`;
      // The first half of the tries: within the first process. The others: it is killed, and the next one is a year back.
      const within = number < few / 2;
      if (!within) await place.killed(training(out), (running) => until(() => place.isSaved(out), running));
      const args = await place.again(out, EPOCHS, slow);
      const result = await run(args, clockSetBack(within ? random.below(3000) : 0));
      const fault = result.code === 0 ? await difference(out, expected) : lastLine(result);
      if (fault) note(`${out}: exit ${result.code}: ${fault}`);
      else good++;
    }
    return [few, good];
  },
  async "claims of processes that are gone, here and elsewhere"(expected, note) {
    await run(training("stale", 2));
    const claim = { pid: process.pid, host: "h", space: "another machine", began: "1", beats: 1 };
    writeFileSync(join(cwd, "stale", `run-${process.pid}-00000001.lock`), JSON.stringify(claim));
    writeFileSync(join(cwd, "stale", "run-999999.lock"), "");
    const result = await run(place.resume("stale", "--epochs", String(EPOCHS)));
    const fault = result.code === 0 ? await difference("stale", expected) : lastLine(result);
    if (fault) note(`exit ${result.code}: ${fault}`);
    return [2, fault ? 0 : 2];
  },
};

let failed = false;
try {
  const whole = await run(training("whole"));
  if (whole.code !== 0) throw new Error(whole.stderr);
  const expected = await place.contentOf("whole");
  console.log("| fault | tries | same result, or one clear error line | lost |\n|---|---:|---:|---:|");
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (!name.includes(values.only)) continue;
    const outcome = await scenario(expected, (line) => console.error(`  ${name}: ${line}`));
    if (typeof outcome === "string") {
      console.log(`| ${name} | ${outcome} | | |`);
      continue;
    }
    const [made, good] = outcome;
    failed ||= good < made;
    console.log(`| ${name} | ${made} | ${good} | ${made - good} |`);
  }
} finally {
  await place.remove();
}
process.exitCode = failed ? 1 : 0;
