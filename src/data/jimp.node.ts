import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import gif from "@jimp/js-gif";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import tiff from "@jimp/js-tiff";
import { methods as crop } from "@jimp/plugin-crop";
import { methods as resize } from "@jimp/plugin-resize";

/**
 * jimp with what is needed of it: its formats, crop and resize. The package `jimp` brings all its plugins, 90 MB. It
 * takes a while to load: import this file where an image is read or written.
 */
export const Jimp = createJimp({ formats: [png, jpeg, gif, bmp, tiff], plugins: [crop, resize] });

/** The decoders alone: they spare small pictures the search for what they are, which takes a third of the time. */
export const decoders = { png: png(), jpg: jpeg(), gif: gif(), bmp: bmp(), tiff: tiff() };
