// Lists the variants, and what they see in a chosen image.
'use strict';

const status = document.getElementById('status');
const rows = new Map();

function addCell(row, text) {
  const cell = row.insertCell();
  cell.textContent = text;
  return cell;
}

async function listModels() {
  const {models, seeded} = await (await fetch('/v1/models')).json();
  document.getElementById('seeded').hidden = !seeded;
  for (const model of models) {
    const row = document.getElementById('models').insertRow();
    addCell(row, model.id);
    addCell(row, (model.file_bytes / 1e6).toFixed(1));
    addCell(row, model.active_parameters.toLocaleString('en'));
    addCell(row, model.gmac.toFixed(2));
    rows.set(model.id, {ms: addCell(row, ''), top: addCell(row, '')});
  }
}

function describe(prediction) {
  return `${prediction.label || 'class ' + prediction.class} ${(100 * prediction.probability).toFixed(1)} %`;
}

async function classify(file) {
  status.textContent = 'Classifying…';
  const answer = await fetch('/v1/classify', {
    method: 'POST', body: file, headers: {'Content-Type': file.type || 'application/octet-stream'},
  });
  const results = await answer.json();
  status.textContent = answer.ok ? 'Done; the variants ran in parallel.' : results.error.message;
  if (!answer.ok) return;
  for (const [id, result] of Object.entries(results)) {
    const row = rows.get(id);
    row.ms.textContent = result.error ? '' : result.ms.toFixed(1);
    row.top.textContent = result.error ? result.error.message : result.top.map(describe).join(', ');
  }
}

document.getElementById('image').addEventListener('change', (event) => {
  if (event.target.files.length > 0) classify(event.target.files[0]);
});
listModels();
