"use strict";
// Small comforts; every page and form works without them.

// A field that leaves only the rows that hold what is written, whatever the accents.
function plain(text) {
  return text.normalize("NFD").replace(/\p{Mn}/gu, "").toLocaleLowerCase();
}
document.querySelectorAll("[data-filter]").forEach((field) => {
  const rows = [...document.querySelectorAll(field.dataset.filter)];
  const texts = rows.map((row) => plain(row.textContent));
  const told = document.querySelector(field.dataset.told);
  field.addEventListener("input", () => {
    const wanted = plain(field.value.trim()).split(/\s+/);
    let left = 0;
    rows.forEach((row, n) => {
      row.hidden = !wanted.every((word) => texts[n].includes(word));
      left += row.hidden ? 0 : 1;
    });
    if (told) told.textContent = left;
  });
});

// A choice that is sent at once.
document.querySelectorAll("select[data-submit]").forEach((field) => {
  field.addEventListener("change", () => field.form.requestSubmit());
});

// A part of the page that is asked for again and again while somebody looks, unless they pause it.
document.querySelectorAll("[data-live]").forEach((place) => {
  const button = document.querySelector(`[data-pause="#${place.id}"]`);
  let paused = false;
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
    });
  }
  setInterval(async () => {
    if (paused || document.hidden || place.contains(document.activeElement)) return;
    try {
      const answer = await fetch(place.dataset.live, { headers: { accept: "text/html" } });
      if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
    } catch {
      // the server rests; the next time will do
    }
  }, 1000 * Number(place.dataset.every));
});

// A part of the page that takes longer: fetched once, when the rest stands there already.
document.querySelectorAll("[data-load]").forEach(async (place) => {
  try {
    const answer = await fetch(place.dataset.load, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    place.innerHTML = await answer.text();
    place.dataset.loaded = "yes";
    watch(place);
  } catch {
    place.textContent = place.dataset.failed;
    place.dataset.loaded = "no";
  }
});

// A table wider than its window is scrolled by the keyboard too: it takes the focus, with the name of its section.
const sized = new ResizeObserver((seen) => seen.forEach(({ target }) => {
  const wide = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
  const name = target.closest("[aria-labelledby]")?.getAttribute("aria-labelledby");
  const given = { tabindex: "0", ...(name && { role: "region", "aria-labelledby": name }) };
  for (const [key, value] of Object.entries(given)) {
    if (wide) target.setAttribute(key, value);
    else target.removeAttribute(key);
  }
}));
function watch(part) {
  part.querySelectorAll(".scroll").forEach((table) => sized.observe(table));
}
watch(document);

// What is folded is printed too.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
