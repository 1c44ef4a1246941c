// A picture that one may point at: a grid of places lies over one part of it, or over several.

function render({ model, el }) {
  el.innerHTML = '<img class="strokegan-clickable" tabindex="0" draggable="false"><p class="strokegan-help"></p>';
  const [image, help] = el.children;

  function choose(row, column) {
    const { rows, columns } = model.get("grid");
    send(model, "place", [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))]);
  }
  image.addEventListener("click", (event) => {
    const { rows, columns, corners, size } = model.get("grid");
    const scale = image.naturalWidth / image.clientWidth;
    for (const [top, left] of corners) {
      const r = (event.offsetY * scale - top) / size[0]; // 0..1 in this part
      const c = (event.offsetX * scale - left) / size[1];
      if (r >= 0 && r < 1 && c >= 0 && c < 1) choose(Math.floor(r * rows), Math.floor(c * columns));
    }
  });
  takeKeys(image, (key, times) => {
    if (!(key in ARROWS)) return false;
    const [row, column] = model.get("place");
    choose(row + times * ARROWS[key][0], column + times * ARROWS[key][1]);
    return true;
  });

  onChange(model, ["value"], () => showPng(image, model.get("value")));
  onChange(model, ["alt"], () => { image.alt = model.get("alt"); });
  onChange(model, ["grid"], () => {
    const where = model.get("grid").help;
    help.textContent = `Click on ${where}; or use the arrow keys (with Shift, by eight) once it has the focus.`;
  });
}

export default { render };
