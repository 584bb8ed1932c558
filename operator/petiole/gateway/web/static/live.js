"use strict";
// Asks for the page again and takes over what differs, so that place and focus stay where they are.
(() => {
  const every = 1000 * Number(document.currentScript.dataset.every);
  const deadline = 20000; // milliseconds for an answer
  const trouble = document.getElementById("trouble");
  let since = new Date();

  function adopt(shown, fresh) {
    if (shown.nodeType !== fresh.nodeType || shown.nodeName !== fresh.nodeName) {
      shown.replaceWith(fresh.cloneNode(true));
      return;
    }
    if (shown.nodeType !== Node.ELEMENT_NODE) {
      if (shown.data !== fresh.data) shown.data = fresh.data;
      return;
    }
    for (const { name } of [...shown.attributes])
      if (!fresh.hasAttribute(name)) shown.removeAttribute(name);
    for (const { name, value } of fresh.attributes)
      if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    adoptInside(shown, fresh);
  }

  // Children with an id stay the same elements when others come or go before them.
  function adoptInside(shown, fresh) {
    let at = shown.firstChild;
    const next = () => { const was = at; at = at.nextSibling; return was; };
    for (const each of fresh.childNodes) {
      const kept = each.id && [...shown.children].find((child) => child.id === each.id);
      if (kept) {
        while (at !== kept) next().remove();
        adopt(next(), each);
      } else if (at && !at.id && !each.id) {
        adopt(next(), each);
      } else {
        shown.insertBefore(each.cloneNode(true), at);
      }
    }
    while (at) next().remove();
  }

  async function look() {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" },
      signal: AbortSignal.timeout(deadline),
    });
    // The cookie ended, or what was shown is gone: the browser itself shall see that.
    if (answer.redirected || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) adopt(part, fresh);
    }
    since = new Date();
    trouble.hidden = true;
  }

  async function again() {
    try {
      if (!document.hidden) await look();
    } catch {
      trouble.textContent =
        `The gateway does not answer; what is shown is of ${since.toLocaleTimeString()}.`;
      trouble.hidden = false;
    }
    setTimeout(again, every);
  }

  document.addEventListener("visibilitychange", () => document.hidden || look().catch(() => {}));
  setTimeout(again, every);
})();
