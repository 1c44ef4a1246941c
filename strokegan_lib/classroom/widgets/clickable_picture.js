// A picture that one may point at: a grid of places lies over one part of it, or over several.

function render({ model, el }) {
  const image = make("img", { tabindex: 0, draggable: "false", class: "strokegan-clickable" });
  const help = make("p", { class: "strokegan-help" });
  el.replaceChildren(image, help);

  let place = model.get("place");
  const send = newest(model, () => ({ place }));
  function choose(row, column) {
    const [rows, columns] = model.get("shape");
    place = [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))];
    send();
  }
  followPointer(image, ([down, across]) => {
    const [height, width] = model.get("size");
    const [rows, columns] = model.get("shape");
    for (const [top, left] of model.get("corners")) {
      const r = (down * image.naturalHeight - top) / height; // 0..1 in this part
      const c = (across * image.naturalWidth - left) / width;
      if (r >= 0 && r < 1 && c >= 0 && c < 1) choose(Math.floor(r * rows), Math.floor(c * columns));
    }
  });
  takeKeys(image, (key, shift) => {
    if (!(key in ARROWS)) return false;
    const [down, across] = ARROWS[key].map((step) => step * (shift ? 8 : 1));
    choose(place[0] + down, place[1] + across);
    return true;
  });

  const stops = [
    onChange(model, ["value"], () => showPng(image, model.get("value"))),
    onChange(model, ["alt"], () => { image.alt = model.get("alt"); }),
    onChange(model, ["help"], () => {
      help.textContent = `Click on ${model.get("help")}; or use the arrow keys (with Shift, by eight) once it has the focus.`;
    }),
    onChange(model, ["place"], () => { place = model.get("place"); }),
  ];
  return () => stops.forEach((stop) => stop());
}

export default { render };
