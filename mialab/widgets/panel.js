// One panel: native controls with names, sentences that a screen reader speaks, and pictures.
// Native controls, because ipywidgets' sliders have no name that a screen reader could read.

function element(tag, about = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function same(one, other) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function render({ model, el }) {
  el.classList.add("mialab-live");
  const values = { ...model.get("values") };
  const renew = []; // brings each control to its value
  let waiting = false; // for the answer to the last move
  let moved = false; // since then
  let spoken = true; // the words that follow the last press are there
  let turn; // of the answer whose words are on the page
  let lost = false; // the kernel that answered
  let patience; // until the reader is told that the kernel is slow
  const note = element("p", { class: "mialab-note", "aria-live": "polite" });

  function send() {
    if (lost) return;
    if (waiting) {
      moved = true;
      return;
    }
    moved = false;
    const now = { ...values };
    delete values.click; // a click is told once
    if (same(now, model.get("values"))) return; // nothing would be sent, so no answer would come
    waiting = true;
    patience = setTimeout(() => (note.textContent = "Waiting for the kernel."), 3000);
    model.set("values", now);
    model.save_changes();
  }

  function lose() {
    lost = true;
    clearTimeout(patience);
    note.textContent = "The kernel that answered is gone. Run the cell again.";
  }

  // With `stops` it goes from one to the next: where no kernel answers, only these have an answer.
  function range({ name, low, high, step, unit, stops }) {
    const reach = stops ? { min: 0, max: stops.length - 1 } : { min: low, max: high, step };
    const input = element("input", { type: "range", ...reach });
    const shown = element("span", { "aria-hidden": "true" }); // the slider itself says it
    const digits = Number.isInteger(step) ? 0 : String(step).split(".")[1].length;
    renew.push(() => {
      input.value = stops ? stops.indexOf(values[name]) : values[name];
      shown.textContent = `${Number(values[name]).toFixed(digits)}${unit}`;
      input.setAttribute("aria-valuetext", shown.textContent);
    });
    input.addEventListener("input", () => {
      values[name] = stops ? stops[input.value] : Number(input.value);
      renew.forEach((each) => each());
      send();
    });
    return element("label", {}, element("span", {}, name), input, shown);
  }

  function choice({ name, options }) {
    const select = element("select", {}, ...options.map((each) => element("option", { value: each }, each)));
    renew.push(() => (select.value = values[name]));
    select.addEventListener("change", () => {
      values[name] = select.value;
      send();
    });
    return element("label", {}, element("span", {}, name), select);
  }

  function button({ name }) {
    const made = element("button", { type: "button" }, name);
    made.addEventListener("click", () => {
      if (!spoken) return; // a press is about the words on the page, and these were answered already
      values[name] += 1;
      spoken = false;
      send();
    });
    return made;
  }

  const made = { range, choice, button };
  const group = element("div", { role: "group", "aria-label": model.get("title"), class: "mialab-controls" });
  for (const control of model.get("controls")) group.append(made[control.kind](control));
  // Or JupyterLab takes the arrow keys to walk over cells; what is pressed with Ctrl, such as Ctrl + S, stays its own.
  for (const each of group.querySelectorAll("input, select, button"))
    for (const kind of ["focus", "keydown", "keyup"])
      each.addEventListener(kind, ({ ctrlKey, metaKey }) =>
        each.toggleAttribute("data-lm-suppress-shortcuts", !(ctrlKey || metaKey)),
      );
  const status = element("pre", { role: "status" });
  const picture = element("img");
  el.append(group, note, status);

  const map = model.get("map");
  const ring = element("span", { class: "mialab-ring", "aria-hidden": "true" });
  if (map.src) {
    const image = element("img", { src: map.src, alt: map.alt, width: map.width });
    const frame = element("div", { class: "mialab-map" }, image, ring);
    frame.addEventListener("click", (event) => {
      const box = image.getBoundingClientRect();
      values.click = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      send();
    });
    el.append(frame);
  }
  el.append(picture);

  function answer() {
    const { text, src, alt, width, spot, pending, turn: latest } = model.get("answer");
    if (latest !== turn) spoken = true; // its picture may come later, and a press need not wait for it
    turn = latest;
    if (status.textContent !== text) status.textContent = text; // or it would be spoken twice
    clearTimeout(patience);
    if (!lost) note.textContent = "";
    if (spot) {
      ring.style.left = `${100 * spot[0]}%`;
      ring.style.top = `${100 * spot[1]}%`;
    }
    if (pending) return; // the picture follows
    picture.hidden = !src;
    if (src) {
      picture.src = src;
      picture.alt = alt;
      picture.width = width;
    }
    waiting = false;
    if (moved) send();
  }

  function settle() {
    if (!waiting) {
      Object.assign(values, model.get("values"));
      delete values.click; // of another view of the same panel
    }
    renew.forEach((each) => each());
  }

  const heard = { "change:answer": answer, "change:values": settle, comm_live_update: lose };
  for (const [event, react] of Object.entries(heard)) model.on(event, react);
  answer();
  settle();
  return () => {
    for (const [event, react] of Object.entries(heard)) model.off(event, react);
  };
}

export default { render };
