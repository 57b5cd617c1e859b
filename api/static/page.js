"use strict";
// Small comforts; every form works without them.
document.querySelectorAll("[data-filter]").forEach((field) => {
  const rows = document.querySelectorAll(field.dataset.filter);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    rows.forEach((row) => { row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted); });
  });
});
document.querySelectorAll("select[data-submit]").forEach((field) => {
  field.addEventListener("change", () => field.form.requestSubmit());
});
