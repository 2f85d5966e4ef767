// Keeps the list of messages on the screen: in place, without jumps, with days and unread marks.

import { find, make, memory } from "./dom.js";
import { showTime } from "./entities.js";
import { renderMessage } from "./bubbles.js";

const GROUP_SECONDS = 300;
const NEAR_BOTTOM_PIXELS = 60;

export class Timeline {
  constructor(context) {
    this.context = context;
    this.log = find("log");
    this.list = find("messages");
    this.down = find("down");
    this.log.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.down.addEventListener("click", () => this.toBottom(true));
    new ResizeObserver(() => this.onResize()).observe(this.log);
    document.addEventListener("visibilitychange", () => this.markRead());
    setInterval(() => this.list.querySelectorAll(".words time[data-format=r]").forEach(showTime), 1000);
    this.open("");
  }

  /** Begin anew for another person's chat. */
  open(user) {
    this.user = user;
    this.nodes = new Map();
    this.messages = new Map();
    this.loaded = false;
    this.atBottom = true;
    this.firstUnread = null;
    this.lastRead = Number(memory.get(`read-${user}`) ?? 0);
    this.list.replaceChildren();
    this.showUnread();
  }

  /** Take over changed messages and the ids that still exist. */
  update(changed, ids) {
    const anchor = this.findAnchor();
    const known = new Set(ids);
    for (const [id, node] of this.nodes) if (!known.has(id)) this.remove(id, node);
    for (const message of changed) this.put(message);
    this.findFirstUnread();
    this.arrange();
    if (!this.loaded) this.showFirst();
    else if (this.atBottom) this.toBottom(false);
    else this.keepAnchor(anchor);
    this.markRead();
  }

  put(message) {
    const old = this.nodes.get(message.id);
    this.messages.set(message.id, message);
    const focused = old?.contains(document.activeElement) ? document.activeElement.dataset.tap : null;
    const node = renderMessage(message, this.context, old);
    this.nodes.set(message.id, node);
    if (old) old.replaceWith(node);
    else {
      if (this.loaded) node.classList.add("arriving");
      this.list.append(node);
    }
    if (focused) [...node.querySelectorAll("[data-tap]")].find((b) => b.dataset.tap === focused)?.focus();
  }

  remove(id, node) {
    node.remove();
    this.nodes.delete(id);
    this.messages.delete(id);
  }

  /** Put days and the unread mark between the messages, tails at the ends of groups. */
  arrange() {
    this.list.querySelectorAll(".day, .unread").forEach((node) => node.remove());
    const all = [...this.messages.values()];
    all.forEach((message, index) => {
      const [before, after] = [all[index - 1], all[index + 1]];
      const node = this.nodes.get(message.id);
      node.classList.toggle("first", !sameGroup(before, message));
      node.classList.toggle("last", !sameGroup(message, after));
      if (!before || dayOf(before) !== dayOf(message)) {
        node.before(make("div", "day", make("span", "", dayName(message))));
      }
      if (message.id === this.firstUnread && before) node.before(make("div", "unread", make("span", "", "Unread messages")));
    });
  }

  showFirst() {
    this.loaded = true;
    const mark = this.list.querySelector(".unread");
    if (mark) this.log.scrollTop = Math.max(0, mark.offsetTop - 80);
    else this.toBottom(false);
    this.onScroll();
  }

  /** The first message in sight and where it stands, to hold it there. */
  findAnchor() {
    const top = this.log.getBoundingClientRect().top;
    for (const [id, node] of this.nodes) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { id, offset: box.top };
    }
    return null;
  }

  keepAnchor(anchor) {
    const node = anchor && this.nodes.get(anchor.id);
    if (node) this.log.scrollTop += node.getBoundingClientRect().top - anchor.offset;
    this.showUnread();
  }

  toBottom(smooth) {
    const near = this.log.scrollHeight - this.log.scrollTop < 4 * this.log.clientHeight;
    const behavior = smooth && near && !calm() ? "smooth" : "instant";
    this.log.scrollTo({ top: this.log.scrollHeight, behavior });
  }

  /** Scroll to a message and flash it; false when it is no longer there. */
  jump(id) {
    const node = this.nodes.get(id);
    if (!node) return false;
    const block = node.offsetHeight > this.log.clientHeight ? "start" : "center";
    node.scrollIntoView({ block, behavior: calm() ? "instant" : "smooth" });
    node.classList.remove("flash");
    requestAnimationFrame(() => node.classList.add("flash"));
    setTimeout(() => node.classList.remove("flash"), 1600);
    return true;
  }

  onScroll() {
    const below = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
    this.atBottom = below < NEAR_BOTTOM_PIXELS;
    this.markRead();
    this.showUnread();
  }

  onResize() {
    if (this.atBottom) this.toBottom(false);
  }

  markRead() {
    if (!this.loaded || !this.atBottom || document.hidden) return;
    const newest = [...this.messages.keys()].at(-1) ?? 0;
    if (newest > this.lastRead) memory.set(`read-${this.user}`, newest);
    this.lastRead = Math.max(this.lastRead, newest);
    this.showUnread();
  }

  findFirstUnread() {
    const unread = [...this.messages.values()].filter((m) => m.id > this.lastRead && m.from === "bot");
    const hidden = this.loaded ? !this.atBottom || document.hidden : this.lastRead > 0;
    if (!unread.length || !hidden) {
      if ([...this.messages.values()].at(-1)?.from === "user") this.firstUnread = null;
      return;
    }
    if (!this.firstUnread || this.firstUnread <= this.lastRead) this.firstUnread = unread[0].id;
  }

  get unreadCount() {
    return [...this.messages.values()].filter((m) => m.id > this.lastRead && m.from === "bot").length;
  }

  showUnread() {
    const count = this.atBottom ? 0 : this.unreadCount;
    this.down.hidden = this.atBottom;
    const badge = find("down-count");
    badge.hidden = !count;
    badge.textContent = count;
    const waiting = document.hidden ? this.unreadCount : 0;
    document.title = waiting ? `(${waiting}) ${this.context.botTitle()}` : this.context.botTitle();
  }
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const dayOf = (message) => new Date(message.date * 1000).toDateString();

const sameGroup = (first, second) =>
  first && second && first.from === second.from && second.date - first.date < GROUP_SECONDS &&
  dayOf(first) === dayOf(second);

function dayName(message) {
  const day = new Date(message.date * 1000);
  const ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86400000);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  const year = day.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return day.toLocaleDateString("en", { day: "numeric", month: "long", year });
}
