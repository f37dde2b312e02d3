// One panel: native controls with names, sentences that a screen reader speaks, and pictures.
// Native controls, because ipywidgets' sliders have no name that a screen reader could read.

function element(tag, about = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function render({ model, el }) {
  el.classList.add("mialab-live");
  const values = { ...model.get("values") };
  const renew = []; // brings each control to its value
  let waiting = false; // for the answer to the last move
  let moved = false; // since then

  function send() {
    if (waiting) {
      moved = true;
      return;
    }
    waiting = true;
    moved = false;
    model.set("values", { ...values });
    delete values.click; // a click is told once
    model.save_changes();
  }

  function range({ name, low, high, step, unit }) {
    const input = element("input", { type: "range", min: low, max: high, step });
    const shown = element("span", { "aria-hidden": "true" }); // the slider itself says it
    const digits = Number.isInteger(step) ? 0 : String(step).split(".")[1].length;
    renew.push(() => {
      input.value = values[name];
      shown.textContent = `${Number(values[name]).toFixed(digits)}${unit}`;
      input.setAttribute("aria-valuetext", shown.textContent);
    });
    input.addEventListener("input", () => {
      values[name] = Number(input.value);
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
      values[name] += 1;
      send();
    });
    return made;
  }

  const made = { range, choice, button };
  const group = element("div", { role: "group", "aria-label": model.get("title"), class: "mialab-controls" });
  for (const control of model.get("controls")) group.append(made[control.kind](control));
  for (const each of group.querySelectorAll("input, select, button"))
    each.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab takes the arrow keys to walk over cells
  const status = element("pre", { role: "status" });
  const picture = element("img");
  el.append(group, status);

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
    const { text, src, alt, width, spot, pending } = model.get("answer");
    status.textContent = text;
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
    if (!waiting) Object.assign(values, model.get("values"));
    renew.forEach((each) => each());
  }

  model.on("change:answer", answer);
  model.on("change:values", settle);
  answer();
  settle();
  return () => {
    model.off("change:answer", answer);
    model.off("change:values", settle);
  };
}

export default { render };
