// The lower edge: text field, command menu with completion, reply keyboard, START.

import { find, make, makeButton, memory } from "./dom.js";

const LINES_SHOWN = 6;

export class Composer {
  /** `onSend(text)` sends a text. */
  constructor(onSend) {
    this.onSend = onSend;
    this.text = find("text");
    this.commands = [];
    this.keyboard = [];
    this.chosen = -1;
    this.menuOpen = false;
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("input", () => this.onInput());
    this.text.addEventListener("keydown", (event) => this.onKey(event));
    find("menu").addEventListener("click", () => this.toggleMenu());
    find("keys").addEventListener("click", () => this.toggleKeyboard());
    find("start").querySelector("button").addEventListener("click", () => onSend("/start"));
    document.addEventListener("pointerdown", (event) => this.onOutside(event));
    this.onInput();
  }

  open(user) {
    this.user = user;
    this.keyboardHidden = memory.get(`keys-${user}`) === "hidden";
    this.text.value = "";
    this.shownKeyboard = null;
    this.onInput();
  }

  /** `begun`: the person has written before, so START is no longer offered. */
  update(chat, placeholder, begun, empty) {
    this.commands = chat.commands;
    this.keyboard = chat.keyboard;
    this.text.placeholder = placeholder ?? "Message";
    find("start").hidden = begun;
    find("empty").hidden = !empty;
    find("composer").hidden = !begun;
    find("menu").hidden = !chat.commands.length;
    this.showKeyboard();
    this.showSuggestions();
  }

  submit() {
    const text = this.text.value.trim();
    if (!text) return;
    this.text.value = "";
    this.onInput();
    this.text.focus();
    this.onSend(text).then((sent) => {
      if (!sent && !this.text.value) this.text.value = text;
      this.onInput();
    });
  }

  onInput() {
    this.text.style.height = "auto";
    const line = parseFloat(getComputedStyle(this.text).lineHeight);
    this.text.style.height = `${Math.min(this.text.scrollHeight, line * LINES_SHOWN + 18)}px`;
    find("send").classList.toggle("ready", Boolean(this.text.value.trim()));
    this.menuOpen = false;
    this.chosen = -1;
    this.showSuggestions();
  }

  onKey(event) {
    if (event.isComposing) return;
    const open = !find("suggestions").hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (open && step) {
      const count = this.matches.length;
      this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
      this.showSuggestions();
    } else if (open && event.key === "Tab" && !event.shiftKey) {
      this.text.value = `/${this.matches[Math.max(0, this.chosen)].command} `;
      this.onInput();
    } else if (open && event.key === "Escape") {
      this.closeSuggestions();
    } else if (event.key === "Enter" && !event.shiftKey) {
      if (open && this.chosen >= 0) this.choose(this.matches[this.chosen]);
      else this.submit();
    } else return;
    event.preventDefault();
  }

  onOutside(event) {
    const inside = find("suggestions").contains(event.target) || find("menu").contains(event.target);
    if (this.menuOpen && !inside) this.closeSuggestions();
  }

  toggleMenu() {
    const open = !this.menuOpen;
    this.closeSuggestions();
    this.menuOpen = open;
    this.showSuggestions();
    if (open && matchMedia("(pointer: fine)").matches) this.text.focus({ preventScroll: true });
  }

  closeSuggestions() {
    this.menuOpen = false;
    this.matches = [];
    find("suggestions").hidden = true;
    find("menu").setAttribute("aria-expanded", "false");
  }

  showSuggestions() {
    const typed = /^\/(\w*)$/.exec(this.text.value);
    const prefix = typed?.[1].toLowerCase();
    const matching = typed ? this.commands.filter((c) => c.command.startsWith(prefix)) : [];
    this.matches = this.menuOpen ? this.commands : matching;
    this.chosen = Math.min(this.chosen, this.matches.length - 1);
    const list = find("suggestions");
    list.hidden = !this.matches.length;
    find("menu").setAttribute("aria-expanded", String(this.menuOpen && !list.hidden));
    list.replaceChildren(...this.matches.map((command, index) => this.suggestion(command, index)));
    list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  suggestion(command, index) {
    const words = [make("b", "", `/${command.command}`), make("span", "", command.description)];
    const item = makeButton("suggestion", ...words);
    item.tabIndex = -1;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(index === this.chosen));
    item.addEventListener("click", () => this.choose(command));
    return item;
  }

  choose(command) {
    this.text.value = "";
    this.onInput();
    this.closeSuggestions();
    this.onSend(`/${command.command}`);
  }

  toggleKeyboard() {
    this.keyboardHidden = !this.keyboardHidden;
    memory.set(`keys-${this.user}`, this.keyboardHidden ? "hidden" : "shown");
    this.showKeyboard();
  }

  showKeyboard() {
    const shown = this.keyboard.length > 0 && !this.keyboardHidden && find("start").hidden;
    find("keyboard").hidden = !shown;
    find("keys").hidden = !this.keyboard.length;
    find("keys").setAttribute("aria-expanded", String(shown));
    const wanted = JSON.stringify(this.keyboard);
    if (wanted === this.shownKeyboard) return;
    this.shownKeyboard = wanted;
    find("keyboard").replaceChildren(...this.keyboard.map((row) => this.keyboardRow(row)));
  }

  keyboardRow(row) {
    return make("div", "keyboard-row", ...row.map((text) => {
      const key = makeButton("key", text);
      key.addEventListener("click", () => this.onSend(text));
      return key;
    }));
  }
}
