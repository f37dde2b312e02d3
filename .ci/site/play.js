// What answers a panel where no kernel is: the views that were worked out when these pages were built (see play.py).
// panel.js stands above this in the same script, and shows them as it does in a notebook. Nothing is fetched: a browser
// would refuse that on pages from a folder, but it loads scripts and pictures from there.

const worked = new URL("play/", document.currentScript.src);

function withoutKernel({ title, controls, values, map, views }) {
  const heard = {};
  const state = { title, controls, values: { ...values }, map };
  let now = 0; // the number of the view that is shown
  let turn = 0;

  // The view of a combination of stops, the last control's the first to turn; a button's come again and again.
  const numberOf = (values) =>
    controls.reduce((number, { name, kind, stops }) => {
      const stop = kind === "button" ? values[name] % stops.length : stops.indexOf(values[name]);
      return number * stops.length + stop;
    }, 0);

  function nearest([x, y]) {
    const apart = views.map(({ spot }) => Math.hypot(spot[0] - x, (spot[1] - y) * map.tall));
    return controls[0].stops[apart.indexOf(Math.min(...apart))];
  }

  function show(number) {
    now = number;
    turn += 1;
    const { text, src, width, spot } = views[number];
    state.answer = { text, alt: text.replaceAll("\n", " "), src: new URL(src, worked).href, width, spot, turn };
  }

  function set(name, next) {
    const { click, ...asked } = next;
    if (click) asked[controls[0].name] = nearest(click);
    const pressed = Object.keys(asked).find((each) => asked[each] !== state.values[each]);
    state.values = asked;
    show(views[now].leads ? views[now].leads[pressed] : numberOf(asked));
  }

  function save_changes() {
    heard["change:answer"]();
    heard["change:values"]();
  }

  if (map.src) map.src = new URL(map.src, worked).href;
  show(views[0].leads ? 0 : numberOf(values));
  return { get: (name) => state[name], set, save_changes, on: (event, react) => (heard[event] = react) };
}

window.mialabPanel = (name, panel) => {
  for (const el of document.querySelectorAll(`[data-panel="${name}"]`)) {
    el.replaceChildren();
    render({ model: withoutKernel(panel), el });
    if (panel.note) el.append(element("p", { class: "mialab-note" }, panel.note));
  }
};

document.addEventListener("DOMContentLoaded", () => {
  const names = new Set([...document.querySelectorAll("[data-panel]")].map((el) => el.dataset.panel));
  for (const name of names) document.head.append(element("script", { src: new URL(`${name}.js`, worked).href }));
});
