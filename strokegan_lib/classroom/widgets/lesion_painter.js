// Paint a mask on a slice. It is shown at once, here; the picture beside it is Python's answer.

const LARGE = 4; // canvas pixels a side for each pixel of the slice
const STEPS_BACK = 50;
const INSIDE = [230, 159, 0]; // colour of what is painted in the foreground
const OUTSIDE = [86, 180, 233];

function html(width, height) {
  const help = `strokegan-${Math.random().toString(36).slice(2)}`;
  return `
    <div class="strokegan-painter" role="group" aria-label="Lesion painter" data-lm-suppress-shortcuts="true">
      <div class="strokegan-tools">
        <button>Brush</button><button>Erase</button><button>Undo</button><button>Clear</button>
        <label>Brush size <input type="range" min="1" max="31" step="2" value="9"></label>
      </div>
      <div class="strokegan-pictures">
        <figure>
          <canvas width="${width * LARGE}" height="${height * LARGE}" tabindex="0" role="application"
            aria-label="Paint the lesion" aria-describedby="${help}"></canvas>
          <figcaption>a slice of the data: paint here</figcaption>
        </figure>
        <figure><img><figcaption>what the generator makes of it</figcaption></figure>
      </div>
      <p class="strokegan-help" id="${help}">Mouse, pen or finger paint. Keys, once the picture has the focus: arrows
        move the brush (with Shift by eight), Space paints, E erases, Z undoes, + and \u2212 change its size.
        Blue lies outside the foreground.</p>
    </div>`;
}

function render({ model, el }) {
  const [height, width] = model.get("shape");
  let mask; // 0/1, row by row
  let sent;
  let earlier = []; // masks to go back to, the latest last
  let erasing = false;
  let brush = [height >> 1, width >> 1]; // row and column of its middle

  el.innerHTML = html(width, height);
  const [canvas, image, size] = ["canvas", "img", "input"].map((tag) => el.querySelector(tag));
  const tools = el.querySelectorAll("button");

  // 1. The slice, the mask and the brush.
  const paper = canvas.getContext("2d");
  const small = new OffscreenCanvas(width, height);
  function draw() {
    const [grey, inside] = [bytes(model.get("slice")), bytes(model.get("foreground"))];
    const pixels = new ImageData(width, height);
    for (let i = 0; i < mask.length; i++) {
      const colour = inside[i] ? INSIDE : OUTSIDE;
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = mask[i] ? (grey[i] + colour[c]) / 2 : grey[i];
      pixels.data[4 * i + 3] = 255;
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    paper.imageSmoothingEnabled = false;
    paper.drawImage(small, 0, 0, canvas.width, canvas.height);
    paper.setLineDash(erasing ? [6, 4] : []);
    for (const [colour, line] of [["black", 4], ["white", 2]]) { // seen on any grey
      paper.beginPath();
      paper.arc((brush[1] + 0.5) * LARGE, (brush[0] + 0.5) * LARGE, (size.value / 2) * LARGE, 0, 2 * Math.PI);
      paper.strokeStyle = colour;
      paper.lineWidth = line;
      paper.stroke();
    }
  }

  // 2. Painting: all pixels as near to the way from one place to the next as half the brush's size.
  function change(next) {
    mask = next;
    sent = mask.join("");
    draw();
    send(model, "mask", sent);
  }
  function paint(from, to, on) {
    const [dr, dc] = [to[0] - from[0], to[1] - from[1]];
    change(mask.map((old, i) => {
      const [r, c] = [Math.floor(i / width) - from[0], (i % width) - from[1]];
      const t = Math.min(1, Math.max(0, (r * dr + c * dc) / (dr * dr + dc * dc || 1)));
      return Math.hypot(r - t * dr, c - t * dc) <= size.value / 2 ? on : old;
    }));
  }
  const remember = () => { earlier = [...earlier.slice(1 - STEPS_BACK), mask]; };
  const undo = () => { if (earlier.length) change(earlier.pop()); };
  const clear = () => { remember(); change(mask.map(() => 0)); };
  const dab = (on) => { remember(); paint(brush, brush, on); };
  function choose(erase) {
    erasing = erase;
    [!erase, erase].forEach((pressed, i) => tools[i].setAttribute("aria-pressed", pressed));
    draw();
  }
  function resize(step) {
    size.valueAsNumber += step; // the slider keeps it between its ends
    draw();
  }
  function move(way, times) {
    const ends = [height - 1, width - 1];
    brush = brush.map((at, i) => Math.min(ends[i], Math.max(0, at + way[i] * times)));
    draw();
  }

  // 3. Mouse, finger and keys.
  function follow(event, first) {
    const shares = [event.offsetY / canvas.clientHeight, event.offsetX / canvas.clientWidth];
    const to = [Math.floor(shares[0] * height), Math.floor(shares[1] * width)];
    const from = first ? to : brush;
    brush = to;
    paint(from, to, erasing ? 0 : 1);
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return; // a second finger is ignored
    canvas.setPointerCapture(event.pointerId); // until it is let go
    remember();
    follow(event, true);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.isPrimary && canvas.hasPointerCapture(event.pointerId)) follow(event, false);
  });
  const acts = { " ": () => dab(1), e: () => dab(0), z: undo, "+": () => resize(2), "=": () => resize(2), "-": () => resize(-2) };
  takeKeys(canvas, (key, times) => {
    const act = key in ARROWS ? () => move(ARROWS[key], times) : acts[key.toLowerCase()];
    act?.();
    return Boolean(act);
  });
  [() => choose(false), () => choose(true), undo, clear].forEach((act, i) => tools[i].addEventListener("click", act));
  size.addEventListener("input", draw);

  // 4. What comes from Python.
  onChange(model, ["mask"], () => {
    if (model.get("mask") === sent) return; // our own
    if (mask) remember();
    sent = model.get("mask");
    mask = Uint8Array.from(sent);
    draw();
  });
  onChange(model, ["slice", "foreground"], draw);
  showPicture(model, image);
  choose(false);
}

export default { render };
