/** The built page, served and opened in Chromium, for measurements and pictures of it. */
import { readdirSync, readFileSync } from "node:fs";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { servePage } from "../src/serving/page-server.js";

/** A page, and the processes of its browser. */
export interface BuiltPage {
  readonly page: Page;
  /** The seconds of processor time that the browser has used so far, over all its processes (Linux only). */
  cpuSeconds(): number;
  /** The resident memory of its largest process, the one that trains, in MiB (Linux only). */
  residentMemory(): number;
  close(): Promise<void>;
}

/** Open the built page (`npm run build:web`) in a fresh profile of Chromium, and wait until it can train. */
export async function openBuiltPage(options: BrowserContextOptions = {}): Promise<BuiltPage> {
  const host = await servePage(0);
  const server = await chromium.launchServer({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--enable-blink-features=ForceEagerMeasureMemory"],
  });
  const browser = await chromium.connect(server.wsEndpoint());
  const page = await browser.newPage(options);
  const close = async () => {
    await browser.close();
    await server.close();
    await host.close();
  };
  try {
    await page.goto(host.url);
    await page.locator("#start:enabled").waitFor();
  } catch (error) {
    await close();
    throw error;
  }
  const pids = () => descendants(server.process().pid as number);
  return {
    page,
    cpuSeconds: () => pids().reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    residentMemory: () => Math.max(...pids().map(residentMemoryOf)),
    close,
  };
}

/** Start a training by one click, of a recipe or preset if one is named. Returns the time of the click. */
export async function startLearning(page: Page, what?: string): Promise<number> {
  const preset = page.locator(`[data-preset="${what}"]`);
  if (what && (await preset.count()) > 0) await preset.click();
  else if (what) {
    await page.locator("#train-settings summary").click();
    await page.locator("#recipe").selectOption(what);
  }
  const clicked = performance.now();
  await page.locator("#start").click();
  return clicked;
}

/** The step that the page has reached. */
export async function stepOf(page: Page): Promise<number> {
  return Number((await page.locator("#train-progress").textContent())?.match(/^step (\d+)/)?.[1] ?? 0);
}

/** A process and all those that it started: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const fields = fieldsOf(Number(name));
    if (fields) parents.set(Number(name), Number(fields[1]));
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

/** The fields of `/proc/PID/stat` from the state on. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** User and system time. Linux counts them in hundredths of a second. */
function cpuSecondsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return fields ? (Number(fields[11]) + Number(fields[12])) / 100 : 0;
}

function residentMemoryOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
