import { spawnSync } from "node:child_process";

const python = "/usr/bin/python3";

function ask(script: string, ...args: string[]): { ok: boolean; output: string } {
  const { status, stderr, error } = spawnSync(python, ["-c", script, ...args], {
    encoding: "utf8",
    timeout: 100_000,
  });
  return { ok: status === 0, output: error?.message ?? stderr.trim() };
}

/** Why ONNX's own checker (Debian's package python3-onnx) is not available; undefined when it is. */
export const checkerMissing = (() => {
  const { ok, output } = ask("import onnx");
  return ok ? undefined : `${python}: ${output.split("\n").at(-1)}`;
})();

/**
 * The messages of ONNX's checker about model files, with strict inference of all types and shapes. Empty when it
 * accepts them.
 */
export function checkModels(paths: readonly string[]): string {
  const script =
    "import sys, onnx\nfor path in sys.argv[1:]: onnx.checker.check_model(path, full_check=True)";
  const { ok, output } = ask(script, ...paths);
  return ok ? "" : output || "the checker failed without a message";
}
