// Toasts, the alert, the enlarged photo and small menus.

import { find, make, makeButton } from "./dom.js";

const TOAST_MILLISECONDS = 3500;

/** Show a short text for a moment. */
export function toast(text, kind = "") {
  const node = make("div", `toast ${kind}`, text);
  find("toasts").append(node);
  setTimeout(() => node.classList.add("leaving"), TOAST_MILLISECONDS);
  setTimeout(() => node.remove(), TOAST_MILLISECONDS + 250);
}

/** Show a text that has to be confirmed; a second one waits in the same window. */
export function alertBox(title, text) {
  const box = find("alert");
  find("alert-title").textContent = title;
  const words = find("alert-text");
  words.textContent = box.open ? `${words.textContent}\n\n${text}` : text;
  if (!box.open) box.showModal();
}

/** Show a photo over everything; Esc, the button, a tap outside and "back" close it. */
export function openPhoto(address, description) {
  const box = find("lightbox");
  const photo = find("lightbox-photo");
  photo.src = address;
  photo.alt = description;
  photo.classList.remove("full");
  box.showModal();
  history.pushState({ photo: true }, "");
}

export function wireLightbox() {
  const box = find("lightbox");
  find("lightbox-close").addEventListener("click", () => box.close());
  find("lightbox-photo").addEventListener("click", (event) => event.target.classList.toggle("full"));
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => { if (history.state?.photo) history.back(); });
  addEventListener("popstate", () => { if (box.open) box.close(); });
}

let closeOpenMenu = () => {};

/** Open a menu under `anchor`; `items` are { node, checked, run }. A second call closes it. */
export function toggleMenu(anchor, items) {
  const popup = find("popup");
  const same = anchor.getAttribute("aria-expanded") === "true";
  closeOpenMenu();
  if (same) return;
  popup.replaceChildren(...items.map((item) => menuItem(item)));
  popup.hidden = false;
  anchor.setAttribute("aria-expanded", "true");
  place(popup, anchor);
  (popup.querySelector("[aria-checked=true]") ?? popup.firstChild).focus();
  const ending = new AbortController();
  closeOpenMenu = () => {
    popup.hidden = true;
    anchor.setAttribute("aria-expanded", "false");
    ending.abort();
    closeOpenMenu = () => {};
  };
  const listen = { signal: ending.signal };
  addEventListener("pointerdown", (event) => {
    if (!popup.contains(event.target) && !anchor.contains(event.target)) closeOpenMenu();
  }, listen);
  addEventListener("resize", () => closeOpenMenu(), listen);
  popup.addEventListener("keydown", (event) => moveInMenu(event, popup, anchor), listen);
}

function menuItem({ node, checked, run }) {
  const button = makeButton("popup-item", node);
  button.setAttribute("role", "menuitemradio");
  button.setAttribute("aria-checked", String(Boolean(checked)));
  button.addEventListener("click", () => {
    closeOpenMenu();
    run();
  });
  return button;
}

function moveInMenu(event, popup, anchor) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const items = [...popup.children];
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
    event.preventDefault();
  } else if (event.key === "Escape") {
    closeOpenMenu();
    anchor.focus();
  }
}

function place(popup, anchor) {
  const box = anchor.getBoundingClientRect();
  popup.style.top = `${box.bottom + 6}px`;
  popup.style.left = `${Math.max(8, Math.min(box.left, innerWidth - popup.offsetWidth - 8))}px`;
}
