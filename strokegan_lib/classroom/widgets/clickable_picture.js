// Two slices side by side, in which one may point at a place.

const HELP = "Click on either picture to choose a place; or use the arrow keys (with Shift, by eight) once it has the focus.";

function render({ model, el }) {
  el.innerHTML = `<img class="strokegan-clickable" tabindex="0" draggable="false"><p class="strokegan-help">${HELP}</p>`;
  const image = el.firstElementChild;
  const [height, width] = model.get("shape");

  function choose(row, column) {
    send(model, "place", [Math.min(height - 1, Math.max(0, row)), Math.min(width - 1, Math.max(0, column))]);
  }
  image.addEventListener("click", (event) => {
    const row = Math.floor((event.offsetY / image.clientHeight) * height);
    choose(row, Math.floor((event.offsetX / image.clientWidth) * 2 * width) % width);
  });
  takeKeys(image, (key, times) => {
    if (!(key in ARROWS)) return false;
    const [down, across] = ARROWS[key].map((way) => way * times * model.get("step"));
    const [row, column] = model.get("place");
    choose(row + down, column + across);
    return true;
  });

  showPicture(model, image);
}

export default { render };
