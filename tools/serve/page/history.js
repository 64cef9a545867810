// The pictures of this visit, only in memory.

import { byId, element } from '/dom.js';

const MOST_PICTURES = 12;
const MOST_BYTES = 64e6;
const THUMBNAIL_SIZE = 96;

/** Calls choose(record) when a picture of the list is chosen. */
export class History {
  constructor(choose) {
    this.choose = choose;
    this.entries = [];  // {record, item, button}, newest first
  }

  /** Puts a record first, unless it is there already, and forgets the oldest where there are too many. */
  async add(record) {
    if (this.entries.some((entry) => entry.record === record)) return;
    const button = element('button', { type: 'button' }, element('span', { class: 'name' }, record.picture.name));
    button.addEventListener('click', () => this.choose(record));
    const entry = { record, button, item: element('li', {}, button) };
    this.entries.unshift(entry);
    byId('history-list').prepend(entry.item);
    byId('history').hidden = false;
    this.forgetOldest();
    const thumbnail = await makeThumbnail(record.picture);
    if (thumbnail) button.prepend(thumbnail);
  }

  /** Marks the record that is shown. */
  mark(record) {
    for (const entry of this.entries) {
      if (entry.record === record) entry.button.setAttribute('aria-current', 'true');
      else entry.button.removeAttribute('aria-current');
    }
  }

  forgetOldest() {
    const bytes = () => this.entries.reduce((sum, { record }) => sum + record.picture.size, 0);
    while (this.entries.length > MOST_PICTURES || (this.entries.length > 1 && bytes() > MOST_BYTES)) {
      this.entries.pop().item.remove();
    }
  }
}

/** A small copy, so that the list does not hold decoded photographs; null for what a browser cannot show. */
async function makeThumbnail(picture) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    return null;
  }
  const canvas = element('canvas', { width: THUMBNAIL_SIZE, height: THUMBNAIL_SIZE, 'aria-hidden': 'true' });
  const side = Math.min(bitmap.width, bitmap.height);
  canvas.getContext('2d').drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side,
    0, 0, THUMBNAIL_SIZE, THUMBNAIL_SIZE);
  bitmap.close();
  return canvas;
}
