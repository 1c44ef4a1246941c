// Where somebody points on an element: what the painter and the clickable picture share.

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Follow mouse, pen or finger from press to release. `follow` is given the place as shares
// of the element's height and width, and whether it is the first.
function followPointer(element, follow) {
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
  };
  let pointer = null; // a second finger is ignored
  element.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    element.setPointerCapture(pointer);
    follow(place(event), true);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) follow(place(event), false);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    element.addEventListener(name, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }
}

// Keys that `press` takes are ours alone: a notebook would move to another cell, or undo one.
function takeKeys(element, press) {
  element.dataset.lmSuppressShortcuts = "true"; // JupyterLab listens before we do
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !press(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// A function that sends traits to Python at most once a frame. While Python is still busy with
// the last message Jupyter keeps only the newest values: no queue piles up.
function newest(model, values) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const [name, value] of Object.entries(values())) model.set(name, value);
      model.save_changes();
    });
  };
}

// Call `update` now and whenever one of the traits changes; answers how to stop.
function onChange(model, names, update) {
  for (const name of names) model.on(`change:${name}`, update);
  update();
  return () => names.forEach((name) => model.off(`change:${name}`, update));
}

function bytes(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function showPng(image, view) {
  URL.revokeObjectURL(image.src); // of a picture that this one overtakes: it will never load
  const url = URL.createObjectURL(new Blob([view], { type: "image/png" }));
  image.onload = () => URL.revokeObjectURL(url);
  image.src = url;
}
