// Paint a mask on a slice. What is painted is shown at once, here; the picture beside it is
// Python's answer and follows as fast as it comes.

const LARGE = 4; // canvas pixels a side for each pixel of the slice
const STEPS_BACK = 50;
const HELP =
  "Mouse, pen or finger paint. Keys, once the picture has the focus: arrows move the brush " +
  "(with Shift by eight), Space paints, E erases, Z undoes, + and \u2212 change its size. " +
  "Blue lies outside the foreground.";

function pack(mask) {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  mask.forEach((on, i) => { if (on) bits[i >> 3] |= 128 >> (i & 7); });
  return btoa(String.fromCharCode(...bits));
}

function unpack(text, length) {
  const bits = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Uint8Array.from({ length }, (_, i) => (bits[i >> 3] >> (7 - (i & 7))) & 1);
}

function render({ model, el }) {
  const [height, width] = model.get("shape");
  let mask = unpack(model.get("mask"), height * width);
  let sent = model.get("mask");
  let earlier = []; // masks to go back to, the latest last
  let erasing = false;
  let brush = [Math.floor(height / 2), Math.floor(width / 2)]; // row and column of its middle

  // 1. What is on the screen.
  const id = `strokegan-${Math.random().toString(36).slice(2)}`;
  const button = (words, act) => {
    const made = make("button", { type: "button" }, words);
    made.addEventListener("click", act);
    return made;
  };
  const tools = [
    button("Brush", () => choose(false)),
    button("Erase", () => choose(true)),
    button("Undo", undo),
    button("Clear", clear),
  ];
  const size = make("input", { type: "range", min: 1, max: 31, step: 2 });
  const sizeTold = make("output");
  const canvas = make("canvas", {
    width: width * LARGE,
    height: height * LARGE,
    tabindex: 0,
    role: "application",
    "aria-label": "Paint the lesion",
    "aria-describedby": `${id}-help ${id}-words`,
  });
  const painted = make("img", { width: width * LARGE, height: height * LARGE });
  const words = make("p", { id: `${id}-words`, class: "strokegan-said", role: "status" });
  const root = make(
    "div",
    { class: "strokegan-painter", role: "group", "aria-label": "Lesion painter" },
    make("div", { class: "strokegan-tools" }, ...tools, make("label", {}, "Brush size", size), sizeTold),
    make(
      "div",
      { class: "strokegan-pictures" },
      make("figure", {}, canvas, make("figcaption", {}, "a slice of the data: paint here")),
      make("figure", {}, painted, make("figcaption", {}, "what the generator paints")),
    ),
    words,
    make("p", { id: `${id}-help`, class: "strokegan-help" }, HELP),
  );
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take keys meant for the tools
  el.replaceChildren(root);

  // 2. Drawing: slice, mask and brush.
  const paper = canvas.getContext("2d");
  const small = new OffscreenCanvas(width, height);
  function draw() {
    const [grey, inside] = [bytes(model.get("slice")), bytes(model.get("foreground"))];
    const colours = model.get("colours");
    const pixels = new ImageData(width, height);
    for (let i = 0; i < mask.length; i++) {
      const colour = colours[inside[i] ? 0 : 1];
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = mask[i] ? (grey[i] + colour[c]) / 2 : grey[i];
      pixels.data[4 * i + 3] = 255;
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    paper.imageSmoothingEnabled = false;
    paper.drawImage(small, 0, 0, canvas.width, canvas.height);
    const [y, x] = brush.map((place) => (place + 0.5) * LARGE);
    for (const [colour, line] of [["black", 4], ["white", 2]]) { // seen on any grey
      paper.beginPath();
      paper.arc(x, y, Math.max(size.value / 2, 0.5) * LARGE, 0, 2 * Math.PI);
      paper.setLineDash(erasing ? [6, 4] : []);
      paper.strokeStyle = colour;
      paper.lineWidth = line;
      paper.stroke();
    }
  }

  // 3. Painting: all pixels as near to the way from one place to the next as half the brush's size.
  const send = newest(model, () => ({ mask: (sent = pack(mask)) }));
  function paint(from, to, on) {
    const radius = size.value / 2;
    const [dr, dc] = [to[0] - from[0], to[1] - from[1]];
    const low = (axis) => Math.max(0, Math.ceil(Math.min(from[axis], to[axis]) - radius));
    const high = (axis, end) => Math.min(end - 1, Math.floor(Math.max(from[axis], to[axis]) + radius));
    for (let r = low(0); r <= high(0, height); r++) {
      for (let c = low(1); c <= high(1, width); c++) {
        const along = ((r - from[0]) * dr + (c - from[1]) * dc) / (dr * dr + dc * dc || 1);
        const t = Math.min(1, Math.max(0, along));
        if (Math.hypot(r - from[0] - t * dr, c - from[1] - t * dc) <= radius) mask[r * width + c] = on;
      }
    }
    draw();
    send();
  }
  function remember() {
    earlier = [...earlier.slice(1 - STEPS_BACK), mask.slice()];
  }
  function undo() {
    if (earlier.length) mask = earlier.pop();
    draw();
    send();
  }
  function clear() {
    remember();
    mask.fill(0);
    draw();
    send();
  }
  function choose(erase) {
    erasing = erase;
    tools[0].setAttribute("aria-pressed", !erase);
    tools[1].setAttribute("aria-pressed", erase);
    draw();
  }
  function resize(pixels) {
    size.value = pixels; // the slider keeps it between its ends
    sizeTold.textContent = `${size.value} ${size.value === "1" ? "pixel" : "pixels"}`;
    draw();
  }
  const dab = (on) => { remember(); paint(brush, brush, on); };

  // 4. Mouse, finger, keys.
  followPointer(canvas, ([down, across], first) => {
    const to = [Math.floor(down * height), Math.floor(across * width)];
    const from = first ? to : brush;
    if (first) remember();
    brush = to;
    paint(from, to, erasing ? 0 : 1);
  });
  takeKeys(canvas, (key, shift) => {
    if (key in ARROWS) {
      const ends = [height - 1, width - 1];
      brush = brush.map((at, i) => Math.min(ends[i], Math.max(0, at + ARROWS[key][i] * (shift ? 8 : 1))));
      draw();
    } else if (key === " ") dab(1);
    else if (key.toLowerCase() === "e") dab(0);
    else if (key.toLowerCase() === "z") undo();
    else if (key === "+" || key === "=") resize(Number(size.value) + 2);
    else if (key === "-") resize(Number(size.value) - 2);
    else return false;
    return true;
  });
  size.addEventListener("input", () => resize(size.value));

  // 5. What comes from Python.
  const stops = [
    onChange(model, ["size"], () => resize(model.get("size"))),
    onChange(model, ["slice", "foreground"], draw),
    onChange(model, ["mask"], () => {
      if (model.get("mask") === sent) return; // our own
      remember();
      sent = model.get("mask");
      mask = unpack(sent, height * width);
      draw();
    }),
    onChange(model, ["painted"], () => showPng(painted, model.get("painted"))),
    onChange(model, ["alt"], () => { painted.alt = model.get("alt"); }),
    onChange(model, ["words", "failed"], () => {
      words.textContent = model.get("words");
      words.classList.toggle("strokegan-failed", model.get("failed"));
    }),
  ];
  choose(false);
  return () => stops.forEach((stop) => stop());
}

export default { render };
