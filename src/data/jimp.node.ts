import { createJimp } from "@jimp/core";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import { methods as crop } from "@jimp/plugin-crop";
import { methods as resize } from "@jimp/plugin-resize";

/**
 * jimp with what is needed of it: PNG, JPEG, crop and resize. The package `jimp` brings all its plugins, 90 MB. It
 * takes a while to load: import this file where an image is read or written.
 */
export const Jimp = createJimp({ formats: [png, jpeg], plugins: [crop, resize] });
