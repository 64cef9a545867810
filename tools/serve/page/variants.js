// A one-sentence description and a colour for each variant.

/** The variant that the others are compared with. */
export const BASELINE = 'baseline';

const SENTENCES = {
  'baseline': 'The published network, entirely in FP32.',
  'pruned': 'The weakest tenth of the deep convolutions’ filters is removed.',
  'int8': 'Dense layers in INT8, convolutions in FP32.',
  'pruned-int8': 'Pruned, then its dense layers in INT8.',
  'res160': 'The baseline’s weights on a smaller picture.',
  'int8-full': 'All layers except the first in INT8.',
  'pruned-int8-full': 'Pruned, and all layers except the first in INT8.',
};

/** One plain sentence; of a model that is not in the list, its file's last step. */
export function sentence(model) {
  return SENTENCES[model.id] ?? (model.lineage.length > 0 ? `${model.lineage.at(-1)}.` : `From ${model.file}.`);
}

/** The colours that style.css has, --variant-0 and so on; the list's variants have theirs for good. */
const COLOURS = 10;

/** The class name that sets --colour: the same for a variant wherever it is shown. */
export function colourClass(models, id) {
  const known = Object.keys(SENTENCES);
  if (known.includes(id)) return `variant-${known.indexOf(id)}`;
  const others = models.filter((model) => !known.includes(model.id));
  const place = others.findIndex((model) => model.id === id);
  return `variant-${known.length + (place % (COLOURS - known.length))}`;
}

const STAGES = [
  { name: 'Block 1', last: 2 },
  { name: 'Block 2', last: 7 },
  { name: 'Block 3', last: 16 },
  { name: 'Block 4', last: 25 },
  { name: 'Block 5', last: 34 },
];

/** The parts of the network that a layer may belong to, in order. */
export const STAGE_NAMES = [...STAGES.map((stage) => stage.name), 'Dense', 'Other'];

/** The place in STAGE_NAMES of a layer, by torchvision's name: "features.16 and pool", "classifier.3". */
export function stageOf(layer) {
  const features = /^features\.(\d+)/.exec(layer);
  const stage = features ? STAGES.findIndex(({ last }) => Number(features[1]) <= last) : -1;
  if (stage >= 0) return stage;
  return STAGE_NAMES.indexOf(layer.startsWith('classifier.') ? 'Dense' : 'Other');
}
