"use strict";
// Draws every chart of the page once its numbers are on the screen: the library is large and nobody waits for it.
// Expressions are interpreted from syntax trees (ast), so the page's policy can forbid the evaluation of text as script.
const places = [...document.querySelectorAll("[data-chart]")];
const library = document.querySelector("script[data-library]").dataset;

async function draw(place) {
  const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const locale = window.chartLocales[document.documentElement.lang] || {};
  try {
    await window.vegaEmbed(place, spec, {
      ast: true,
      actions: false,
      renderer: "svg",
      defaultStyle: false,
      formatLocale: locale.number,
      timeFormatLocale: locale.time,
      tooltip: { disableDefaultStyle: true },
    });
    place.dataset.drawn = "yes";
  } catch (error) {
    place.dataset.drawn = "no";
    place.textContent = place.dataset.failed;
    throw error;
  }
}

async function drawAll() {
  await Promise.all([import(library.library), import(library.locales)]);
  for (const place of places) {
    await draw(place);
    await new Promise((rest) => setTimeout(rest));
  }
}

if (places.length) requestAnimationFrame(() => setTimeout(drawAll));
