// Arrow keys walk from a search box into its suggestions; Escape closes them.
"use strict";

for (const box of document.querySelectorAll("input[data-suggestions]")) {
  const list = document.getElementById(box.dataset.suggestions);
  const links = () => [...list.querySelectorAll("a")];
  const close = () => { list.hidden = true; };

  list.addEventListener("htmx:afterSwap", () => { list.hidden = false; });
  box.addEventListener("focus", () => { list.hidden = false; });
  box.form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      box.focus();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const found = links();
      if (list.hidden || !found.length) return;
      event.preventDefault();
      const next = found.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      if (next < 0) box.focus();
      else found[Math.min(next, found.length - 1)].focus();
    }
  });
  document.addEventListener("focusin", (event) => { if (!box.form.contains(event.target)) close(); });
  document.addEventListener("click", (event) => { if (!box.form.contains(event.target)) close(); });
}
