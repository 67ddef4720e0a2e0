import { homedir } from "node:os";
import { join } from "node:path";

/** The folder for downloads: `GAN_ONNX_CACHE`, or `gan-onnx` in the user's cache folder. */
export function cacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  if (env.GAN_ONNX_CACHE) return env.GAN_ONNX_CACHE;
  const home = homedir();
  if (platform === "win32") return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "gan-onnx");
  if (platform === "darwin") return join(home, "Library", "Caches", "gan-onnx");
  return join(env.XDG_CACHE_HOME || join(home, ".cache"), "gan-onnx");
}
