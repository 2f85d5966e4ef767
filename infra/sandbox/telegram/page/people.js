// The people one may be: the list on a desktop, the menu on a phone.

import { find, make, makeButton } from "./dom.js";
import { toggleMenu } from "./overlays.js";

const HINTS = {
  owner: "Owner · paired", trader: "May trade", viewer: "May look", stranger: "Unknown to the bot",
};
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

function avatar(name, first) {
  const node = make("span", "avatar", first.charAt(0));
  node.dataset.person = name;
  node.setAttribute("aria-hidden", "true");
  return node;
}

function personLine(name, first, last) {
  const time = make("time", "", last ? clock.format(new Date(last.date * 1000)) : "");
  const top = make("span", "line", make("b", "", capital(name)), time);
  const below = make("span", "line", make("span", "last", last ? last.text : HINTS[name] ?? first));
  return [avatar(name, first), make("span", "lines", top, below)];
}

/** Show everybody and who is chosen; `onChoose(name)` switches. */
export function showPeople(view, chosen, onChoose) {
  const entries = Object.entries(view.people);
  find("people-list").replaceChildren(...entries.map(([name, first]) => {
    const button = makeButton("person", ...personLine(name, first, view.last_messages[name]));
    if (name === chosen) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => onChoose(name));
    return button;
  }));
  find("as-name").textContent = capital(chosen);
  find("as-avatar").textContent = view.people[chosen].charAt(0);
  find("as-avatar").dataset.person = chosen;
  find("as-user").setAttribute("aria-label", `Writing as ${chosen}. Switch person`);
  find("as-user").onclick = () => toggleMenu(find("as-user"), entries.map(([name, first]) => ({
    node: make("span", "person-item", avatar(name, first), make("span", "lines", make("b", "", capital(name)), make("span", "", HINTS[name] ?? first))),
    checked: name === chosen,
    run: () => onChoose(name),
  })));
}
