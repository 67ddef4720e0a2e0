import process from "node:process";

/** The properties of a machine that a native library depends on. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** The version of glibc; undefined for another C library. */
  readonly glibc?: string;
}

/** This machine. Finding the properties takes a moment: call this only after a failure. */
function thisMachine(): Machine {
  const { platform, arch } = process;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return { platform, arch, glibc: header?.glibcVersionRuntime };
}

/**
 * Why ONNX Runtime's native library cannot be loaded on a machine, and what to do; undefined for other reasons.
 *
 * @param reason the message of the loader.
 */
export function unloadable(
  reason: string,
  { platform, arch, glibc }: Machine = thisMachine(),
): { readonly what: string; readonly fix: string } | undefined {
  // musl's loader reports a missing library, or a missing symbol if a compatibility layer replaces glibc.
  if (platform === "linux" && glibc === undefined) {
    return {
      what: "ONNX Runtime needs glibc, and this system has another C library (such as Alpine's musl)",
      fix: "use a system with glibc, such as Debian or its image node:22-slim",
    };
  }
  const symbol = /`?(GLIBC(?:XX)?_[\d.]+)'? not found/.exec(reason)?.[1];
  if (symbol !== undefined) {
    return {
      what: `ONNX Runtime needs a newer C library than this system's glibc ${glibc} (${symbol} is missing)`,
      fix: "use a newer system",
    };
  }
  if (/Cannot find module .*onnxruntime_binding\.node/.test(reason)) {
    return {
      what: `onnxruntime-node has no library for ${platform} ${arch}`,
      fix: "use Linux or Windows, or macOS on ARM64, or install onnxruntime-node again",
    };
  }
  return undefined;
}
