import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import tiff from "@jimp/js-tiff";
import { methods as crop } from "@jimp/plugin-crop";
import { methods as resize } from "@jimp/plugin-resize";

/**
 * jimp with only the formats and plugins that are used. The package `jimp` includes all plugins, 90 MB. Import this
 * file lazily: it takes a while to load.
 */
export const Jimp = createJimp({ formats: [png, jpeg, bmp, tiff], plugins: [crop, resize] });

/**
 * The decoders alone. Using them skips the detection of the format, which takes a third of the time for small pictures.
 */
export const decoders = { png: png(), jpg: jpeg(), bmp: bmp(), tiff: tiff() };
