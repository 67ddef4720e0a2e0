import { relu, reshape, type Value, withScope } from "../graph/index.js";
import { type ImageSize, smallest } from "./conv.js";
import { halving, linear, plain } from "./layers.js";
import type { Network } from "./network.js";

/** Images [batch, pixels] to logits [batch, classes], and the features that the last linear layer reads. */
export type ImageClassifier = (images: Value) => { readonly logits: Value; readonly features: Value };

/**
 * A convolutional classifier: halvings (kernel 4, stride 2) and a linear layer to the features, each followed by ReLU,
 * then a linear layer to the logits. Images [batch, channels, height, width], or flattened, to logits [batch, classes]
 * and features [batch, features].
 */
export function convClassifier(
  image: ImageSize,
  size: {
    readonly width: number;
    readonly depth: number;
    readonly features: number;
    readonly classes: number;
  },
): Network<ImageClassifier> {
  const { width, depth, features, classes } = size;
  const [height, across] = smallest(image, size);
  const channelsAt = (level: number) => (level === 0 ? image.channels : width * 2 ** (level - 1));
  const flat = channelsAt(depth) * height * across;
  return {
    name: "classifier",
    create(scope) {
      const halvings = Array.from({ length: depth }, (_, i) =>
        plain(halving(scope, `down${i + 1}`, channelsAt(i), channelsAt(i + 1))),
      );
      const fc1 = plain(linear(scope, "fc1", flat, features));
      const fc2 = plain(linear(scope, "fc2", features, classes));
      return (x) =>
        withScope("classifier", () => {
          const batch = x.shape[0];
          const pixels = reshape(x, [batch, image.channels, image.height, image.width]);
          const last = halvings.reduce((h, halve) => relu(halve(h)), pixels);
          const seen = relu(fc1(reshape(last, [batch, flat])));
          return { logits: fc2(seen), features: seen };
        });
    },
  };
}
