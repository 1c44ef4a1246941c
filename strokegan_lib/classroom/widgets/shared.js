// What the painter and the clickable picture share.

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// Keys that `press` takes reach nothing else: a notebook would move to another cell, or undo one.
function takeKeys(element, press) {
  element.dataset.lmSuppressShortcuts = "true"; // JupyterLab listens before we do
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !press(event.key, event.shiftKey ? 8 : 1)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// Call `update` now and whenever one of the traits changes.
function onChange(model, names, update) {
  for (const name of names) model.on(`change:${name}`, update);
  update();
}

function send(model, name, value) {
  model.set(name, value);
  model.save_changes(); // while Python is busy Jupyter keeps only the newest value
}

function bytes(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

// Keep an <img> as the traits `value`, a PNG, and `alt` are.
function showPicture(model, image) {
  onChange(model, ["alt"], () => { image.alt = model.get("alt"); });
  onChange(model, ["value"], () => {
    URL.revokeObjectURL(image.src); // of the picture that this one replaces
    image.src = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
  });
}
