// Formats numbers with their units.

const NO_BREAK = '\u00a0';

const grouped = (digits) =>
  new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function number(value, digits) {
  return grouped(digits).format(value);
}

/** 574676832 → "574.7 MB", 13458 → "13.5 kB" */
export function bytes(count) {
  return count < 1e6 ? `${number(count / 1e3, 1)}${NO_BREAK}kB` : `${number(count / 1e6, 1)}${NO_BREAK}MB`;
}

const digitsOf = (ms) => (ms < 10 ? 2 : ms < 100 ? 1 : 0);

/** Three significant digits or more: "0.42 ms", "53.7 ms", "1,204 ms". */
export const milliseconds = (ms) => `${number(ms, digitsOf(ms))}${NO_BREAK}ms`;

/** "50.8–60.1 ms", in one piece. */
export const span = (lowest, highest) => `${number(lowest, digitsOf(highest))}–\u2060${milliseconds(highest)}`;

/** 143667240 → "143.67 M" */
export const millions = (count) => `${number(count / 1e6, 2)}${NO_BREAK}M`;

export const gmac = (value) => `${number(value, value < 0.1 ? 4 : 2)}${NO_BREAK}GMAC`;

/** A share from 0 to 1: "61.0 %", "0.12 %". */
export const percent = (share, digits = share < 0.01 ? 2 : 1) => `${number(share * 100, digits)}${NO_BREAK}%`;

export const times = (factor) => `${number(factor, 2)}${NO_BREAK}×`;

export const cosine = (value) => number(value, 4);

export const pixels = (width, height) => `${width}${NO_BREAK}×${NO_BREAK}${height}${NO_BREAK}px`;
/** A number is a square, else "HEIGHTxWIDTH". */
export const inputSize = (size) => {
  const [height, width = height] = String(size).split('x');
  return pixels(width, height);
};

/** 1 → "1 round", 5 → "5 rounds" */
export const counted = (count, noun) => `${number(count, 0)}${NO_BREAK}${noun}${count === 1 ? '' : 's'}`;
