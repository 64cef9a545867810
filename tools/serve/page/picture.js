// Chooses and shows a picture, and reports errors.

import { byId } from '/dom.js';
import * as format from '/format.js';

/** Calls take(file) for a picture that was chosen, dropped or pasted. */
export function onPicture(take) {
  const input = byId('file');
  input.addEventListener('change', () => {
    takeFirst(input.files, take);
    input.value = '';  // lets the user choose the same file again
  });
  document.addEventListener('paste', (event) => takeFirst(event.clipboardData?.files, take));

  const highlight = (on) => byId('drop').classList.toggle('over', on);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    highlight(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) highlight(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    highlight(false);
    takeFirst(event.dataTransfer?.files, take);
  });
}

function takeFirst(files, take) {
  if (files && files.length > 0) take(files[0]);
}

let shownUrl = '';

/** Shows a record's picture with its name and size. */
export function showPicture(record) {
  const { picture, width, height } = record;
  const size = width > 0 ? `, ${format.pixels(width, height)}` : '';
  byId('picture-name').hidden = false;
  byId('picture-name').textContent = `${picture.name}${size}, ${format.bytes(picture.size)}`;
  byId('drop-text').textContent = 'Choose another picture';
}

/** Puts the picture itself in its place. Files that a browser cannot decode (PPM) have no preview. */
export function preview(picture) {
  URL.revokeObjectURL(shownUrl);
  shownUrl = URL.createObjectURL(picture);
  const image = byId('preview');
  image.alt = `The picture: ${picture.name}`;
  image.onload = () => { image.hidden = false; };
  image.onerror = () => { image.hidden = true; };
  image.src = shownUrl;
}

let countdown = null;

/** Says what is wrong; with a problem that may pass, a button calls retry(). */
export function showProblem(problem, retry) {
  clearInterval(countdown);
  byId('problem-text').textContent = problem.message;
  byId('problem').hidden = false;
  const button = byId('retry');
  button.hidden = !problem.retry;
  button.onclick = () => {
    clearProblem();
    retry();
  };
  waitOut(button, problem.retrySeconds);
}

export function clearProblem() {
  clearInterval(countdown);
  byId('problem').hidden = true;
}

/** Keeps the button from being used for so many seconds. */
function waitOut(button, seconds) {
  const ends = Date.now() + seconds * 1000;
  const update = () => {
    const left = Math.ceil((ends - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Try again in ${left} s` : 'Try again';
    if (left <= 0) clearInterval(countdown);
  };
  update();
  countdown = setInterval(update, 250);
}
