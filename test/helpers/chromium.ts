import { spawnSync } from "node:child_process";

/** Where the browser is that the page is tested in; undefined where there is none. */
export const executablePath =
  spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim() || undefined;
